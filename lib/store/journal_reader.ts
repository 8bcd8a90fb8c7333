/**
 * Differences for IXFR, from the journal in the state file.
 *
 * Owns: a worker with its own read-only connection, and a cache. What was just
 * published is answered without the worker. Specs: RFC 1995 §6 (condensation),
 * RFC 1982 (serials).
 *
 * Limitation: the worker answers one question at a time, so one that condenses
 * a very long journal makes others wait, at most {@link DEADLINE_MS}; then they
 * are sent the zone.
 */
import { canonicalKey, compareSerials, formatName, type Name, type Serial } from "../dns/mod.ts";
import {
  condense,
  type DifferenceReader,
  type Differences,
  DiffError,
  equalRecords,
  soaSerial,
  type ZoneDiff,
  type ZoneVersion,
} from "../zone/mod.ts";
import { DifferenceCache } from "./difference_cache.ts";
import { tooLarge } from "./difference_size.ts";
import { errorFromFields, reportToConsole, type StateError, toStateError } from "./errors.ts";
import { JournalLink } from "./journal_link.ts";
import type { BrokenPart, DifferenceAnswer } from "./journal_protocol.ts";
import { realStatePath } from "./path.ts";
import { zoneDiff } from "./publication.ts";
import type { Publication } from "./state_store.ts";

/** A client does not wait longer than this for the journal, in ms: it gets the zone instead. */
const DEADLINE_MS = 10_000;

/** How differences are read. */
export interface JournalReaderOptions {
  /** Whether several differences are put together into one. */
  readonly condense: boolean;
  /** Told of a worker that died and, without {@link repair}, of a broken journal; the console by default. */
  readonly report?: (problem: StateError) => void;
  /**
   * Called when a zone's journal is found broken: should mend it or drop what is,
   * and say so; {@link StateStore.repairJournal}.
   */
  readonly repair?: (apex: Name) => Promise<void>;
  /** Starts the worker; by default the one that reads journals. */
  readonly startWorker?: () => Worker;
  /** A worker that died is not started again sooner; 1 s by default. */
  readonly restartPauseMs?: number;
  /** A client does not wait longer; 10 s by default. */
  readonly deadlineMs?: number;
}

/** Differences from a state file. */
export interface JournalReader extends DifferenceReader {
  /**
   * To be called right after a publication is durable: its difference is at hand
   * from then on. One without a difference makes the reader forget the zone.
   */
  note(publication: Pick<Publication, "version" | "diff">): void;
  /** Forgets a zone that is served no more. */
  forget(apex: Name): void;
  /** Ends the worker; to be called before the state file is closed. */
  close(): Promise<void>;
}

/**
 * Reads the journals in a state file, which another part of this process may
 * have open for writing.
 *
 * @param path  the file; one that cannot be opened gives no differences
 * @throws {StateError} "state-unopenable": its directory does not exist
 */
export function openJournalReader(path: string, options: JournalReaderOptions): JournalReader {
  return new StateJournalReader(realStatePath(path), options);
}

class StateJournalReader implements JournalReader {
  readonly #path: string;
  readonly #options: JournalReaderOptions;
  readonly #report: (problem: StateError) => void;
  readonly #link: JournalLink;
  readonly #cache = new DifferenceCache();
  /** Questions the worker has, so that the same one is asked once. */
  readonly #asked = new Map<string, Promise<Differences>>();
  /** What was last found broken in a zone, and not mended since. */
  readonly #broken = new Map<string, BrokenPart>();

  constructor(path: string, options: JournalReaderOptions) {
    this.#path = path;
    this.#options = options;
    this.#report = options.report ?? reportToConsole;
    this.#link = new JournalLink({ ...options, path, report: this.#report });
  }

  note({ version, diff }: Pick<Publication, "version" | "diff">): void {
    if (diff) this.#cache.keepStep(version.apexKey, diff);
    else this.#cache.forget(version.apexKey);
  }

  forget(apex: Name): void {
    const apexKey = canonicalKey(apex);
    this.#cache.forget(apexKey);
    this.#broken.delete(apexKey);
  }

