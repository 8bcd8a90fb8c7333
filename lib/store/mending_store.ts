/**
 * A state file that a server lives with, whatever becomes of it: one that cannot
 * be written is served from and tried again, one that is damaged is set aside, one
 * that is gone is written again from memory.
 *
 * Owns: the open file, and what was kept last: versions that are served anyway.
 * Nothing counts as kept before it is in a file; a write that fails is the
 * caller's to repeat.
 *
 * Limitation: the journal is lost with a file that is damaged or gone.
 */
import { canonicalKey, type Name } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import type { ZoneDiff } from "../zone/mod.ts";
import { StateError } from "./errors.ts";
import { KeptState } from "./kept_state.ts";
import { hasContent, isThere } from "./path.ts";
import { setAside } from "./set_aside.ts";
import { readStateCopy } from "./state_copy.ts";
import { openStateFile, type StateFileOptions } from "./state_file.ts";
import type {
  GuardNote,
  JournalEntry,
  JournalFigures,
  Progress,
  Publication,
  StateStore,
  StateTrouble,
  StoredState,
} from "./state_store.ts";

/** A file that cannot be opened is tried again after this, in ms. */
const RETRY_MS = 5_000;

/** How to open one. */
export interface MendingStoreOptions extends Omit<StateFileOptions, "readOnly"> {
  readonly log: Logger;
  /** A directory for a copy of a file that cannot be written, beside the system's temporary one. */
  readonly spare?: string;
  /** How long after a failure the file is tried again, in ms; 5 s by default. */
  readonly retryMs?: number;
}

/**
 * Opens a state file for as long as a server runs.
 *
 * @throws {StateError} there is no file and none can be made, another server has
 *   it, a newer zonecast or another program wrote it
 */
export async function openMendingStore(
  path: string,
  options: MendingStoreOptions,
): Promise<{ store: StateStore; state: StoredState }> {
  const store = new MendingStore(path, options);
  return { store, state: await store.start() };
}

