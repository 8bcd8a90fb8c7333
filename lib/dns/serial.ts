/**
 * SOA serials: 32-bit numbers on a circle.
 *
 * Pure. Spec: RFC 1982 §3 (addition and comparison with SERIAL_BITS = 32).
 */

/** An SOA serial: an integer from 0 to 2^32 - 1. Compare with {@link compareSerials} only. */
export type Serial = number;

const MODULUS = 2 ** 32;
const HALF = 2 ** 31;

/** The largest amount that may be added to a serial at once (RFC 1982 §3.1). */
export const MAX_SERIAL_INCREMENT = HALF - 1;

/** Whether a number is a serial. */
export function isSerial(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < MODULUS;
}

/**
 * The order of two serials, or undefined when they are exactly 2^31 apart and
 * RFC 1982 leaves their order undefined.
 *
 * Spec: RFC 1982 §3.2.
 *
 * @returns -1 when a is behind b, 0 when equal, 1 when a is ahead of b
 */
export function compareSerials(a: Serial, b: Serial): -1 | 0 | 1 | undefined {
  if (a === b) return 0;
  const ahead = (a - b + MODULUS) % MODULUS;
  if (ahead === HALF) return undefined;
  return ahead < HALF ? 1 : -1;
}

/** Whether a is ahead of b; false when they are incomparable. */
export function isAhead(a: Serial, b: Serial): boolean {
  return compareSerials(a, b) === 1;
}

/**
 * A serial raised by an amount, wrapping at 2^32.
 *
 * @param amount  0 to {@link MAX_SERIAL_INCREMENT}
 * @throws {RangeError} an amount outside that range (RFC 1982 §3.1)
 */
export function addSerial(serial: Serial, amount: number): Serial {
  if (
    !Number.isInteger(amount) || amount < 0 || amount > MAX_SERIAL_INCREMENT
  ) {
    throw new RangeError(
      `Cannot raise a serial by ${amount}: the amount must be a whole number from 0 to ${MAX_SERIAL_INCREMENT}`,
    );
  }
  return (serial + amount) % MODULUS;
}
