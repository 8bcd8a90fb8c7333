/**
 * How far a command has come, drawn over again on a line of standard error; only on a terminal,
 * and only once it has taken a while.
 *
 * Owns: the line, until {@link Progress.end}.
 */
import { escapeControls } from "../ops/mod.ts";
import type { Context } from "./command.ts";

/** A command that is done sooner shows none, ms. */
const SHOW_AFTER_MS = 500;
/** Time between two drawings, ms. */
const DRAW_EVERY_MS = 100;
/** Columns of the bar. */
const BAR_COLUMNS = 24;

export class Progress {
  readonly #context: Context;
  readonly #now: () => number;
  readonly #startedAt: number;
  #drawnAt = -Infinity;
  #isDrawn = false;

  constructor(context: Context, now: () => number = () => performance.now()) {
    this.#context = context;
    this.#now = now;
    this.#startedAt = now();
  }

  /**
   * Shows how far it is; most calls draw nothing.
   *
   * @param what  what is done: "ns1: questions"
   * @param total  undefined where the end is not known
   */
  show(what: string, done: number, total?: number): void {
    if (!this.#context.errIsTerminal) return;
    const now = this.#now();
    if (now - this.#startedAt < SHOW_AFTER_MS || now - this.#drawnAt < DRAW_EVERY_MS) return;
    this.#drawnAt = now;
    this.#isDrawn = true;
    this.#context.draw(`\r\x1b[K${progressLine(escapeControls(what), done, total)}`);
  }

  /**
   * Shows for how many seconds something has been waited for, which tells nothing of itself.
   *
   * @returns what the work gives
   */
  async during<T>(what: string, work: Promise<T>): Promise<T> {
    if (!this.#context.errIsTerminal) return await work;
    const from = this.#now();
    const draw = () => this.show(`${what}: seconds`, Math.round((this.#now() - from) / 1000));
    const timer = setInterval(draw, DRAW_EVERY_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.end();
    }
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isDrawn) this.#context.draw("\r\x1b[K");
    this.#isDrawn = false;
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** A line that shows how far something is. Pure. */
export function progressLine(what: string, done: number, total?: number): string {
  if (total === undefined || total === 0) return `${what} ${done}`;
  const part = Math.min(1, done / total);
  const filled = Math.round(part * BAR_COLUMNS);
  const bar = "#".repeat(filled) + ".".repeat(BAR_COLUMNS - filled);
  return `${what} [${bar}] ${Math.floor(part * 100)}% ${done}/${total}`;
}
