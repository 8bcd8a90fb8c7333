/**
 * Differences at hand, so that no journal need be read.
 *
 * Owns: up to {@link MAX_CACHE_OCTETS} of them. Besides answers it keeps the
 * single steps just published, by reference, and joins a few small ones for a
 * client that is some versions behind. What no question can lead to any more goes
 * at once: answers that end at an earlier version, steps too far back to be joined.
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
/** Answers kept of a zone: clients at so many different serials. */
const MAX_ANSWERS = 64;

type Entry =
  | { readonly kind: "step"; readonly diff: ZoneDiff }
  | { readonly kind: "answer"; readonly answer: Differences };

/** Keys of a zone's entries; the cache may have dropped some. */
interface ZoneKeys {
  /** From the oldest on. */
  readonly steps: { readonly key: string; readonly octets: number }[];
  readonly answers: Set<string>;
}

/** Answers and steps of all zones. */
export class DifferenceCache {
  readonly #entries: OctetLru<Entry>;
  readonly #zones = new Map<string, ZoneKeys>();

  constructor(maxOctets: number = MAX_CACHE_OCTETS) {
    this.#entries = new OctetLru(maxOctets);
  }

  /** Octets held. */
  get octets(): number {
    return this.#entries.octets;
  }

  /** Keeps the step that was just published. */
  keepStep(apexKey: string, diff: ZoneDiff): void {
    const { steps, answers } = this.#keysOf(apexKey);
    for (const key of answers) this.#entries.delete(key);
    answers.clear();
    const key = stepKey(apexKey, soaSerial(diff.fromSoa));
    const octets = octetsIn([diff]);
    this.#entries.set(key, { kind: "step", diff }, ENTRY_OCTETS + octets);
    steps.push({ key, octets });
    let joined = steps.reduce((sum, { octets }) => sum + octets, 0);
    while (steps.length > MAX_JOINED_STEPS || (steps.length > 1 && joined > MAX_JOINED_OCTETS)) {
      const oldest = steps.shift()!;
      joined -= oldest.octets;
      this.#entries.delete(oldest.key);
    }
  }

  /** Keeps the answer to a question. */
  keepAnswer(apexKey: string, from: Serial, to: Serial, answer: Differences): void {
    const { answers } = this.#keysOf(apexKey);
    const key = answerKey(apexKey, from, to);
    const octets = answer.kind === "kept" ? octetsIn(answer.sequences) : 0;
    this.#entries.set(key, { kind: "answer", answer }, ENTRY_OCTETS + octets);
    answers.add(key);
    if (answers.size <= MAX_ANSWERS) return;
    const [oldest] = answers;
    answers.delete(oldest);
    this.#entries.delete(oldest);
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
    const keys = this.#zones.get(apexKey);
    if (!keys) return;
    for (const { key } of keys.steps) this.#entries.delete(key);
    for (const key of keys.answers) this.#entries.delete(key);
    this.#zones.delete(apexKey);
  }

  #keysOf(apexKey: string): ZoneKeys {
    let keys = this.#zones.get(apexKey);
    if (!keys) this.#zones.set(apexKey, keys = { steps: [], answers: new Set() });
    return keys;
  }
}

function stepKey(apexKey: string, from: Serial): string {
  return `${from} ${apexKey}`;
}

function answerKey(apexKey: string, from: Serial, to: Serial): string {
  return `${from}-${to} ${apexKey}`;
}