  differences(version: ZoneVersion, from: Serial): Promise<Differences> {
    const known = this.#known(version, from);
    return known ? Promise.resolve(known) : this.#inTime(this.#ask(version, from));
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  /** What can be said without the worker. */
  #known(version: ZoneVersion, from: Serial): Differences | undefined {
    const { apexKey, serial } = version;
    const order = compareSerials(from, serial);
    if (order !== -1) return none(whyNotBehind(order, from, serial));
    const answer = this.#cache.answer(apexKey, from, serial);
    if (answer && (answer.kind === "none" || leads(answer.sequences, from, version))) return answer;
    const steps = this.#cache.steps(apexKey, from, serial);
    if (!steps || !leads(steps, from, version)) return undefined;
    try {
      const sequences = this.#options.condense ? [condense(steps)] : steps;
      return this.#keep(version, from, judged(sequences, version));
    } catch (error) {
      if (error instanceof DiffError) return undefined; // the journal is asked, and says what is wrong
      throw error;
    }
  }

  #ask(version: ZoneVersion, fromSerial: Serial): Promise<Differences> {
    const { apexKey, serial: toSerial, wireOctets: zoneOctets } = version;
    const question = `${fromSerial}-${toSerial} ${apexKey}`;
    let asked = this.#asked.get(question);
    if (!asked) {
      asked = this.#link.ask({ apexKey, fromSerial, toSerial, zoneOctets })
        .then((answer) => this.#take(version, fromSerial, answer))
        .catch((error) => this.#failed(error))
        .finally(() => this.#asked.delete(question));
      this.#asked.set(question, asked);
    }
    return asked;
  }

  /** The worker's answer as the client's. */
  #take(version: ZoneVersion, from: Serial, answer: DifferenceAnswer): Differences {
    switch (answer.kind) {
      case "none":
        return this.#keep(version, from, answer);
      case "failed":
        return none(errorFromFields(answer.error).message);
      case "broken":
        this.#foundBroken(version, answer.at, errorFromFields(answer.error));
        return none(answer.error.message);
      case "kept": {
        const sequences = answer.sequences.map(zoneDiff);
        if (leads(sequences, from, version)) {
          return this.#keep(version, from, { kind: "kept", sequences });
        }
        return none(
          `the journal does not lead from serial ${from} to the SOA of ${version.serial}`,
        );
      }
    }
  }

  /** Our own mistake, whatever it is, must cost no more than an AXFR. */
  #failed(error: unknown): Differences {
    const problem = toStateError(error, this.#path, "read the journal in");
    this.#report(problem);
    return none(problem.message);
  }

  #keep(version: ZoneVersion, from: Serial, answer: Differences): Differences {
    this.#cache.keepAnswer(version.apexKey, from, version.serial, answer);
    return answer;
  }

  /** Has a broken journal repaired, or at least told of, once for each row; and its index. */
  #foundBroken({ apex, apexKey }: ZoneVersion, at: BrokenPart, problem: StateError): void {
    if (this.#broken.has(apexKey) && this.#broken.get(apexKey) === at) return;
    this.#broken.set(apexKey, at);
    const { repair } = this.#options;
    if (!repair || at === undefined) return this.#report(problem);
    repair(apex).then(
      // An index that was mended may be damaged again; a row that was dropped does not come back.
      () => at === "index" && this.#broken.delete(apexKey),
      (error) => {
        const doing = `repair the journal of ${formatName(apex)} in`;
        this.#report(toStateError(error, this.#path, doing));
      },
    );
  }

  /** The answer, or after the deadline that there is none. */
  #inTime(asked: Promise<Differences>): Promise<Differences> {
    const { deadlineMs = DEADLINE_MS } = this.#options;
    return new Promise((resolve) => {
      const late = none(`reading the journal takes longer than ${deadlineMs} ms`);
      const timer = setTimeout(() => resolve(late), deadlineMs);
      asked.then(resolve).finally(() => clearTimeout(timer));
    });
  }
}

function none(reason: string): Differences {
  return { kind: "none", reason };
}

function whyNotBehind(order: 0 | 1 | undefined, from: Serial, serial: Serial): string {
  if (order === 0) return `serial ${from} is the zone's own`;
  if (order === 1) return `serial ${from} is ahead of ${serial}`;
  return `serial ${from} cannot be compared with ${serial} (RFC 1982)`;
}

/** The answer, unless it would be larger than the zone. */
function judged(sequences: readonly ZoneDiff[], version: ZoneVersion): Differences {
  const reason = tooLarge(sequences, version.wireOctets);
  return reason === undefined ? { kind: "kept", sequences } : none(reason);
}

/** Whether differences begin at a serial and end at exactly this version. */
function leads(sequences: readonly ZoneDiff[], from: Serial, version: ZoneVersion): boolean {
  if (sequences.length === 0) return false;
  return soaSerial(sequences[0].fromSoa) === from &&
    equalRecords(sequences[sequences.length - 1].toSoa, version.soa);
}
