/**
 * Differences at hand, so that no journal need be read.
 *
 * Owns: up to {@link MAX_CACHE_OCTETS} of them. Besides answers it keeps the
 * single steps just published, by reference, and joins a few small ones for a
 * client that is some versions behind.
 */
import type { Serial } from "../dns/mod.ts";
import { type Differences, soaSerial, type ZoneDiff } from "../zone/mod.ts";
import { octetsIn } from "./difference_size.ts";
import { OctetLru } from "./octet_lru.ts";

/** What the cache of all zones holds at most, in octets. */
export const MAX_CACHE_OCTETS = 64 * 1024 * 1024;

/** What an entry takes beside its records, in octets. */
const ENTRY_OCTETS = 500;

/** Steps joined at most, since it is done on the main thread: a millisecond of work. */
const MAX_JOINED_STEPS = 64;
/** Octets of records in steps joined at most; a single step may have more. */
const MAX_JOINED_OCTETS = 64 * 1024;

type Entry =
  | { readonly kind: "step"; readonly diff: ZoneDiff }
  | { readonly kind: "answer"; readonly answer: Differences };

/** Answers and steps of all zones. */
export class DifferenceCache {
  readonly #entries: OctetLru<Entry>;

  constructor(maxOctets: number = MAX_CACHE_OCTETS) {
    this.#entries = new OctetLru(maxOctets);
  }

  /** Keeps the step that was just published. */
  keepStep(apexKey: string, diff: ZoneDiff): void {
    const key = stepKey(apexKey, soaSerial(diff.fromSoa));
    this.#entries.set(key, { kind: "step", diff }, ENTRY_OCTETS + octetsIn([diff]));
  }

  /** Keeps the answer to a question. */
  keepAnswer(apexKey: string, from: Serial, to: Serial, answer: Differences): void {
    const octets = answer.kind === "kept" ? octetsIn(answer.sequences) : 0;
    this.#entries.set(
      answerKey(apexKey, from, to),
      { kind: "answer", answer },
      ENTRY_OCTETS + octets,
    );
  }

  answer(apexKey: string, from: Serial, to: Serial): Differences | undefined {
    const entry = this.#entries.get(answerKey(apexKey, from, to));
    return entry?.kind === "answer" ? entry.answer : undefined;
  }

  /** The steps from one serial to another, if all are at hand and few enough to be joined. */
  steps(apexKey: string, from: Serial, to: Serial): ZoneDiff[] | undefined {
    const steps: ZoneDiff[] = [];
    for (let at = from; at !== to;) {
      const entry = this.#entries.get(stepKey(apexKey, at));
      if (entry?.kind !== "step") return undefined;
      steps.push(entry.diff);
      if (steps.length > MAX_JOINED_STEPS) return undefined;
      at = soaSerial(entry.diff.toSoa);
    }
    return steps.length <= 1 || octetsIn(steps) <= MAX_JOINED_OCTETS ? steps : undefined;
  }

  /** Forgets a zone. */
  forget(apexKey: string): void {
    for (const key of [...this.#entries.keys()]) {
      if (key.endsWith(` ${apexKey}`)) this.#entries.delete(key);
    }
  }
}

function stepKey(apexKey: string, from: Serial): string {
  return `${from} ${apexKey}`;
}

function answerKey(apexKey: string, from: Serial, to: Serial): string {
  return `${from}-${to} ${apexKey}`;
}
