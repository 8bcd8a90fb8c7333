/**
 * What is done about a journal that is found damaged, and said of it.
 *
 * Rows that are no good are dropped with all older ones. The index by serial holds
 * nothing that the rows do not: it is written anew, and nothing is lost.
 * Synchronous; lives in the store's worker.
 */
import type { StateConnection } from "./connection.ts";
import { isDamage, type StateError, toStateError } from "./errors.ts";
import { NO_CHAIN } from "./journal_chain.ts";
import type { JournalEnd, JournalTable } from "./journal_table.ts";
import { indexDamaged, journalDamaged } from "./problems.ts";
import type { ZoneRows } from "./zone_rows.ts";

/** What journals are repaired with. */
export interface JournalRepairParts {
  readonly connection: StateConnection;
  readonly zones: ZoneRows;
  readonly journal: JournalTable;
  /** Told of what was found wrong. */
  readonly report: (problem: StateError) => void;
}

/** Repairs journals; outside of any transaction. */
export class JournalRepair {
  readonly #parts: JournalRepairParts;

  constructor(parts: JournalRepairParts) {
    this.#parts = parts;
  }

  /**
   * Finds out what is wrong with a zone's journal that was found damaged, and mends
   * it: where all rows are whole, it is the index. Always reports something, or throws.
   *
   * @throws {StateError} the index could not be written anew. Where that is because the
   *   file is damaged further, the zone's journal was dropped, or it was reported why not
   */
  repair(apexKey: string): void {
    const { connection, zones, journal } = this.#parts;
    const found = connection.snapshot(() => {
      const zone = zones.find(apexKey);
      return zone && { zone, at: journal.brokenAt(zone) };
    });
    if (!found) return; // a zone that is gone has no journal
    if (found.at === undefined) return this.#reindex(found.zone);
    this.discard(found.zone, "a row is broken", found.at);
  }

  /**
   * Drops broken journal rows and all older ones, and says so. They would be
   * found again if they stayed, so a failure to drop them is only reported.
   */
  discard(zone: JournalEnd, what: string, upTo?: number): void {
    const { connection: { path, readOnly }, report } = this.#parts;
    report(journalDamaged(path, zone.soa, what));
    if (readOnly) return;
    try {
      this.#drop(zone, upTo);
    } catch (error) {
      report(toStateError(error, path, "drop the damaged journal from"));
    }
  }

  /** SQLite deletes no row that the index does not show as it is: then it is written anew first. */
  #drop(zone: JournalEnd, upTo?: number): void {
    const { connection, zones, journal } = this.#parts;
    const drop = () => {
      const { isEmpty, octets } = journal.drop(zone.zone, upTo);
      zones.setJournal(zone.zone, isEmpty ? NO_CHAIN : zone.chain, octets);
    };
    try {
      connection.transaction(drop);
    } catch (error) {
      if (!isDamage(error)) throw error;
      connection.transaction(() => {
        journal.reindex();
        drop();
      });
    }
  }

  #reindex(zone: JournalEnd): void {
    const { connection, journal, report } = this.#parts;
    const { path, readOnly } = connection;
    if (!readOnly) {
      try {
        connection.transaction(() => journal.reindex());
      } catch (error) {
        if (isDamage(error)) this.discard(zone, "its index by serial is damaged");
        throw toStateError(error, path, "write the journal's index by serial anew in");
      }
    }
    report(indexDamaged(path, zone.soa, !readOnly));
  }
}
