/**
 * Durations as an operator writes them: `100ms`, `2s`, `1h30m`. Pure.
 */
import { ZonecastError } from "../dns/mod.ts";

/** A text that is no duration or no size. */
export class UnitError extends ZonecastError {
  override readonly name = "UnitError";
}

/** Milliseconds of each unit, largest first. */
const UNIT_MS: readonly (readonly [unit: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** Longest duration taken: a hundred years; longer is a slip of the pen. */
const MAX_DURATION_MS = 36_525 * 86_400_000;

/** What a duration looks like, for messages. */
export const DURATION_TAKES = "a duration with its unit, such as 100ms, 2s or 1h30m";

/**
 * Milliseconds of a duration. Parts may follow one another, the largest unit
 * first; a part may have a fraction; `0` needs no unit.
 *
 * @returns whole milliseconds, rounded
 * @throws {UnitError} no duration, or more than a hundred years
 */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|[dhms])/gy)];
  const covered = parts.reduce((length, part) => length + part[0].length, 0);
  if (parts.length === 0 || covered !== text.length) {
    throw new UnitError(
      "duration-malformed",
      /^[0-9.]+$/.test(text) ? "it has no unit" : "it is no duration",
    );
  }
  let ms = 0;
  let previous = -1;
  for (const [, amount, unit] of parts) {
    const index = UNIT_MS.findIndex(([name]) => name === unit);
    if (index <= previous) {
      throw new UnitError("duration-order", "its units must stand from large to small, each once");
    }
    previous = index;
    ms += Number(amount) * UNIT_MS[index][1];
  }
  if (ms > MAX_DURATION_MS) throw new UnitError("duration-too-long", "it is over 100 years");
  return Math.round(ms);
}

/**
 * A duration in the form {@link parseDuration} reads; exact.
 *
 * @param ms  whole milliseconds, 0 or more
 */
export function formatDuration(ms: number): string {
  let text = "";
  for (const [unit, unitMs] of UNIT_MS) {
    const amount = Math.floor(ms / unitMs);
    if (amount > 0) text += `${amount}${unit}`;
    ms -= amount * unitMs;
  }
  return text || "0s";
}

/** An age for people: its two largest units, nothing below a second ("3d4h", "12s"). */
export function formatAge(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000)) * 1000;
  return formatDuration(whole).match(/^(?:[0-9]+[a-z]+){1,2}/)?.[0] ?? "0s";
}
