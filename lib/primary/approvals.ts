/**
 * Approvals of held content that are not used yet.
 *
 * One stands for an id, and ends when its zone is judged again: the content is
 * released, or it has become another and the approval came to nothing.
 *
 * Owns: the approvals; each is in the state file as long as it is here.
 */
import type { GuardNote, StateStore } from "../store/mod.ts";

/** What became of an approval. */
export interface Verdict {
  readonly zone: string;
  /** The id that was approved. */
  readonly id: string;
  /** The serial of the version it is in, of a removed zone the last; undefined: not released. */
  readonly serial: number | undefined;
  /** What is held of the zone now; undefined: nothing. */
  readonly held: string | undefined;
}

/** The end of an approval that somebody waits for. */
export interface AwaitedVerdict {
  /** What became of it; undefined when that is not known after so many ms. */
  within(waitMs: number): Promise<Verdict | undefined>;
}

export class Approvals {
  /** By apex key. */
  readonly #ids = new Map<string, string>();
  /** Those that the state file does not have yet. */
  readonly #fresh = new Set<string>();
  readonly #awaited = new Map<string, PromiseWithResolvers<Verdict>>();

  constructor(readonly store: Pick<StateStore, "keepGuard">) {}

  get size(): number {
    return this.#ids.size;
  }

  /** The approved id of a zone. */
  get(apexKey: string): string | undefined {
    return this.#ids.get(apexKey);
  }

  /** Takes one that the state file has. */
  restore(apexKey: string, id: string): void {
    this.#ids.set(apexKey, id);
  }

  /** Takes one that is durable elsewhere until {@link newNotes} are. */
  add(apexKey: string, id: string): void {
    this.#ids.set(apexKey, id);
    this.#fresh.add(apexKey);
  }

  /** Makes one durable, then takes it; the end of it can be waited for. */
  async approve(apexKey: string, id: string): Promise<AwaitedVerdict> {
    await this.store.keepGuard([{ apexKey, kind: "approved", value: id }]);
    this.#ids.set(apexKey, id);
    const awaited = this.#awaited.get(apexKey) ?? Promise.withResolvers<Verdict>();
    this.#awaited.set(apexKey, awaited);
    return {
      async within(waitMs) {
        const late = Promise.withResolvers<undefined>();
        const timer = setTimeout(() => late.resolve(undefined), waitMs);
        const verdict = await Promise.race([awaited.promise, late.promise]);
        clearTimeout(timer);
        return verdict;
      },
    };
  }

  /** What the state file is still to get, but for those that end with it. */
  newNotes(ended: ReadonlyMap<string, Verdict>): GuardNote[] {
    return [...this.#fresh].filter((apexKey) => !ended.has(apexKey)).map((apexKey) => ({
      apexKey,
      kind: "approved",
      value: this.#ids.get(apexKey),
    }));
  }

  /** The notes are in the state file. */
  kept(): void {
    this.#fresh.clear();
  }

  /** An approval has ended; one that came since then stays. */
  end(apexKey: string, verdict: Verdict): void {
    if (this.#ids.get(apexKey) !== verdict.id) return;
    this.#ids.delete(apexKey);
    this.#awaited.get(apexKey)?.resolve(verdict);
    this.#awaited.delete(apexKey);
  }
}
