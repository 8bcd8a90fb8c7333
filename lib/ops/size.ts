/**
 * Sizes as an operator writes them: `10MiB`, `500kB`, `4096`. Pure.
 */
import { UnitError } from "./duration.ts";

/** Octets of each unit, in lower case (IEC 80000-13: KiB is 1024, kB is 1000). */
const UNIT_OCTETS = new Map([
  ["", 1],
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["kib", 1024],
  ["mib", 1024 ** 2],
  ["gib", 1024 ** 3],
  ["tib", 1024 ** 4],
]);

/** What a size looks like, for messages. */
export const SIZE_TAKES = "a size such as 10MiB, 500kB or 4096 (octets)";

/**
 * Octets of a size.
 *
 * @returns a whole number, rounded
 * @throws {UnitError} no size, or more than can be counted exactly
 */
export function parseSize(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([A-Za-z]*)$/.exec(text);
  if (!match) throw new UnitError("size-malformed", "it is no size");
  const unit = UNIT_OCTETS.get(match[2].toLowerCase());
  if (unit === undefined) {
    throw new UnitError("size-unit", `"${match[2]}" is no unit of size`);
  }
  const octets = Math.round(Number(match[1]) * unit);
  if (!Number.isSafeInteger(octets)) throw new UnitError("size-too-large", "it is too large");
  return octets;
}

/** A size for people, in the largest unit that leaves at least 1: `1.5 MiB`. */
export function formatSize(octets: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  while (octets >= 1024 && index < units.length - 1) {
    octets /= 1024;
    index++;
  }
  return `${Number(octets.toFixed(octets < 10 ? 1 : 0))} ${units[index]}`;
}
