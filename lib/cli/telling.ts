/**
 * What the primary and the secondaries have to say, in the words that are
 * written back to the source.
 *
 * Owns: the source's names of zones, and which serial each secondary was seen
 * to have. Effects: fills the queue, which writes in the background.
 */
import {
  canonicalKey,
  compareSerials,
  formatName,
  type Name,
  parseName,
  type Serial,
  ZonecastError,
} from "../dns/mod.ts";
import { heldNames, type Hold, type Teller } from "../primary.ts";
import type { SecondaryEvent } from "../server/mod.ts";
import type { ProblemReport, Reading, WriteBackQueue } from "../source/mod.ts";
import type { Publication } from "../store/mod.ts";
import type { Problem, ProblemChange, ZoneTable } from "../zone/mod.ts";
import type { Trail } from "./trail.ts";

/** Where the words go. */
type Queue = Pick<
  WriteBackQueue,
  "published" | "covered" | "problems" | "held" | "secondary" | "live" | "linkUp"
>;

/** Who looks on, and measures. */
export interface Onlooker {
  published(publication: Publication, reading: Pick<Reading, "changedTick">): void;
  /** Something else is to be told. */
  changed(): void;
}

export class Telling implements Teller {
  readonly #queue: Queue;
  readonly #zones: ZoneTable;
  readonly #secondaries: number;
  readonly #onlooker: Onlooker | undefined;
  /** Apex key → the zone's name in the source. */
  readonly #names = new Map<string, string>();
  /** Apex key → secondary → serial it is known to serve. */
  readonly #shown = new Map<string, Map<string, Serial>>();

  /**
   * @param secondaries  how many there are: the m of "live on n of m"
   * @param onlooker  told of all of it
   */
  constructor(
    queue: Queue,
    zones: ZoneTable,
    secondaries: number,
    readonly trail?: Pick<Trail, "published" | "held">,
    onlooker?: Onlooker,
  ) {
    this.#onlooker = onlooker;
    this.#queue = queue;
    this.#zones = zones;
    this.#secondaries = secondaries;
  }

  linkUp(): void {
    this.#onlooker?.changed();
    this.#queue.linkUp();
  }

  named(apexKey: string, zone: string): void {
    this.#names.set(apexKey, zone);
  }

  published(zone: string, publication: Publication, reading: Reading): void {
    this.#onlooker?.published(publication, reading);
    this.#report(zone, publication, reading);
  }

  raised(publication: Publication): void {
    const { apex, apexKey } = publication.version;
    this.#onlooker?.published(publication, {});
    this.#report(this.#nameOf(apexKey, apex), publication, {});
  }

  #report(
    zone: string,
    publication: Publication,
    { snapshot, changedAt }: Pick<Reading, "snapshot" | "changedAt">,
  ): void {
    this.trail?.published(publication, changedAt);
    const { version, diff, publishedAt } = publication;
    this.#queue.published({
      zone,
      serial: version.serial,
      publishedAt,
      added: diff?.added.count ?? version.records,
      removed: diff?.removed.count ?? 0,
      snapshot,
      changedAt,
    });
  }

  covered(reading: Reading, waiting: readonly string[]): void {
    const { snapshot } = reading;
    if (snapshot !== undefined) this.#queue.covered({ snapshot, pending: waiting });
  }

  held(all: Iterable<Hold>): void {
    const holds = [...all];
    this.#onlooker?.changed();
    this.trail?.held(holds);
    const reports = [];
    for (const hold of holds) {
      const { zone, id, since, why: reason, ownerCount, removedCount, addedCount } = hold;
      const names = heldNames(hold);
      reports.push({
        zone: this.#sourceName(zone),
        id,
        since,
        reason,
        owners: names === "all" ? null : [...names],
        ownerCount,
        removed: removedCount,
        added: addedCount,
        servable: !hold.reasons.includes("no-ns"),
      });
    }
    this.#queue.held(reports);
  }

  problems({ put, gone, isEmpty }: ProblemChange): void {
    if (!isEmpty) this.#onlooker?.changed();
    this.#queue.problems(this.reports(put.values()), this.reports(gone.values()));
  }

  /** Problems as the source is told of them. */
  *reports(problems: Iterable<Problem>): Generator<ProblemReport> {
    for (const problem of problems) {
      const { owner, name, type, content, code, severity, reason, hint } = problem;
      const zone = this.#sourceName(problem.zone);
      yield { zone, owner, name, type, content, code, severity, reason, hint };
    }
  }

  /** A secondary's standing with a zone has changed. */
  secondary(event: SecondaryEvent): void {
    const { secondary, serial, state, seenAt, lastNotifyAt, lastTransferAt, kind } = event;
    const key = canonicalKey(event.zone);
    const zone = this.#nameOf(key, event.zone);
    this.#queue.secondary({
      zone,
      secondary,
      serial,
      seenAt,
      lastNotifyAt,
      lastTransferAt,
      kind,
      state,
    });
    if (serial !== undefined && (state === "live" || state === "transferred")) {
      this.#noteShown(key, zone, secondary, serial, event.zone);
    }
  }

  #noteShown(key: string, zone: string, secondary: string, serial: Serial, apex: Name): void {
    const shown = this.#shown.get(key) ?? new Map<string, Serial>();
    this.#shown.set(key, shown);
    const isNew = shown.get(secondary) !== serial;
    shown.set(secondary, serial);
    const current = this.#zones.get(apex);
    if (!current || !isNew || !hasReached(serial, current.serial)) return;
    const live = [...shown.values()].filter((one) => hasReached(one, current.serial)).length;
    this.#queue.live({ zone, serial: current.serial, live, of: this.#secondaries });
  }

  #nameOf(key: string, apex: Name): string {
    return this.#names.get(key) ?? formatName(apex).replace(/(?<=.)\.$/, "");
  }

  /** The source's name for a zone as a problem names it: the apex, or the source's own text. */
  #sourceName(zone: string): string {
    try {
      const apex = parseName(zone);
      return this.#nameOf(canonicalKey(apex), apex);
    } catch (error) {
      if (error instanceof ZonecastError) return zone; // a name that is none, as it stands there
      throw error;
    }
  }
}

/** Whether a server at the one serial has the other's version (RFC 1982). */
function hasReached(serial: Serial, wanted: Serial): boolean {
  const order = compareSerials(serial, wanted);
  return order === 0 || order === 1;
}
