/**
 * The journal for the status page, read by a connection of its own: who looks there holds up
 * neither publishing nor a secondary's IXFR.
 *
 * Owns: a read-only store with its worker, while somebody looks.
 */
import type { Name } from "../../dns/mod.ts";
import { HttpError } from "../../ops/mod.ts";
import { type JournalEntry, openStateFile, type StateStore } from "../../store/mod.ts";
import type { ZoneDiff } from "../../zone/mod.ts";

/** Versions listed. */
const LISTED = 200;
/** Octets of a difference that is shown: some ten thousand records. */
const MAX_SHOWN_OCTETS = 1024 * 1024;
/** The store is closed when nobody has asked for so long, ms. */
const IDLE_MS = 30_000;
/** Questions at a time; the worker answers them one by one. */
const MAX_ASKED = 8;

export class PageJournal {
  readonly #path: string;
  #store: Promise<StateStore> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The newest versions of a zone, oldest first.
   *
   * @throws {HttpError} 503: too many ask
   * @throws {StateError} the file cannot be read
   */
  log(apex: Name): Promise<readonly JournalEntry[]> {
    return this.#ask((store) => store.journal(apex, LISTED));
  }

  /**
   * What changed from one version of the list to the next.
   *
   * @throws {HttpError} 404: it is not in the list; 503: too many ask, or it is too large
   * @throws {StateError} the file cannot be read
   */
  async step(apex: Name, to: number): Promise<ZoneDiff> {
    const entry = (await this.log(apex)).findLast(({ toSerial }) => toSerial === to);
    if (!entry) throw new HttpError(404, "the journal has no such version any more");
    if (entry.octets > MAX_SHOWN_OCTETS) {
      throw new HttpError(503, "this difference is too large to show: see `zonecast diff`");
    }
    const { fromSerial, toSerial } = entry;
    const diffs = await this.#ask((store) => store.differences(apex, fromSerial, toSerial));
    if (diffs?.length !== 1) throw new HttpError(404, "the journal has no such version any more");
    return diffs[0];
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#leave();
  }

  async #ask<T>(question: (store: StateStore) => Promise<T>): Promise<T> {
    if (this.#closed || this.#asked >= MAX_ASKED) throw new HttpError(503, "try again in a moment");
    this.#asked++;
    let idleMs = IDLE_MS;
    try {
      this.#store ??= openStateFile(this.#path, { readOnly: true, report: () => {} });
      return await question(await this.#store);
    } catch (error) {
      idleMs = 0; // the next question gets a new worker
      throw error;
    } finally {
      clearTimeout(this.#timer);
      if (--this.#asked === 0) this.#timer = setTimeout(() => this.#leave(), idleMs);
    }
  }

  async #leave(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const store = this.#store;
    this.#store = undefined;
    try {
      await (await store)?.close();
    } catch {
      // It could not be opened, which whoever asked was told.
    }
  }
}
