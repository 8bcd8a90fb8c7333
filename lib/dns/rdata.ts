/**
 * RDATA: presentation format ⇄ wire format, for every type.
 *
 * A type with a layout (`rdata/table.ts`) has its own text form; any type may be
 * written `\# LENGTH HEX`, and is then checked against its layout all the same.
 *
 * Pure. Specs: RFC 1035 §5.1, RFC 3597 §4 and §5, RFC 4034 §6.2.
 */
import { lowerOctet, type Name, NameError, parseName } from "./name.ts";
import { RdataError } from "./rdata_error.ts";
import { parseIpv4, parseIpv6 } from "./rdata/addresses.ts";
import { formatHex, parseHex } from "./rdata/binary.ts";
import { RdataInput } from "./rdata/input.ts";
import { domainName } from "./rdata/names.ts";
import { MAX_RDATA_OCTETS, OctetWriter, RdataReader } from "./rdata/octets.ts";
import { layoutOf, type RdataLayout } from "./rdata/table.ts";
import { unnamedFlaw } from "./rdata/unnamed.ts";
import { type Token, tokenize } from "./tokenizer.ts";
import { TYPE, typeName } from "./types.ts";

/** A name within RDATA. */
export interface RdataName {
  /** Octets from the RDATA's start. */
  readonly at: number;
  /** Octets, the root label included. */
  readonly length: number;
  /** Whether a sender may compress it (RFC 3597 §4). */
  readonly compressible: boolean;
}

/** Reading text is synchronous and never nested, so one writer serves all of it. */
const scratch = new OctetWriter();

/**
 * RDATA from presentation format.
 *
 * @param content  one record's data; line ends count as blanks
 * @param origin  completes relative names and `@`
 * @returns uncompressed wire format, in a fresh buffer
 * @throws {RdataError} malformed text; `offset` counts within `content`
 */
export function parseRdata(
  type: number,
  content: string,
  origin: Name,
): Uint8Array {
  // The common case without making tokens; whatever is not plain goes the long way.
  const plain = parsePlain(type, content, origin);
  return plain ?? parseRdataTokens(type, tokenize(content), origin);
}

const PLAIN_NAME = /^[A-Za-z0-9*_.-]+$/;

/** RDATA that is one plain word, or undefined when it is anything else. */
function parsePlain(
  type: number,
  word: string,
  origin: Name,
): Uint8Array | undefined {
  switch (type) {
    case TYPE.A:
      return parseIpv4(word);
    case TYPE.AAAA:
      return parseIpv6(word);
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.PTR:
      try {
        return PLAIN_NAME.test(word) ? parseName(word, origin) : undefined;
      } catch (error) {
        if (error instanceof NameError) return undefined; // refused with its place below
        throw error;
      }
  }
}

/**
 * RDATA from tokens, as {@link parseRdata}; shared with the master file reader.
 *
 * @throws {RdataError} malformed text; `offset` counts as the tokens' `at` does
 */
export function parseRdataTokens(
  type: number,
  tokens: readonly Token[],
  origin: Name,
): Uint8Array {
  if (tokens[0]?.text === "\\#" && tokens[0].form === "word") {
    return parseUnknown(type, tokens);
  }
  if (tokens.length === 1 && tokens[0].form === "word") {
    const plain = parsePlain(type, tokens[0].text, origin);
    if (plain) return plain;
  }
  const layout = layoutOf(type);
  if (!layout) {
    throw new RdataError(
      "type-without-text",
      `Cannot read ${typeName(type)} "${
        tokens[0]?.text ?? ""
      }": zonecast knows no text form of this type`,
      "write \\# LENGTH HEX (RFC 3597 §5)",
      { field: "content", token: tokens[0]?.text, offset: tokens[0]?.at },
    );
  }
  const input = new RdataInput(type, tokens, origin, layout.takes);
  scratch.length = 0;
  for (const field of layout.fields) {
    input.field = field.name;
    field.codec.parse(input, scratch);
  }
  input.finish();
  if (scratch.length > MAX_RDATA_OCTETS) throw tooLong(type, scratch.length);
  const rdata = scratch.copy();
  const flaw = layout.flaw?.(rdata);
  if (flaw) {
    throw new RdataError(
      "rdata-malformed",
      `Cannot read ${typeName(type)}: it ${flaw}`,
    );
  }
  return rdata;
}

function tooLong(type: number, octets: number): RdataError {
  return new RdataError(
    "rdata-too-long",
    `Cannot read ${
      typeName(type)
    }: its RDATA has ${octets} octets, at most ${MAX_RDATA_OCTETS} are allowed`,
  );
}

