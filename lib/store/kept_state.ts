/**
 * What a state file was last given to keep, in memory: enough to fill another.
 *
 * Owns: references to versions that are served anyway, and little beside. The
 * journal is not among it.
 */
import { identityOf, type KnownProblem } from "../zone/mod.ts";
import type {
  GuardNote,
  PendingOwners,
  Progress,
  Publication,
  StoredState,
  StoredZone,
} from "./state_store.ts";

export class KeptState {
  /** By apex key. */
  readonly #zones = new Map<string, StoredZone>();
  /** By kind and apex key. */
  readonly #guard = new Map<string, GuardNote>();
  #instance: string | undefined;
  #cursor: string | undefined;
  #pending: PendingOwners = new Map();
  /** By identity; undefined where they are not known. */
  #problems: Map<number, KnownProblem> | undefined;

  /** Takes what a file holds. */
  take({ instance, zones, cursor, pending, guard, problems }: StoredState): void {
    this.#instance = instance;
    for (const zone of zones) this.#zones.set(zone.version.apexKey, zone);
    this.#cursor = cursor;
    this.#pending = pending;
    this.noted(guard);
    this.#problems = problems && new Map(problems.problems.map((one) => [identityOf(one), one]));
  }

  published(publications: readonly Publication[], progress: Progress | undefined): void {
    for (const { version, publishedAt } of publications) {
      this.#zones.set(version.apexKey, { version, publishedAt });
    }
    if (progress) this.progressed(progress);
  }

  progressed({ cursor, pending, guard = [], problems }: Progress): void {
    this.#cursor = cursor;
    this.#pending = pending ?? this.#pending;
    this.noted(guard);
    if (!problems) return;
    this.#problems ??= new Map();
    for (const identity of problems.gone.keys()) this.#problems.delete(identity);
    for (const [identity, problem] of problems.put) this.#problems.set(identity, problem);
  }

  noted(notes: readonly GuardNote[]): void {
    for (const note of notes) {
      const key = `${note.kind} ${note.apexKey}`;
      if (note.value === undefined) this.#guard.delete(key);
      else this.#guard.set(key, note);
    }
  }

  removed(apexKey: string): void {
    this.#zones.delete(apexKey);
    for (const [key, note] of this.#guard) if (note.apexKey === apexKey) this.#guard.delete(key);
  }

  /** Whether a file holds the same versions, and was read as far. */
  isIn({ zones, cursor }: StoredState): boolean {
    return cursor === this.#cursor && zones.length === this.#zones.size &&
      zones.every(({ version: { apexKey, serial } }) =>
        this.#zones.get(apexKey)?.version.serial === serial
      );
  }

  /** All zones, as first versions for an empty file. */
  get publications(): Publication[] {
    return [...this.#zones.values()].map(({ version, publishedAt }) => ({
      version,
      previous: undefined,
      diff: undefined,
      cause: "start",
      publishedAt,
    }));
  }

  get guard(): GuardNote[] {
    return [...this.#guard.values()];
  }

  /** Undefined where the source was never read. */
  get progress(): Progress | undefined {
    if (this.#cursor === undefined) return undefined;
    const problems = this.#problems && { put: this.#problems, gone: new Map() };
    return { cursor: this.#cursor, pending: this.#pending, problems, instance: this.#instance };
  }
}
