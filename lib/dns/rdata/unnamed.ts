/**
 * What is checked of RDATA whose type has no text form here but `\# LENGTH HEX`:
 * other servers know these types, and refuse a whole zone for a malformed one.
 *
 * As strict as the strictest of NSD, Knot, BIND and PowerDNS. Pure.
 * Specs: RFC 1035 §3.4.2 (WKS), RFC 1712 (GPOS), RFC 2535 §5 (NXT), RFC 2874 (A6),
 * RFC 4025 §2 (IPSECKEY), RFC 8005 §5 (HIP), RFC 8777 §4 (AMTRELAY), RFC 9859 (DSYNC);
 * the others as the IANA registry of RR types refers to them.
 */
import { TYPE } from "../types.ts";
import { domainName } from "./names.ts";
import { RdataReader } from "./octets.ts";

/** What is wrong with RDATA of a type; undefined when nothing is. */
type Flaw = string | undefined;

const CUT = "ends too early";
const TEXT = new TextDecoder("latin1");

const CHECKS: Readonly<Record<number, (rdata: Uint8Array) => Flaw>> = {
  [TYPE.NULL]: atLeast(1),
  11: (rdata) => rdata.length < 5 ? CUT : trailingZero(rdata, 5), // WKS
  23: (rdata) => names(rdata, 0, 1, 1), // NSAP-PTR
  27: (rdata) => strings(rdata, 0, 3, 3, /^-?[0-9]+(\.[0-9]+)?$/), // GPOS
  30: nxt,
  31: atLeast(1), // EID
  32: atLeast(1), // NIMLOC
  34: atma,
  38: a6,
  40: atLeast(3), // SINK
  [TYPE.IPSECKEY]: ipseckey,
  [TYPE.HIP]: hip,
  56: (rdata) => strings(rdata, 0, 1), // NINFO
  57: (rdata) =>
    // RKEY
    rdata.length < 5 ? CUT : rdata[0] !== 0 || rdata[1] !== 0 ? "has flags" : undefined,
  58: (rdata) => names(rdata, 0, 2, 2), // TALINK
  66: (rdata) => rdata.length < 6 ? CUT : names(rdata, 5, 1, 1), // DSYNC
  67: atLeast(1), // HHIT
  68: atLeast(1), // BRID
  258: (rdata) => strings(rdata, 0, 1), // AVC
  259: (rdata) => rdata.length < 10 || rdata.length < 10 + rdata[9] ? CUT : undefined, // DOA
  [TYPE.AMTRELAY]: (rdata) => rdata.length < 2 ? CUT : gateway(rdata, 2, rdata[1] & 0x7f, false),
  261: (rdata) => strings(rdata, 0, 1), // RESINFO
  262: (rdata) => strings(rdata, 0, 1), // WALLET
  32768: (rdata) => rdata.length < 5 ? CUT : undefined, // TA
};

/** What is wrong with RDATA of a type that has no layout; undefined when nothing is. */
export function unnamedFlaw(type: number, rdata: Uint8Array): string | undefined {
  return CHECKS[type]?.(rdata);
}

function atLeast(octets: number): (rdata: Uint8Array) => Flaw {
  return ({ length }) => length < octets ? CUT : undefined;
}

/** A bit map that ends at its last bit set. */
function trailingZero(rdata: Uint8Array, from: number): Flaw {
  return rdata.length > from && rdata[rdata.length - 1] === 0
    ? "ends in an empty octet"
    : undefined;
}

/** Names, and nothing behind them. */
function names(rdata: Uint8Array, from: number, least: number, most = Infinity): Flaw {
  const wire = new RdataReader(0, rdata);
  wire.at = from;
  let found = 0;
  for (; wire.left > 0 && found < most; found++) domainName.check(wire);
  if (found < least) return CUT;
  return wire.left > 0 ? "has octets behind its last name" : undefined;
}

/** Character strings, and nothing behind them. */
function strings(
  rdata: Uint8Array,
  from: number,
  least: number,
  most = Infinity,
  form?: RegExp,
): Flaw {
  let found = 0;
  for (let at = from; at < rdata.length; found++) {
    const end = at + 1 + rdata[at];
    if (end > rdata.length) return CUT;
    if (form && !form.test(TEXT.decode(rdata.subarray(at + 1, end)))) return "has no number";
    at = end;
  }
  return found < least ? CUT : found > most ? "has too many strings" : undefined;
}

function nxt(rdata: Uint8Array): Flaw {
  const wire = new RdataReader(TYPE.NSEC, rdata);
  domainName.check(wire);
  if (wire.left === 0) return CUT;
  if (wire.left > 16 || (rdata[wire.at] & 0x80) !== 0) return "has types that it cannot have";
  return trailingZero(rdata, wire.at);
}

/** Format 1 is a telephone number. */
function atma(rdata: Uint8Array): Flaw {
  if (rdata.length < 2) return CUT;
  const number = TEXT.decode(rdata.subarray(1));
  return rdata[0] === 1 && !/^[0-9]+$/.test(number) ? "has no number" : undefined;
}

function a6(rdata: Uint8Array): Flaw {
  if (rdata.length === 0) return CUT;
  const [prefix] = rdata;
  if (prefix > 128) return "has a prefix of more than 128 bits";
  const suffix = 16 - (prefix >> 3);
  if (rdata.length < 1 + suffix) return CUT;
  if (suffix > 0 && rdata[1] >> 8 - prefix % 8 !== 0) return "has bits before its suffix";
  if (prefix === 0) return rdata.length > 17 ? "has octets behind its address" : undefined;
  return names(rdata, 1 + suffix, 1, 1);
}

/** Precedence, type of gateway, algorithm; then the gateway, and a key where there is an algorithm. */
function ipseckey(rdata: Uint8Array): Flaw {
  return rdata.length < 3 ? CUT : gateway(rdata, 3, rdata[1], rdata[2] !== 0);
}

/** None, an address or a name; behind it a key, or nothing. */
function gateway(rdata: Uint8Array, from: number, type: number, hasKey: boolean): Flaw {
  const wire = new RdataReader(0, rdata);
  if (type > 3) return hasKey ? "has a gateway of no known kind" : undefined;
  if (type === 3) {
    wire.at = from;
    if (wire.left === 0) return CUT;
    domainName.check(wire);
  } else wire.at = from + [0, 4, 16][type];
  if (wire.at > rdata.length || hasKey && wire.left === 0) return CUT;
  return !hasKey && wire.left > 0 ? "has octets behind its gateway" : undefined;
}

/** HIT, public key and rendezvous servers. */
function hip(rdata: Uint8Array): Flaw {
  if (rdata.length < 4) return CUT;
  const key = rdata[2] << 8 | rdata[3];
  if (rdata[0] === 0 || key === 0) return "has no HIT or no key";
  const end = 4 + rdata[0] + key;
  return rdata.length < end ? CUT : names(rdata, end, 0);
}
