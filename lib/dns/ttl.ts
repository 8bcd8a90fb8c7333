/**
 * TTLs and other periods in presentation format: seconds, or units (1h30m).
 *
 * Pure. Specs: RFC 2181 §8 (0 to 2^31 - 1); the units are BIND's, understood by
 * every common server.
 */
import { ZonecastError } from "./errors.ts";
import { MAX_TTL } from "./record.ts";

/** A text that is no TTL. */
export class TtlError extends ZonecastError {
  override readonly name = "TtlError";
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  w: 604_800,
  d: 86_400,
  h: 3_600,
  m: 60,
  s: 1,
};

const ALL_DIGITS = /^[0-9]+$/;
const WITH_UNITS = /^(?:[0-9]+[wdhms])+$/i;

/** Whether a text has the form of a period; its range is not looked at. */
export function looksLikePeriod(text: string): boolean {
  return ALL_DIGITS.test(text) || WITH_UNITS.test(text);
}

/**
 * Seconds of a period, or undefined when the text does not have its form.
 *
 * @returns a whole number that may exceed any range; check it
 */
export function periodSeconds(text: string): number | undefined {
  if (ALL_DIGITS.test(text)) return Number(text);
  if (!WITH_UNITS.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)([a-z])/gi)) {
    seconds += Number(count) * UNIT_SECONDS[unit.toLowerCase()];
  }
  return seconds;
}

/**
 * A TTL in seconds.
 *
 * @param text  digits, or digits with units w d h m s, as in 1h30m
 * @returns 0 to {@link MAX_TTL}
 * @throws {TtlError} "ttl-format", "ttl-range"
 */
export function parseTtl(text: string): number {
  const seconds = periodSeconds(text);
  if (seconds === undefined) {
    throw new TtlError(
      "ttl-format",
      `Cannot read TTL "${text}": it is no number of seconds`,
      "write seconds (3600) or units w d h m s (1h30m)",
    );
  }
  if (seconds > MAX_TTL) {
    throw new TtlError(
      "ttl-range",
      `Cannot read TTL "${text}": it is over ${MAX_TTL} seconds`,
      `write a TTL from 0 to ${MAX_TTL} (RFC 2181 §8)`,
    );
  }
  return seconds;
}
