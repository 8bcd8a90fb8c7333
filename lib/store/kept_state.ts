/**
 * What a state file was last given to keep, in memory: enough to fill another.
 *
 * Owns: references to versions that are served anyway, and little beside. The
 * journal is not among it.
 */
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
  #cursor: string | undefined;
  #pending: PendingOwners = new Map();

  /** Takes what a file holds. */
  take({ zones, cursor, pending, guard }: StoredState): void {
    for (const zone of zones) this.#zones.set(zone.version.apexKey, zone);
    this.#cursor = cursor;
    this.#pending = pending;
    this.noted(guard);
  }

  published(publications: readonly Publication[], progress: Progress | undefined): void {
    for (const { version, publishedAt } of publications) {
      this.#zones.set(version.apexKey, { version, publishedAt });
    }
    if (progress) this.progressed(progress);
  }

  progressed({ cursor, pending, guard = [] }: Progress): void {
    this.#cursor = cursor;
    this.#pending = pending ?? this.#pending;
    this.noted(guard);
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
    return { cursor: this.#cursor, pending: this.#pending };
  }
}
