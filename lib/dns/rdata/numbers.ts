/**
 * Number fields: plain, periods, times, types, and numbers with mnemonics.
 *
 * Specs: RFC 1035 §3.3, RFC 4034 §3.2 (times) and A.1 (algorithms), RFC 4398
 * §2.1 (certificate types).
 */
import { looksLikePeriod, periodSeconds } from "../ttl.ts";
import { findTypeCode, typeName } from "../types.ts";
import type { FieldCodec } from "./codec.ts";
import type { RdataInput } from "./input.ts";
import type { OctetWriter, RdataReader } from "./octets.ts";

/** Reads a whole number in decimal from 0 to `max`. */
export function takeNumber(input: RdataInput, max: number): number {
  const text = input.word();
  const value = /^[0-9]{1,10}$/.test(text) ? Number(text) : Infinity;
  if (value > max) throw notNumber(input, max);
  return value;
}

function notNumber(input: RdataInput, max: number) {
  return input.wrong(
    input.last,
    `is no whole number from 0 to ${max}`,
    "number-range",
  );
}

function numberCodec(
  octets: 1 | 2 | 4,
  take: (input: RdataInput, max: number) => number = takeNumber,
  show: (value: number) => string = String,
): FieldCodec {
  const max = 2 ** (8 * octets) - 1;
  const read = octets === 1
    ? (wire: RdataReader) => wire.u8()
    : octets === 2
    ? (wire: RdataReader) => wire.u16()
    : (wire: RdataReader) => wire.u32();
  const write = octets === 1
    ? (out: OctetWriter, value: number) => out.u8(value)
    : octets === 2
    ? (out: OctetWriter, value: number) => out.u16(value)
    : (out: OctetWriter, value: number) => out.u32(value);
  return {
    parse: (input, out) => write(out, take(input, max)),
    check: (wire) => void wire.take(octets),
    format: (wire) => show(read(wire)),
  };
}

/** A number of 8 bits. */
export const u8 = numberCodec(1);
/** A number of 16 bits. */
export const u16 = numberCodec(2);
/** A number of 32 bits. */
export const u32 = numberCodec(4);

/** Seconds in 32 bits, also written with units (1h30m). */
export const period = numberCodec(4, (input, max) => {
  const text = input.word();
  const seconds = looksLikePeriod(text) ? periodSeconds(text) : undefined;
  if (seconds === undefined || seconds > max) {
    throw input.wrong(
      input.last,
      `is no number of seconds from 0 to ${max}`,
      "number-range",
      "write seconds (3600) or units w d h m s (1h30m)",
    );
  }
  return seconds;
});

/** An RR type, by mnemonic or TYPEnnn; also by its bare number, as BIND prints it in SIG. */
export const rrType = numberCodec(2, (input, max) => {
  if (/^[0-9]/.test(input.peek()?.text ?? "")) return takeNumber(input, max);
  const code = findTypeCode(input.word());
  if (code === undefined) {
    throw input.wrong(input.last, "is no RR type", "type-unknown");
  }
  return code;
}, typeName);

/** Seconds since 1970 in 32 bits, written YYYYMMDDHHmmSS in UTC, or in seconds. */
export const time = numberCodec(4, takeTime, formatTime);

/** Times further than this from 1970 to 2106 are typing errors, in seconds. */
const TIME_SLACK = 2 ** 31;

function takeTime(input: RdataInput, max: number): number {
  const text = input.word();
  if (!/^[0-9]{14}$/.test(text)) {
    if (/^[0-9]{1,10}$/.test(text) && Number(text) <= max) return Number(text);
    throw input.wrong(input.last, "is no time", "time-format", TIME_HINT);
  }
  const [, y, mo, d, h, mi, s] = /^(....)(..)(..)(..)(..)(..)$/.exec(text)?.map(Number) ?? [];
  const seconds = Date.UTC(y, mo - 1, d, h, mi, s) / 1000;
  // Date.UTC carries a 13th month over; comparing the way back refuses it.
  if (seconds < -TIME_SLACK || seconds > max + TIME_SLACK || formatTime(seconds) !== text) {
    throw input.wrong(input.last, "is no time from 1902 to 2174", "time-range", TIME_HINT);
  }
  // 32 bits on a circle: 1969 is written by servers that mean 2105 (RFC 4034 §3.1.5).
  return seconds >>> 0;
}

const TIME_HINT = "write YYYYMMDDHHmmSS in UTC (RFC 4034 §3.2)";

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
}

/** A number that may also be written by a mnemonic; it is printed as a number. */
function mnemonicCodec(
  octets: 1 | 2,
  mnemonics: Readonly<Record<string, number>>,
): FieldCodec {
  return numberCodec(octets, (input, max) => {
    const known = mnemonics[input.peek()?.text.toUpperCase() ?? ""];
    if (known === undefined) return takeNumber(input, max);
    input.word();
    return known;
  });
}

/** A DNSSEC algorithm (RFC 4034 A.1 and its registry). */
export const algorithm = mnemonicCodec(1, {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  "DSA-NSEC3-SHA1": 6,
  NSEC3DSA: 6,
  "RSASHA1-NSEC3-SHA1": 7,
  NSEC3RSASHA1: 7,
  RSASHA256: 8,
  RSASHA512: 10,
  "ECC-GOST": 12,
  ECCGOST: 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
});

/** A certificate type (RFC 4398 §2.1). */
export const certificateType = mnemonicCodec(2, {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
});
