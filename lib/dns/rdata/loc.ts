/**
 * LOC: a place on Earth.
 *
 * Wire: version 0, three sizes as base × 10^power centimetres in a nibble each,
 * latitude and longitude in 1/1000 arc second from 2^31, altitude in
 * centimetres from 100 km below the reference.
 *
 * Spec: RFC 1876 §2 and §3.
 */
import type { FieldCodec } from "./codec.ts";
import type { RdataInput } from "./input.ts";
import type { RdataReader } from "./octets.ts";

const MIDDLE = 2 ** 31;
const DEGREE_MS = 3_600_000;
const ALTITUDE_BASE_CM = 10_000_000;
const MAX_SIZE_CM = 9_000_000_000;

/** Size, horizontal and vertical precision when left out, in centimetres (RFC 1876 §3). */
const DEFAULT_SIZES_CM = [100, 1_000_000, 1_000];

const HINT =
  "LOC takes: degrees [minutes [seconds]] N|S degrees [minutes [seconds]] E|W altitude[m] [size[m] [horizontal[m] [vertical[m]]]]";

interface Direction {
  readonly field: string;
  readonly maxDegrees: number;
  readonly positive: string;
  readonly negative: string;
}

const LATITUDE: Direction = {
  field: "latitude",
  maxDegrees: 90,
  positive: "N",
  negative: "S",
};
const LONGITUDE: Direction = {
  field: "longitude",
  maxDegrees: 180,
  positive: "E",
  negative: "W",
};

function parseAngle(input: RdataInput, direction: Direction): number {
  input.field = direction.field;
  const { positive, negative, maxDegrees } = direction;
  const parts: number[] = [];
  for (;;) {
    const text = input.word();
    const letter = text.toUpperCase();
    if (letter === positive || letter === negative) {
      if (parts.length === 0) throw wrongNumber(input);
      const [degrees, minutes = 0, seconds = 0] = parts;
      const ms = degrees * DEGREE_MS + minutes * 60_000 +
        Math.round(seconds * 1000);
      if (ms > maxDegrees * DEGREE_MS) {
        throw input.wrong(
          input.last,
          `ends an angle over ${maxDegrees} degrees`,
          "loc-range",
          HINT,
        );
      }
      return MIDDLE + (letter === positive ? ms : -ms);
    }
    const shape = parts.length < 2 ? /^[0-9]{1,3}$/ : /^[0-9]{1,2}(\.[0-9]{1,3})?$/;
    const limit = parts.length === 0 ? Infinity : 60;
    if (parts.length === 3 || !shape.test(text) || Number(text) >= limit) {
      throw wrongNumber(input);
    }
    parts.push(Number(text));
  }
}

function wrongNumber(input: RdataInput) {
  return input.wrong(input.last, "is no part of an angle", "loc-angle", HINT);
}

/** Metres with at most two decimals and perhaps an `m`, in centimetres. */
function parseMetres(input: RdataInput, least: number, most: number): number {
  const text = input.word();
  const [, sign, whole, part = ""] = /^(-?)([0-9]{1,8})(?:\.([0-9]{1,2}))?m?$/i.exec(text) ?? [];
  const cm = Number(whole) * 100 + Number(part.padEnd(2, "0"));
  const value = sign ? -cm : cm;
  if (!(value >= least && value <= most)) { // also refuses NaN
    throw input.wrong(
      input.last,
      `is no length from ${least / 100} to ${most / 100} metres`,
      "loc-range",
      HINT,
    );
  }
  return value;
}

/** Centimetres as base × 10^power in two nibbles, rounded down. */
function encodeSize(cm: number): number {
  let power = 0;
  for (; cm >= 10; cm = Math.floor(cm / 10)) power++;
  return (cm << 4) | power;
}

function takeSize(wire: RdataReader, field: string): number {
  wire.field = field;
  const octet = wire.u8();
  const base = octet >>> 4;
  const power = octet & 0xf;
  // A base of 0 has one form only, so that the text has one wire form.
  if (base > 9 || power > 9 || (base === 0 && power > 0)) {
    throw wire.malformed(`octet ${octet} is no base and power of ten`);
  }
  return base * 10 ** power;
}

function takeAngle(wire: RdataReader, direction: Direction): string {
  wire.field = direction.field;
  const value = wire.u32() - MIDDLE;
  const ms = Math.abs(value);
  if (ms > direction.maxDegrees * DEGREE_MS) {
    throw wire.malformed(`is over ${direction.maxDegrees} degrees`);
  }
  const degrees = Math.floor(ms / DEGREE_MS);
  const minutes = Math.floor((ms % DEGREE_MS) / 60_000);
  const seconds = ((ms % 60_000) / 1000).toFixed(3);
  const letter = value < 0 ? direction.negative : direction.positive;
  return `${degrees} ${minutes} ${seconds} ${letter}`;
}

/** Centimetres as metres, with two decimals; computed on whole numbers. */
function metres(cm: number): string {
  const digits = String(Math.abs(cm)).padStart(3, "0");
  return `${cm < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}m`;
}

function takeLocation(wire: RdataReader): string {
  wire.field = "version";
  const version = wire.u8();
  if (version !== 0) throw wire.malformed(`is ${version}, only 0 is defined`);
  const size = takeSize(wire, "size");
  const horizontal = takeSize(wire, "horizontal precision");
  const vertical = takeSize(wire, "vertical precision");
  const latitude = takeAngle(wire, LATITUDE);
  const longitude = takeAngle(wire, LONGITUDE);
  wire.field = "altitude";
  const altitude = wire.u32() - ALTITUDE_BASE_CM;
  return [
    latitude,
    longitude,
    ...[altitude, size, horizontal, vertical].map(metres),
  ]
    .join(" ");
}

/** The whole RDATA of LOC. */
export const location: FieldCodec = {
  parse(input, out) {
    const latitude = parseAngle(input, LATITUDE);
    const longitude = parseAngle(input, LONGITUDE);
    input.field = "altitude";
    const altitude = parseMetres(
      input,
      -ALTITUDE_BASE_CM,
      2 ** 32 - 1 - ALTITUDE_BASE_CM,
    ) + ALTITUDE_BASE_CM;
    const fields = ["size", "horizontal precision", "vertical precision"];
    const sizes = DEFAULT_SIZES_CM.map((cm, i) => {
      input.field = fields[i];
      return encodeSize(input.done ? cm : parseMetres(input, 0, MAX_SIZE_CM));
    });
    out.u8(0);
    for (const size of sizes) out.u8(size);
    out.u32(latitude);
    out.u32(longitude);
    out.u32(altitude);
  },
  check: (wire) => void takeLocation(wire),
  format: takeLocation,
};
