/**
 * The state file as the main thread has it: every request goes to a worker.
 *
 * Owns: the worker and the lock on the file. The main thread opens no database
 * and waits for no disk.
 */
import { canonicalKey, type Name } from "../dns/mod.ts";
import { runSliced } from "../ops/mod.ts";
import { NOT_LISTED, type Page, type ZoneDiff, ZoneVersion } from "../zone/mod.ts";
import { errorFromFields, reportToConsole, StateError } from "./errors.ts";
import { JOURNAL_MAX_AGE_MS, type JournalBounds } from "./journal_bounds.ts";
import { lockStateFile, type StateLock } from "./lock.ts";
import { realStatePath } from "./path.ts";
import {
  type Answer,
  type Operation,
  type Operations,
  type Reply,
  type StateHead,
  type WireDiff,
} from "./protocol.ts";
import { wireCommit, wireProgress, zoneDiff } from "./publication.ts";
import { readSoa } from "./soa.ts";
import { problemBuffers } from "./wire_problems.ts";
import type {
  GuardNote,
  JournalEntry,
  JournalFigures,
  Progress,
  Publication,
  StateStore,
  StoredState,
} from "./state_store.ts";

/** How to open a state file. */
export interface StateFileOptions {
  /** For a command beside a running server: no lock, nothing is made or changed. */
  readonly readOnly?: boolean;
  /**
   * Octets each zone's journal may take in the file; by default as many as the
   * zone itself, and at least 10 MiB.
   */
  readonly journalMaxOctets?: number;
  /** Differences older than this go when their zone is next published, in ms; 30 days by default. */
  readonly journalMaxAgeMs?: number;
  /**
   * Told of what was found wrong and put right, such as a damaged journal;
   * written to the console by default.
   */
  readonly report?: (problem: StateError) => void;
}

/**
 * Opens a state file; makes it when it is not there and not read-only.
 *
 * @param path  its directory must exist
 * @throws {StateError} "state-in-use" when another server has it, "state-damaged"
 *   when {@link setAside} is called for, "state-newer", "state-foreign", …
 */
export async function openStateFile(
  path: string,
  options: StateFileOptions = {},
): Promise<StateStore> {
  const { readOnly = false, report = reportToConsole } = options;
  const { journalMaxOctets: maxOctets, journalMaxAgeMs: maxAgeMs = JOURNAL_MAX_AGE_MS } = options;
  const real = realStatePath(path);
  const lock = readOnly ? undefined : lockStateFile(real);
  const file = new StateFile(real, lock, report);
  try {
    await file.open(readOnly, { maxOctets, maxAgeMs });
    return file;
  } catch (error) {
    file.abandon();
    throw error;
  }
}

/** A request the worker has not answered yet. */
interface Pending {
  readonly pages: Page[][];
  resolve(answer: Answer): void;
  reject(error: StateError): void;
}

class StateFile implements StateStore {
  readonly #path: string;
  readonly #lock: StateLock | undefined;
  readonly #report: (problem: StateError) => void;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  /** Why nothing more can be asked; undefined while all is well. */
  #ended: StateError | undefined;

  constructor(path: string, lock: StateLock | undefined, report: (problem: StateError) => void) {
    this.#path = path;
    this.#lock = lock;
    this.#report = report;
    this.#worker = new Worker(new URL("./state_worker.ts", import.meta.url).href, {
      type: "module",
      name: "state",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // else it ends the process
      this.#end(this.#workerError(event.message));
    };
    this.#worker.onmessageerror = () => this.#end(this.#workerError("a message was unreadable"));
  }

  async open(readOnly: boolean, bounds: JournalBounds): Promise<void> {
    await this.#ask("open", { path: this.#path, readOnly, bounds });
  }

  /** Ends the worker, answered or not. */
  abandon(): void {
    this.#end(
      new StateError(
        "state-closed",
        `Cannot use state file "${this.#path}": it is closed`,
        this.#path,
      ),
    );
  }

  async load(): Promise<StoredState> {
    const pages: Page[][] = [];
    const head: StateHead = await this.#ask("load", undefined, [], pages);
    return {
      instance: head.instance,
      cursor: head.cursor,
      pending: head.pending,
      guard: head.guard,
      problems: head.problems && {
        problems: head.problems,
        isWhole: !head.problems.some(({ code }) => code === NOT_LISTED),
      },
      zones: head.zones.map(({ soa, publishedAt }, at) => ({
        version: new ZoneVersion(readSoa(soa), pages[at] ?? []),
        publishedAt,
      })),
    };
  }

  async publish(publications: readonly Publication[], progress?: Progress): Promise<void> {
    const commit = await runSliced(wireCommit(publications, progress));
    const buffers = problemBuffers(commit.progress?.problems);
    await this.#ask("publish", commit, [commit.buffer, ...buffers]);
  }

  async keepProgress(progress: Progress): Promise<void> {
    const steps = wireProgress(progress);
    const first = steps.next();
    // Without a pause it is asked at once: before what is asked next.
    const wire = first.done ? first.value : await runSliced(steps);
    await this.#ask("keepProgress", { progress: wire }, problemBuffers(wire.problems));
  }

  async keepGuard(notes: readonly GuardNote[]): Promise<void> {
    await this.#ask("keepGuard", { notes });
  }

  async removeZone(apex: Name): Promise<void> {
    await this.#ask("removeZone", { apexKey: canonicalKey(apex) });
  }

  async journalFigures(): Promise<JournalFigures> {
    return await this.#ask("journalFigures", undefined);
  }

  async journal(apex: Name, newest?: number): Promise<readonly JournalEntry[]> {
    return await this.#ask("journal", { apexKey: canonicalKey(apex), newest });
  }

  async differences(
    apex: Name,
    fromSerial: number,
    toSerial?: number,
  ): Promise<readonly ZoneDiff[] | undefined> {
    const apexKey = canonicalKey(apex);
    const diffs: readonly WireDiff[] | undefined = //
      await this.#ask("differences", { apexKey, fromSerial, toSerial });
    return diffs?.map(zoneDiff);
  }

  async repairJournal(apex: Name): Promise<void> {
    await this.#ask("repairJournal", { apexKey: canonicalKey(apex) });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#ask("close", undefined);
    } finally {
      this.abandon();
    }
  }

  #ask<O extends Operation>(
    op: O,
    body: Operations[O]["request"],
    transfer: ArrayBufferLike[] = [],
    pages: Page[][] = [],
  ): Promise<Operations[O]["answer"]> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // The answer to a request is that of its operation: the worker keeps the pairs.
      const take = resolve as (answer: Answer) => void;
      this.#pending.set(id, { pages, resolve: take, reject });
      this.#worker.postMessage({ id, op, body }, transfer as ArrayBuffer[]);
    });
  }

  #receive(reply: Reply): void {
    if (reply.kind === "problem") return this.#report(errorFromFields(reply.error));
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if (reply.kind === "pages") {
      const { zone, pages } = reply.batch;
      (pending.pages[zone] ??= []).push(...pages);
      return;
    }
    this.#pending.delete(reply.id);
    if (reply.kind === "done") pending.resolve(reply.answer);
    else pending.reject(errorFromFields(reply.error));
  }

  #end(error: StateError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
    this.#lock?.release();
  }

  #workerError(what: string): StateError {
    return new StateError(
      "state-worker",
      `The worker of state file "${this.#path}" ended: ${what}`,
      this.#path,
      "restart zonecast; please report this",
    );
  }
}
