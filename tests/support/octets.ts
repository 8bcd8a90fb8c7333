/** Octets written as hex, for tables of expected values. */

/** The octets of a hex text; blanks are ignored. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.replace(/\s/g, "").match(/../g) ?? [], (o) => parseInt(o, 16));
}

/** Octets in lower-case hex. */
export function toHex(octets: Uint8Array): string {
  return Array.from(octets, (o) => o.toString(16).padStart(2, "0")).join("");
}