/** RDATA from `\# LENGTH HEX` (RFC 3597 §5). */
function parseUnknown(type: number, tokens: readonly Token[]): Uint8Array {
  const input = new RdataInput(
    type,
    tokens,
    new Uint8Array(),
    "\\# LENGTH HEX",
  );
  input.any();
  input.field = "length";
  const length = input.word();
  if (!/^[0-9]{1,5}$/.test(length) || Number(length) > MAX_RDATA_OCTETS) {
    throw input.wrong(
      input.last,
      `is no number of octets from 0 to ${MAX_RDATA_OCTETS}`,
      "number-range",
    );
  }
  input.field = "octets";
  let hex = "";
  while (!input.done) hex += input.word();
  const rdata = parseHex(hex);
  if (!rdata) {
    throw input.wrong(
      { ...input.last, text: hex },
      "is no hex text",
      "encoding",
    );
  }
  if (rdata.length !== Number(length)) {
    throw input.wrong(
      input.tokens[1],
      `is not the length of the ${rdata.length} octets behind it`,
      "unknown-length",
    );
  }
  checkRdata(type, rdata);
  return rdata;
}

/**
 * RDATA in presentation format. Total: what its type's form does not cover
 * (an unknown type, empty or malformed RDATA) is printed as `\# LENGTH HEX`.
 *
 * @param rdata  uncompressed wire format
 * @param origin  what names are printed relative to; without one, absolute
 */
export function formatRdata(
  type: number,
  rdata: Uint8Array,
  origin?: Name,
): string {
  const layout = layoutOf(type);
  if (!layout || rdata.length === 0) return formatUnknown(rdata);
  const wire = new RdataReader(type, rdata);
  try {
    checkRdata(type, rdata);
    let text = "";
    for (const { name, codec } of layout.fields) {
      wire.field = name;
      const part = codec.format(wire, origin);
      if (part !== "") text += text === "" ? part : " " + part;
    }
    return text;
  } catch (error) {
    if (error instanceof RdataError) return formatUnknown(rdata);
    throw error;
  }
}

function formatUnknown(rdata: Uint8Array): string {
  const head = `\\# ${rdata.length}`;
  return rdata.length === 0 ? head : `${head} ${formatHex(rdata)}`;
}

/**
 * Makes sure that RDATA has the form of its type. A type that is known by number
 * only takes any octets.
 *
 * @param rdata  uncompressed wire format
 * @throws {RdataError} "rdata-truncated", "rdata-extra", "rdata-too-long", or
 *   what is malformed; `offset` counts octets
 */
export function checkRdata(type: number, rdata: Uint8Array): void {
  if (rdata.length > MAX_RDATA_OCTETS) throw tooLong(type, rdata.length);
  const layout = layoutOf(type);
  if (!layout) return refuseFlaw(type, unnamedFlaw(type, rdata));
  const wire = new RdataReader(type, rdata);
  for (const { name, codec } of layout.fields) {
    wire.field = name;
    codec.check(wire);
  }
  if (wire.left > 0) throw extraOctets(type, wire.left, wire.at);
  refuseFlaw(type, layout.flaw?.(rdata));
}

function refuseFlaw(type: number, flaw: string | undefined): void {
  if (flaw === undefined) return;
  throw new RdataError("rdata-malformed", `Cannot read ${typeName(type)} RDATA: it ${flaw}`);
}

function extraOctets(type: number, count: number, offset: number): RdataError {
  return new RdataError(
    "rdata-extra",
    `Cannot read ${typeName(type)} RDATA: ${count} octets are left behind its last field`,
    undefined,
    { offset },
  );
}

const NO_NAMES: readonly RdataName[] = [];

/**
 * The names within RDATA, in order; a shared empty array for most types.
 *
 * @param rdata  uncompressed wire format that passed {@link checkRdata}
 */
export function rdataNames(
  type: number,
  rdata: Uint8Array,
): readonly RdataName[] {
  const layout = layoutOf(type);
  return layout && layout.throughLastName > 0 ? findNames(type, layout, rdata) : NO_NAMES;
}

function findNames(
  type: number,
  layout: RdataLayout,
  rdata: Uint8Array,
): RdataName[] {
  const { compressible } = layout.names;
  if (layout.fields.length === 1) {
    return [{ at: 0, length: rdata.length, compressible }];
  }
  const names: RdataName[] = [];
  const wire = new RdataReader(type, rdata);
  for (let i = 0; i < layout.throughLastName; i++) {
    const { codec } = layout.fields[i];
    const { at } = wire;
    codec.check(wire);
    if (codec === domainName) {
      names.push({ at, length: wire.at - at, compressible });
    }
  }
  return names;
}

/**
 * RDATA in canonical form: names in lower case where RFC 4034 §6.2, amended by
 * RFC 6840 §5.1, has them so. Records are equal when their canonical RDATA is.
 *
 * @param rdata  uncompressed wire format that passed {@link checkRdata}
 * @returns the same buffer when nothing changes, else a fresh one
 */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const layout = layoutOf(type);
  if (!layout?.names.lowered) return rdata;
  let lowered: Uint8Array | undefined;
  for (const { at, length } of findNames(type, layout, rdata)) {
    for (let i = at; i < at + length; i++) {
      const octet = lowerOctet(rdata[i]);
      if (octet !== rdata[i]) (lowered ??= rdata.slice())[i] = octet;
    }
  }
  return lowered ?? rdata;
}