class MendingStore implements StateStore {
  readonly #path: string;
  readonly #options: MendingStoreOptions;
  readonly #kept = new KeptState();
  #file: StateStore | undefined;
  #trouble: StateTrouble | undefined;
  /** Whether the next file is to be filled with what was kept last. */
  #isLost = false;
  #opening: Promise<StateStore> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(path: string, options: MendingStoreOptions) {
    this.#path = path;
    this.#options = options;
  }

  get trouble(): StateTrouble | undefined {
    return this.#trouble;
  }

  /** The state as it was kept last, with the file open, or else tried again from now on. */
  async start(): Promise<StoredState> {
    const { log } = this.#options;
    const state = await this.#firstState();
    this.#kept.take(state);
    if (this.#trouble) {
      const { error } = this.#trouble;
      log.error("the state file cannot be written: what it holds is served, nothing is published", {
        error: error.message,
        hint: error.hint,
      });
      this.#tryLater();
    }
    return state;
  }

  async #firstState(): Promise<StoredState> {
    try {
      return await this.#openAndLoad();
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      if (error.code === "state-damaged") {
        const kept = setAside(this.#path);
        this.#options.log.error("the state file is damaged; a new one is begun", { error, kept });
        return await this.#openAndLoad();
      }
      if (!UNWRITABLE.has(error.code) || !await hasContent(this.#path)) throw error;
      const state = await readStateCopy(this.#path, [undefined, this.#options.spare]);
      this.#trouble = { since: Date.now(), error };
      return state;
    }
  }

  async #openAndLoad(): Promise<StoredState> {
    const file = await openStateFile(this.#path, this.#options);
    try {
      const state = await file.load();
      this.#file = file;
      return state;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  load(): Promise<StoredState> {
    return this.#open.load();
  }

  async publish(publications: readonly Publication[], progress?: Progress): Promise<void> {
    await this.#write((file) => file.publish(publications, progress));
    this.#kept.published(publications, progress);
  }

  async keepProgress(progress: Progress): Promise<void> {
    await this.#write((file) => file.keepProgress(progress));
    this.#kept.progressed(progress);
  }

  async keepGuard(notes: readonly GuardNote[]): Promise<void> {
    await this.#write((file) => file.keepGuard(notes));
    this.#kept.noted(notes);
  }

  async removeZone(apex: Name): Promise<void> {
    await this.#write((file) => file.removeZone(apex));
    this.#kept.removed(canonicalKey(apex));
  }

  async journal(apex: Name, newest?: number): Promise<readonly JournalEntry[]> {
    return await this.#open.journal(apex, newest);
  }

  async journalFigures(): Promise<JournalFigures> {
    return await this.#open.journalFigures();
  }

  async differences(
    apex: Name,
    fromSerial: number,
    toSerial?: number,
  ): Promise<readonly ZoneDiff[] | undefined> {
    return await this.#open.differences(apex, fromSerial, toSerial);
  }

  async repairJournal(apex: Name): Promise<void> {
    await this.#open.repairJournal(apex);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#opening?.catch(() => {}); // told when it was tried
    await this.#file?.close();
  }

  /** The open file. @throws {StateError} why it is not open */
  get #open(): StateStore {
    if (this.#file) return this.#file;
    throw this.#trouble?.error ?? closed(this.#path);
  }

  async #write(work: (file: StateStore) => Promise<void>): Promise<void> {
    const file = this.#file ?? await this.#reopen();
    try {
      await work(file);
    } catch (error) {
      if (!(error instanceof StateError) || !await this.#canDoWithout(error)) throw error;
      await this.#giveUp(file, error);
      await work(await this.#reopen());
    }
  }

  /** Whether a file with this error is of no more use, and another may take its place. */
  async #canDoWithout({ code }: StateError): Promise<boolean> {
    if (this.#closed) return false;
    // Another file in its place is somebody's decision: not to be written over.
    if (code === "state-moved") return !await isThere(this.#path);
    return code === "state-damaged" || code === "state-worker";
  }

  /** Lets go of a file; what was kept last goes into the next one. */
  async #giveUp(file: StateStore, error: StateError): Promise<void> {
    const { log } = this.#options;
    if (this.#file !== file) return; // another request has done so
    this.#file = undefined;
    this.#trouble = { since: Date.now(), error };
    try {
      await file.close();
    } catch (failure) {
      log.debug("the state file did not close well", { error: String(failure) });
    }
    if (error.code === "state-worker") {
      log.error("the state file is opened anew", { error: error.message });
      return;
    }
    this.#isLost = true;
    if (error.code === "state-moved") {
      log.error("the state file was removed while open; it is written again from memory", {
        state: this.#path,
        hint: "its journal is lost: secondaries that are behind get whole zones",
      });
      return;
    }
    const kept = setAside(this.#path);
    log.error("the state file is damaged; a new one is written from memory", { error, kept });
  }

  /** Opens the file, once however many ask. @throws {StateError} */
  #reopen(): Promise<StateStore> {
    if (this.#closed) return Promise.reject(closed(this.#path));
    this.#opening ??= this.#tryToOpen().finally(() => this.#opening = undefined);
    return this.#opening;
  }

  async #tryToOpen(): Promise<StateStore> {
    clearTimeout(this.#retry);
    try {
      if (!await isThere(this.#path)) this.#isLost = true;
      const file = await openStateFile(this.#path, this.#options);
      try {
        await this.#fill(file, await file.load());
      } catch (error) {
        await file.close();
        throw error;
      }
      this.#file = file;
      this.#isLost = false;
      const since = this.#trouble?.since ?? Date.now();
      this.#trouble = undefined;
      this.#options.log.info("the state file is open for writing again", {
        afterMs: Math.max(0, Date.now() - since),
      });
      return file;
    } catch (error) {
      if (error instanceof StateError) {
        this.#trouble = { since: this.#trouble?.since ?? Date.now(), error };
      }
      this.#tryLater();
      throw error;
    }
  }

  /** Makes sure that a file holds what was kept last. */
  async #fill(file: StateStore, found: StoredState): Promise<void> {
    const kept = this.#kept;
    if (this.#isLost ? found.zones.length > 0 : !kept.isIn(found)) throw otherState(this.#path);
    if (!this.#isLost) return;
    const { publications, progress, guard } = kept;
    if (publications.length > 0) await file.publish(publications, progress);
    else if (progress) await file.keepProgress(progress);
    if (guard.length > 0) await file.keepGuard(guard);
  }

  #tryLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#reopen().catch(() => {}); // its trouble is told by status, and by what needs the file
    }, this.#options.retryMs ?? RETRY_MS);
  }
}

/** What may be wrong with a file that can still be read. */
const UNWRITABLE: ReadonlySet<string> = new Set([
  "state-disk-full",
  "state-read-only",
  "state-io",
  "state-unopenable",
]);

function closed(path: string): StateError {
  return new StateError("state-closed", `Cannot use state file "${path}": it is closed`, path);
}

function otherState(path: string): StateError {
  return new StateError(
    "state-moved",
    `Cannot write to state file "${path}": another one has taken its place`,
    path,
    "restart zonecast to go on from it, or remove it: it is then written again from memory",
  );
}
