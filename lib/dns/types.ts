/**
 * RR types: mnemonic ⇄ number.
 *
 * Pure. Specs: RFC 3597 §5 (TYPEnnn for types without a mnemonic), RFC 6895
 * §3.1 (which numbers are no zone data).
 */
import { RdataError } from "./rdata_error.ts";

/** The numbers of the RR types zonecast has names for. */
export const TYPE = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  SIG: 24,
  KEY: 25,
  PX: 26,
  AAAA: 28,
  LOC: 29,
  SRV: 33,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  DNAME: 39,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AMTRELAY: 260,
  DLV: 32769,
} as const;

/**
 * Further mnemonics that are read, as in the type bit maps other servers print.
 * They are printed as TYPEnnn, which every server reads.
 */
const READ_ONLY: Readonly<Record<string, number>> = {
  WKS: 11,
  "NSAP-PTR": 23,
  GPOS: 27,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  ATMA: 34,
  A6: 38,
  SINK: 40,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NXNAME: 128,
  AVC: 258,
  DOA: 259,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
};

/** The largest RR type. */
export const MAX_TYPE = 0xffff;

const CODES: ReadonlyMap<string, number> = new Map([
  ...Object.entries(TYPE),
  ...Object.entries(READ_ONLY),
]);
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TYPE).map(([name, code]) => [code, name]),
);

/**
 * The number a text names as an RR type, or undefined when it names none.
 *
 * @param text  a mnemonic or TYPEnnn, in any case
 */
export function findTypeCode(text: string): number | undefined {
  const upper = text.toUpperCase();
  const known = CODES.get(upper);
  if (known !== undefined) return known;
  const digits = /^TYPE([0-9]{1,5})$/.exec(upper);
  const code = digits ? Number(digits[1]) : Infinity;
  return code <= MAX_TYPE ? code : undefined;
}

/**
 * The number of an RR type.
 *
 * @param text  a mnemonic or TYPEnnn, in any case
 * @throws {RdataError} "type-unknown"
 */
export function typeCode(text: string): number {
  const code = findTypeCode(text);
  if (code !== undefined) return code;
  throw new RdataError(
    "type-unknown",
    `Cannot read RR type "${text}": it is no type known here`,
    "write a mnemonic such as A, or TYPEnnn with a number from 0 to 65535 and the RDATA as \\# LENGTH HEX (RFC 3597)",
    { token: text },
  );
}

/** The mnemonic of an RR type, TYPEnnn when it has none here. */
export function typeName(code: number): string {
  return NAMES.get(code) ?? `TYPE${code}`;
}

/**
 * Whether a type may never be zone data: 0, OPT, and the QTYPEs and meta types
 * 128 to 255 (RFC 6895 §3.1).
 */
export function isMetaType(code: number): boolean {
  return code === 0 || code === TYPE.OPT || (code >= 128 && code <= 255);
}
