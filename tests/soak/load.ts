/**
 * One kind of load of the soak, paced: a soak shows what comes with time, not what a machine can
 * take, and leaves it some of its time.
 */
import { sleep } from "../support/wait.ts";

/** Something that happens again and again. */
export interface Load {
  readonly name: string;
  /** From one turn's begin to the next one's; a machine too slow for that makes fewer. */
  readonly everyMs: number;
  /** @throws what the soak then reports as found */
  turn(): Promise<void>;
  /** What it came to, for the report. */
  summary(): string;
  close?(): void;
}

/** As many findings of one load are kept; the others are counted. */
const KEPT = 5;

/** What went wrong, by load. */
export class Findings {
  readonly #found = new Map<string, { count: number; first: string[] }>();

  constructor(readonly startedAt: number) {}

  add(where: string, what: unknown): void {
    const found = this.#found.get(where) ?? { count: 0, first: [] };
    this.#found.set(where, found);
    if (found.count++ >= KEPT) return;
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(0);
    const text = what instanceof Error ? Deno.inspect(what) : String(what);
    found.first.push(`after ${seconds} s: ${text}`);
  }

  get count(): number {
    return this.#found.values().reduce((sum, { count }) => sum + count, 0);
  }

  /** As printed; empty when nothing was found. */
  text(): string {
    return [...this.#found].map(([where, { count, first }]) =>
      `${where}: ${count} found\n${first.map((each) => `  ${each}\n`).join("")}`
    ).join("");
  }
}

/** Of the time between two turns, what stays free even when a turn takes long. */
const FREE_SHARE = 0.3;

/** Makes one turn after another until `isOver`; what one throws is noted, and the next made. */
export async function runLoad(
  load: Load,
  isOver: () => boolean,
  findings: Findings,
): Promise<void> {
  try {
    while (!isOver()) {
      const began = performance.now();
      await load.turn().catch((error) => findings.add(load.name, error));
      const left = load.everyMs - (performance.now() - began);
      await untilOver(isOver, Math.max(left, load.everyMs * FREE_SHARE));
    }
  } finally {
    load.close?.();
  }
}

/** Waits, but not beyond the end. */
export async function untilOver(isOver: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0 && !isOver(); left = end - performance.now()) {
    await sleep(Math.min(left, 500));
  }
}
