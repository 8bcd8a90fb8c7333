/**
 * Differences read from a state file for IXFR, beside the one that writes it.
 *
 * Owns: a read-only connection, opened when first needed; its readers' snapshots
 * hold up no commit. Synchronous; lives in the journal's worker.
 */
import { isAhead } from "../dns/mod.ts";
import { condense, DiffError } from "../zone/mod.ts";
import { StateConnection } from "./connection.ts";
import { tooLarge } from "./difference_size.ts";
import { errorFields, toStateError } from "./errors.ts";
import type { BrokenPart, DifferenceAnswer, DifferenceRequest } from "./journal_protocol.ts";
import type { JournalPart } from "./journal_part.ts";
import { JournalTable } from "./journal_table.ts";
import { journalDamaged } from "./problems.ts";
import type { WireDiff } from "./protocol.ts";
import { zoneDiff } from "./publication.ts";
import { ZoneRows } from "./zone_rows.ts";

/**
 * Times the zone that the differences asked for may take before they are
 * condensed. More would cost more to read and condense than it can save.
 */
const MAX_JOURNAL_FACTOR = 4;

/** An open state file. */
interface OpenFile {
  readonly connection: StateConnection;
  readonly zones: ZoneRows;
  readonly journal: JournalTable;
}

/** What the file holds for a request. */
interface Found {
  readonly part: JournalPart;
  readonly oldest: number | undefined;
  readonly soa: Uint8Array;
}

/** The journals in one state file. */
export class JournalFile {
  #open: OpenFile | undefined;

  /**
   * @param path  absolute, symbolic links resolved
   * @param condense  whether differences are put together into one
   */
  constructor(readonly path: string, readonly condense: boolean) {}

  /** The differences for a request, or why there are none. Never throws. */
  read(request: DifferenceRequest): DifferenceAnswer {
    try {
      const found = this.#find(request);
      if (!found) return none("the state file does not hold the zone");
      return this.#answer(request, found);
    } catch (thrown) {
      this.close(); // what failed may be the connection
      const error = errorFields(toStateError(thrown, this.path, "read the journal in"));
      // What SQLite cannot read may be no more than the index: whoever repairs finds out.
      if (error.code === "state-damaged") return { kind: "broken", at: "index", error };
      return { kind: "failed", error };
    }
  }

  /** Opens the file, if it is not open or another one has its name. @throws whatever SQLite throws */
  open(): OpenFile {
    if (this.#open && !this.#open.connection.isInPlace) this.close();
    if (this.#open) return this.#open;
    const connection = new StateConnection(this.path, true);
    const { db } = connection;
    return this.#open = { connection, zones: new ZoneRows(db), journal: new JournalTable(db) };
  }

  /** Closes the file; {@link read} opens it again. */
  close(): void {
    this.#open?.connection.close();
    this.#open = undefined;
  }

  #find({ apexKey, fromSerial, toSerial, zoneOctets }: DifferenceRequest): Found | undefined {
    const { connection, zones, journal } = this.open();
    return connection.snapshot(() => {
      const zone = zones.find(apexKey);
      if (!zone) return undefined;
      const maxOctets = MAX_JOURNAL_FACTOR * zoneOctets;
      const part = journal.differences(zone, { fromSerial, toSerial, maxOctets });
      return { part, oldest: journal.oldestSerial(zone.zone), soa: zone.soa };
    });
  }

  #answer(request: DifferenceRequest, { part, oldest, soa }: Found): DifferenceAnswer {
    const { fromSerial, zoneOctets } = request;
    switch (part.kind) {
      case "kept":
        return this.#sequences(part.diffs, request, soa);
      case "unknown":
        return none(whyUnknown(request, oldest));
      case "ambiguous":
        return none(`the journal has serial ${fromSerial} more than once`);
      case "long":
        return none(
          `the differences take ${part.octets} octets, ` +
            `more than ${MAX_JOURNAL_FACTOR} times the zone (${zoneOctets})`,
        );
      case "broken":
        return this.#broken(soa, part.at, "a row is broken");
      case "index":
        return this.#broken(soa, "index", "its index by serial does not fit its rows");
    }
  }

  #sequences(
    diffs: readonly WireDiff[],
    { zoneOctets }: DifferenceRequest,
    soa: Uint8Array,
  ): DifferenceAnswer {
    let sequences = diffs;
    if (this.condense && diffs.length > 1) {
      try {
        sequences = [condensed(diffs)];
      } catch (error) {
        if (!(error instanceof DiffError || error instanceof RangeError)) throw error;
        return this.#broken(soa, undefined, error.message);
      }
    }
    const reason = tooLarge(sequences, zoneOctets);
    return reason === undefined ? { kind: "kept", sequences } : none(reason);
  }

  #broken(soa: Uint8Array, at: BrokenPart, what: string): DifferenceAnswer {
    return { kind: "broken", at, error: errorFields(journalDamaged(this.path, soa, what)) };
  }
}

function condensed(diffs: readonly WireDiff[]): WireDiff {
  const { removed, added } = condense(diffs.map(zoneDiff));
  return { fromSoa: diffs[0].fromSoa, toSoa: diffs[diffs.length - 1].toSoa, removed, added };
}

function none(reason: string): DifferenceAnswer {
  return { kind: "none", reason };
}

function whyUnknown({ fromSerial, toSerial }: DifferenceRequest, oldest: number | undefined) {
  if (oldest === undefined) return "the journal is empty";
  if (isAhead(oldest, fromSerial)) {
    return `serial ${fromSerial} is no longer in the journal, its oldest is ${oldest}`;
  }
  return `the journal does not lead from serial ${fromSerial} to ${toSerial}, its oldest is ${oldest}`;
}
