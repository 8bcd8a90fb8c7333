/**
 * Fields of plain octets: hex, base64, base32hex.
 *
 * Spec: RFC 4648 §4, §7, §8. Padding and zero trailing bits are required, so
 * that a key cut short when it was copied is noticed.
 */
import type { FieldCodec } from "./codec.ts";
import type { RdataInput } from "./input.ts";

const HEX: readonly string[] = Array.from(
  { length: 256 },
  (_, o) => o.toString(16).toUpperCase().padStart(2, "0"),
);

/** Octets in upper-case hex. */
export function formatHex(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < octets.length; i++) text += HEX[octets[i]];
  return text;
}

/** The octets of a hex text, or undefined when it is none. */
export function parseHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || /[^0-9A-Fa-f]/.test(text)) return undefined;
  const octets = new Uint8Array(text.length / 2);
  for (let i = 0; i < octets.length; i++) {
    octets[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return octets;
}

/** Octets in base64. */
export function formatBase64(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < octets.length; i++) {
    text += String.fromCharCode(octets[i]);
  }
  return btoa(text);
}

/** The octets of a base64 text, or undefined when it is none. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    return undefined;
  }
  const decoded = atob(text);
  const octets = new Uint8Array(decoded.length);
  for (let i = 0; i < octets.length; i++) octets[i] = decoded.charCodeAt(i);
  // Only trailing bits that are not zero make the way back differ.
  return text.endsWith("=") && btoa(decoded) !== text ? undefined : octets;
}

const BASE32HEX = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/** Octets in base32hex without padding, upper case. */
export function formatBase32Hex(octets: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const octet of octets) {
    held = ((held & 0xff) << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) {
      text += BASE32HEX[(held >>> (bits - 5)) & 31];
    }
  }
  return bits > 0 ? text + BASE32HEX[(held << (5 - bits)) & 31] : text;
}

/** The octets of a base32hex text without padding, or undefined when it is none. */
export function parseBase32Hex(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(Math.floor(text.length * 5 / 8));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (const c of text.toUpperCase()) {
    const value = BASE32HEX.indexOf(c);
    if (value < 0) return undefined;
    held = ((held & 0xff) << 5) | value;
    if ((bits += 5) >= 8) octets[length++] = held >>> (bits -= 8);
  }
  return formatBase32Hex(octets) === text.toUpperCase() ? octets : undefined;
}

/** Octets to the end of the RDATA, in any number of tokens. */
function restCodec(
  parse: (text: string) => Uint8Array | undefined,
  format: (octets: Uint8Array) => string,
  what: string,
  leastOctets: number,
): FieldCodec {
  return {
    parse(input, out) {
      if (input.done && leastOctets > 0) throw input.missing();
      let text = "";
      while (!input.done) text += input.word();
      const octets = parse(text);
      if (octets === undefined || octets.length < leastOctets) {
        throw input.wrong(
          { ...input.last, text },
          `is no ${what} text`,
          "encoding",
        );
      }
      out.octets(octets);
    },
    check(wire) {
      wire.need(leastOctets);
      wire.rest();
    },
    format: (wire) => format(wire.rest()),
  };
}

/** Octets in hex to the end of the RDATA; blanks are allowed in between. */
export function hexRest(leastOctets: number): FieldCodec {
  return restCodec(parseHex, formatHex, "hex", leastOctets);
}

/** Octets in base64 to the end of the RDATA; blanks are allowed in between. */
export function base64Rest(leastOctets: number): FieldCodec {
  return restCodec(parseBase64, formatBase64, "base64", leastOctets);
}

/** NSAP's hex: one word with 0x in front, dots for the eye (RFC 1706 §5). */
export const nsapHex: FieldCodec = {
  parse(input, out) {
    const text = input.word();
    const octets = /^0x/i.test(text) ? parseHex(text.slice(2).replaceAll(".", "")) : undefined;
    if (!octets?.length) {
      throw input.wrong(input.last, "is no hex text behind 0x", "encoding");
    }
    out.octets(octets);
  },
  check(wire) {
    wire.need(1);
    wire.rest();
  },
  format: (wire) => "0x" + formatHex(wire.rest()),
};

function writeCounted(
  input: RdataInput,
  octets: Uint8Array | undefined,
  what: string,
): Uint8Array {
  if (octets === undefined || octets.length > 255) {
    throw input.wrong(
      input.last,
      `is no ${what} of at most 255 octets`,
      "encoding",
    );
  }
  return octets;
}

/** NSEC3's salt: a length octet and octets in hex, `-` for none (RFC 5155 §3.3). */
export const salt: FieldCodec = {
  parse(input, out) {
    const text = input.word();
    const octets = text === "-" ? new Uint8Array() : parseHex(text);
    const salt = writeCounted(input, octets, "hex text");
    out.u8(salt.length);
    out.octets(salt);
  },
  check: (wire) => void wire.take(wire.u8()),
  format: (wire) => formatHex(wire.take(wire.u8())) || "-",
};

/** NSEC3's next hashed owner name: a length octet and octets in base32hex (RFC 5155 §3.3). */
export const hashedOwner: FieldCodec = {
  parse(input, out) {
    const octets = parseBase32Hex(input.word());
    const hash = writeCounted(
      input,
      octets?.length ? octets : undefined,
      "base32hex text",
    );
    out.u8(hash.length);
    out.octets(hash);
  },
  check(wire) {
    const length = wire.u8();
    if (length === 0) throw wire.malformed("is empty");
    wire.take(length);
  },
  format: (wire) => formatBase32Hex(wire.take(wire.u8())),
};
