/**
 * Character-string fields.
 *
 * Characters outside ASCII are written as UTF-8, as a server reading such a
 * master file would; they are printed as `\DDD`.
 *
 * Specs: RFC 1035 §3.3 and §5.1 (character-string), RFC 8659 §4.1 (CAA tag and value).
 */
import type { Token } from "../tokenizer.ts";
import type { FieldCodec } from "./codec.ts";
import type { RdataInput } from "./input.ts";
import type { OctetWriter, RdataReader } from "./octets.ts";

/** Longest character-string, in octets: its length has 8 bits. */
const MAX_STRING_OCTETS = 255;

const BACKSLASH = 0x5c;

/** Writes the octets a token stands for, escapes resolved. */
export function writeText(
  input: RdataInput,
  token: Token,
  out: OctetWriter,
): void {
  const { text } = token;
  for (let at = 0; at < text.length;) {
    const c = text.charCodeAt(at);
    if (c === BACKSLASH) at = writeEscape(input, token, at, out);
    else if (c < 0x80) {
      out.u8(c);
      at++;
    } else at = writeUtf8(input, token, at, out);
  }
}

function writeEscape(
  input: RdataInput,
  token: Token,
  at: number,
  out: OctetWriter,
): number {
  const { text } = token;
  const first = text.charCodeAt(at + 1);
  if (first < 0x30 || first > 0x39) {
    if (first < 0x80) {
      out.u8(first);
      return at + 2;
    }
    return writeUtf8(input, token, at + 1, out);
  }
  const digits = text.slice(at + 1, at + 4);
  if (!/^[0-9]{3}$/.test(digits) || Number(digits) > 255) {
    throw input.wrong(
      token,
      `has "\\${digits}", which is no \\DDD escape (three decimal digits, 000 to 255)`,
      "string-escape",
    );
  }
  out.u8(Number(digits));
  return at + 4;
}

const utf8 = new TextEncoder();

function writeUtf8(
  input: RdataInput,
  token: Token,
  at: number,
  out: OctetWriter,
): number {
  const character = String.fromCodePoint(token.text.codePointAt(at) ?? 0);
  if (!character.isWellFormed()) {
    throw input.wrong(token, "has half a UTF-16 pair", "string-encoding");
  }
  out.octets(utf8.encode(character));
  return at + character.length;
}

/** Writes a token as one character-string, with its length. */
function writeString(input: RdataInput, token: Token, out: OctetWriter): void {
  const start = out.length;
  out.u8(0);
  writeText(input, token, out);
  const octets = out.length - start - 1;
  if (octets > MAX_STRING_OCTETS) {
    throw input.wrong(
      token,
      `has ${octets} octets, one string holds at most ${MAX_STRING_OCTETS}`,
      "string-too-long",
      'split it into several strings, which most readers join again: "first 255 octets" "the rest"',
    );
  }
  out.patch(start, octets);
}

/** One octet of a quoted string in presentation format. */
const QUOTED_OCTETS: readonly string[] = Array.from({ length: 256 }, (_, o) => {
  if (o < 0x20 || o >= 0x7f) return "\\" + String(o).padStart(3, "0");
  const c = String.fromCharCode(o);
  return c === '"' || c === "\\" ? "\\" + c : c;
});

/** Octets as a quoted string. */
export function quote(octets: Uint8Array): string {
  let text = '"';
  for (let i = 0; i < octets.length; i++) text += QUOTED_OCTETS[octets[i]];
  return text + '"';
}

/** One character-string of at most 255 octets. */
export const characterString: FieldCodec = {
  parse: (input, out) => writeString(input, input.string(), out),
  check: (wire) => void wire.take(wire.u8()),
  format: (wire) => quote(wire.take(wire.u8())),
};

/** Character-strings to the end of the RDATA, at least `least`, at most `most`. */
export function characterStrings(least: number, most = Infinity): FieldCodec {
  function check(wire: RdataReader): void {
    let count = 0;
    for (; wire.left > 0; count++) characterString.check(wire);
    if (count < least || count > most) {
      throw wire.malformed(`are ${count} character-strings, not allowed here`);
    }
  }
  return {
    parse(input, out) {
      let count = 0;
      do {
        if (input.done && count >= least) break;
        writeString(input, input.string(), out);
      } while (++count < most && !input.done);
    },
    check,
    format(wire) {
      let text = characterString.format(wire, undefined);
      while (wire.left > 0) {
        text += " " + characterString.format(wire, undefined);
      }
      return text;
    },
  };
}

/** Text of any length to the end of the RDATA, as one string (CAA value, URI target). */
export function longText(leastOctets: number): FieldCodec {
  return {
    parse(input, out) {
      const start = out.length;
      writeText(input, input.string(), out);
      if (out.length - start < leastOctets) {
        throw input.wrong(input.last, "is empty", "field-empty");
      }
    },
    check(wire) {
      wire.need(leastOctets);
      wire.rest();
    },
    format: (wire) => quote(wire.rest()),
  };
}

/** X25's PSDN address: a character-string of at least 4 decimal digits (RFC 1183 §3.1). */
export const x25Address: FieldCodec = {
  parse(input, out) {
    const token = input.string();
    if (!PSDN_ADDRESS.test(token.text)) {
      throw input.wrong(token, "is no address of at least 4 digits", "address");
    }
    writeString(input, token, out);
  },
  check(wire) {
    if (!PSDN_ADDRESS.test(ascii(wire.take(wire.u8())))) {
      throw wire.malformed("is no address of at least 4 digits");
    }
  },
  format: characterString.format,
};

const PSDN_ADDRESS = /^[0-9]{4,255}$/;

/** A CAA property tag: ASCII letters and digits, 1 to 255 octets, unquoted. */
export const caaTag: FieldCodec = {
  parse(input, out) {
    const tag = input.word();
    if (!/^[A-Za-z0-9]{1,255}$/.test(tag)) {
      throw input.wrong(
        input.last,
        "is no property tag (ASCII letters and digits)",
        "caa-tag",
        'CAA takes: flags tag value, as in 0 issue "ca.example"',
      );
    }
    writeString(input, input.last, out);
  },
  check(wire) {
    if (!/^[A-Za-z0-9]+$/.test(ascii(wire.take(wire.u8())))) {
      throw wire.malformed("is not ASCII letters and digits");
    }
  },
  format: (wire) => ascii(wire.take(wire.u8())),
};

function ascii(octets: Uint8Array): string {
  return String.fromCharCode(...octets);
}
