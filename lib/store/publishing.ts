/**
 * Publications made in the state file: pages, zone row, journal.
 *
 * Owns nothing; works within the transaction of its caller, who takes all of it back
 * when it throws.
 */
import { equalOctets } from "../dns/mod.ts";
import type { StateError } from "./errors.ts";
import { type JournalBounds, journalLimits } from "./journal_bounds.ts";
import { NO_CHAIN } from "./journal_chain.ts";
import type { JournalTable } from "./journal_table.ts";
import type { PageTable } from "./page_table.ts";
import { diverged, journalDamaged } from "./problems.ts";
import type { WirePublication } from "./protocol.ts";
import type { ZoneRow, ZoneRows } from "./zone_rows.ts";

/** What publications are written to. */
export interface PublishingOptions {
  /** For messages. */
  readonly path: string;
  readonly bounds: JournalBounds;
  readonly zones: ZoneRows;
  readonly pages: PageTable;
  readonly journal: JournalTable;
}

export class Publishing {
  readonly #options: PublishingOptions;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  /**
   * Writes a publication.
   *
   * @param problems  takes what was found wrong and put right
   * @throws {StateError} "state-diverged": it does not follow what is stored
   */
  publish(publication: WirePublication, problems: StateError[]): void {
    const { path, pages, zones } = this.#options;
    const { soa, serial, publishedAt } = publication;
    const zone = this.#zoneToChange(publication);
    const { sum } = zone;
    try {
      pages.change(zone.zone, publication.gone, publication.put, sum);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw diverged(path, publication, error.message);
    }
    if (sum.pages !== publication.pages) {
      throw diverged(path, publication, `it would keep ${sum.pages} pages`);
    }
    zones.set(zone.zone, { serial, publishedAt, soa, sum });
    if (publication.previousSerial !== undefined) {
      this.#appendJournal(zone, publication, problems);
    }
  }

  /** The zone as it was before: as it is stored, or for a first version a new, empty row. */
  #zoneToChange(publication: WirePublication): ZoneRow {
    const { path, zones } = this.#options;
    const { apexKey, previousSerial, soa, serial, publishedAt, diff } = publication;
    if (previousSerial === undefined) {
      zones.remove(apexKey); // leftovers are replaced
      const zone = zones.add(apexKey);
      const sum = { pages: 0, checksum: 0 };
      return { zone, apexKey, soa, serial, publishedAt, sum, journalOctets: 0, chain: NO_CHAIN };
    }
    const zone = zones.find(apexKey);
    if (!zone) throw diverged(path, publication, "the zone is not stored");
    if (zone.serial !== previousSerial) {
      const what = `it follows serial ${previousSerial}, ${zone.serial} is stored`;
      throw diverged(path, publication, what);
    }
    if (diff && (!equalOctets(diff.fromSoa, zone.soa) || !equalOctets(diff.toSoa, soa))) {
      throw diverged(path, publication, "its difference does not lead from SOA to SOA");
    }
    return zone;
  }

  #appendJournal(zone: ZoneRow, publication: WirePublication, problems: StateError[]): void {
    const { path, bounds, journal, zones } = this.#options;
    const { diff, cause, publishedAt, zoneOctets } = publication;
    if (!diff) { // the chain is cut: what was before leads nowhere now
      journal.drop(zone.zone);
      zones.setJournal(zone.zone, NO_CHAIN, 0);
      return;
    }
    const problem = journal.endProblem(zone);
    if (problem) {
      problems.push(journalDamaged(path, zone.soa, problem));
      journal.drop(zone.zone);
      zone = { ...zone, chain: NO_CHAIN, journalOctets: 0 };
    }
    const { id, chain, octets } = journal.append(zone, { diff, cause, publishedAt });
    const limits = journalLimits(bounds, zoneOctets, publishedAt);
    const rest = journal.purge(zone.zone, zone.journalOctets + octets, id, limits);
    zones.setJournal(zone.zone, rest.isEmpty ? NO_CHAIN : chain, rest.octets);
  }
}
