/**
 * Signed requests as they should be and as they should not, with what RFC 8945 says of each: the
 * rows of a table.
 */
import { parseName, TYPE } from "../../lib/dns/mod.ts";
import {
  EDE,
  findTsig,
  findTsigAlgorithm,
  MessageWriter,
  RCODE,
  SECTION,
  signMessage,
  timeOctets,
  type TsigFields,
  type TsigKey,
  tsigKey,
} from "../../lib/wire/mod.ts";
import { writeTsig } from "../../lib/wire/tsig_record.ts";
import { soaOf } from "./zone_version.ts";

/** The time of the requests, and of the server, seconds since the epoch. */
export const NOW = 1_800_000_000;

export function key(
  name: string,
  secret: number,
  least?: number,
  algorithm = "hmac-sha256",
): TsigKey {
  const octets = new Uint8Array(32).fill(secret);
  return tsigKey(parseName(name), findTsigAlgorithm(algorithm)!, octets, least);
}

export const OWN = key("own.key.", 1);
const SHORT = key("short.key.", 2, 16);
export const OTHER = key("other.key.", 3);
export const KEYS = [OWN, SHORT, OTHER];

interface Request {
  readonly type?: number;
  readonly edns?: boolean;
  /** A record before the signature, in this section. */
  readonly stray?: Uint8Array;
  readonly id?: number;
  readonly opcode?: number;
  /** Of an IXFR: what the client has. */
  readonly ixfrSerial?: number;
}

export function request(
  { type = TYPE.AXFR, edns = true, id = 0x1234, opcode = 0, ixfrSerial }: Request = {},
) {
  const writer = new MessageWriter(
    512,
    edns ? { payloadOctets: 1_232, dnssecOk: false } : undefined,
  );
  writer.header(id, opcode << 11);
  writer.question({ name: parseName("example.org."), type, class: 1 });
  if (ixfrSerial !== undefined) {
    writer.records(SECTION.AUTHORITY, [soaOf("example.org.", ixfrSerial)]);
  }
  return writer.finish();
}

/** A signed request for an AXFR. */
export function signed(
  by: TsigKey = OWN,
  over: Request & { at?: number; fudge?: number } = {},
): Uint8Array {
  const { at = NOW, fudge } = over;
  // What carries a fudge of its own is built as an answer to an untimely request is.
  const untimely = fudge === undefined
    ? undefined
    : { ...findTsig(signed(by, { at }))!, timeSigned: timeOctets(at), fudge };
  return signMessage(request(over), by, { nowSeconds: at, untimely }).message;
}

/** The message with its TSIG record changed. */
function rewritten(message: Uint8Array, change: (fields: TsigFields) => Partial<TsigFields>) {
  const fields = findTsig(message)!;
  const record = writeTsig({ ...fields, ...change(fields) });
  return Uint8Array.from([...message.subarray(0, fields.offset), ...record]);
}

export function altered(message: Uint8Array, at: number, mask = 1): Uint8Array {
  const out = message.slice();
  out[at < 0 ? out.length + at : at] ^= mask;
  return out;
}

/** A record more, behind all others. */
function followedBy(message: Uint8Array, record: ArrayLike<number>): Uint8Array {
  const out = Uint8Array.from([...message, ...Array.from(record)]);
  out[11]++;
  return out;
}

/** The TSIG record moved into another section, by the counts alone. */
function inSection(message: Uint8Array, section: number): Uint8Array {
  const out = message.slice();
  out[11]--;
  out[section + 1]++;
  return out;
}

const OPT = [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0];
const tsigOf = (message: Uint8Array) => message.subarray(findTsig(message)!.offset);

export interface Row {
  readonly what: string;
  readonly message: Uint8Array;
  /** Sent again so often; the last answer counts. */
  readonly times?: number;
  readonly over?: "udp" | "tcp";
  readonly from?: string;
  readonly rcode: keyof typeof RCODE;
  /** The answer's TSIG: none, unsigned with an error, or signed with one. */
  readonly tsig: "none" | `${"unsigned" | "signed"} ${number}`;
  readonly ede?: number;
  /** What the log says; undefined: nothing above debug. */
  readonly log?: RegExp;
  /** Whom the answer is signed by. */
  readonly by?: TsigKey;
}

const REFUSED = { rcode: "REFUSED", ede: EDE.PROHIBITED } as const;
export const SOA_QUERY = { type: TYPE.SOA } as const;
export const ROWS: readonly Row[] = [
  {
    what: "rightly signed",
    message: signed(),
    rcode: "NOERROR",
    tsig: "signed 0",
    log: /transfer sent.*key=own\.key\./,
  },
  {
    what: "rightly signed, without EDNS",
    message: signed(OWN, { edns: false }),
    rcode: "NOERROR",
    tsig: "signed 0",
    log: /transfer sent/,
  },
  {
    what: "the key's name in other letters",
    message: rewritten(signed(), ({ keyName }) => ({
      keyName: keyName.map((o) => o >= 97 ? o - 32 : o),
    })),
    rcode: "NOERROR",
    tsig: "signed 0",
    log: /transfer sent/,
  },
  {
    what: "with another ID, as forwarders change it",
    message: altered(signed(), 0, 0xff),
    rcode: "NOERROR",
    tsig: "signed 0",
    log: /transfer sent/,
  },
  // Unsigned, or signed by others.
  {
    what: "unsigned",
    message: request(),
    ...REFUSED,
    tsig: "none",
    log: /transfer refused.*the request is not signed/,
  },
  {
    what: "signed with the key of another secondary",
    message: signed(OTHER),
    ...REFUSED,
    tsig: "signed 0",
    by: OTHER,
    log: /transfer refused.*signed with a key of another/,
  },
  {
    what: "rightly signed, from another address",
    message: signed(),
    from: "127.0.0.9",
    ...REFUSED,
    tsig: "signed 0",
    log: /transfer refused.*client may not transfer/,
  },
  {
    what: "unsigned, from another address",
    message: request(),
    from: "127.0.0.9",
    ...REFUSED,
    tsig: "none",
    log: /transfer refused.*client may not transfer/,
  },
  // Forged.
  {
    what: "a key we do not have",
    message: signed(key("no.key.", 1)),
    rcode: "NOTAUTH",
    tsig: "unsigned 17",
    log: /refused.*key=no\.key\..*BADKEY/,
  },
  {
    what: "our key's name with another algorithm",
    message: signed(key("own.key.", 1, undefined, "hmac-sha512")),
    rcode: "NOTAUTH",
    tsig: "unsigned 17",
    log: /refused.*BADKEY/,
  },
  {
    what: "another secret",
    message: signed(key("own.key.", 9)),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /refused.*key=own\.key\..*BADSIG/,
  },
  {
    what: "another secret, over UDP",
    message: signed(key("own.key.", 9), SOA_QUERY),
    over: "udp",
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /refused.*BADSIG/,
  },
  {
    what: "another secret, and late: the MAC comes first",
    message: signed(key("own.key.", 9), { at: NOW - 9_999 }),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "the question altered",
    message: altered(signed(), 27),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "a flag altered",
    message: altered(signed(), 3, 0x10),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "the time altered",
    message: rewritten(signed(), () => ({ timeSigned: timeOctets(NOW - 1) })),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "the fudge altered",
    message: rewritten(signed(), () => ({ fudge: 9_999 })),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "the original ID altered",
    message: rewritten(signed(), () => ({ originalId: 7 })),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "another's signature under it",
    message: rewritten(signed(), () => ({ mac: findTsig(signed(OWN, SOA_QUERY))!.mac })),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  {
    what: "a record put in before the signature",
    message: Uint8Array.from((() => {
      const message = signed(OWN, { edns: false });
      const at = findTsig(message)!.offset;
      return [...altered(message, 11, 3).subarray(0, at), ...OPT, ...message.subarray(at)];
    })()),
    rcode: "NOTAUTH",
    tsig: "unsigned 16",
    log: /BADSIG/,
  },
  // Late, early, replayed.
  {
    what: "300 s late",
    message: signed(OWN, { at: NOW - 300 }),
    rcode: "NOERROR",
    tsig: "signed 0",
    log: /transfer sent/,
  },
  {
    what: "300 s early",
    message: signed(OWN, { at: NOW + 300 }),
    rcode: "NOERROR",
    tsig: "signed 0",
    log: /transfer sent/,
  },
  {
    what: "301 s late",
    message: signed(OWN, { at: NOW - 301 }),
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /refused.*BADTIME: its time is 301 s behind ours/,
  },
  {
    what: "301 s early",
    message: signed(OWN, { at: NOW + 301 }),
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME: its time is 301 s ahead of ours/,
  },
  {
    what: "late, over UDP",
    message: signed(OWN, { ...SOA_QUERY, at: NOW - 301 }),
    over: "udp",
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME/,
  },
  {
    what: "an hour late with a fudge of a day",
    message: signed(OWN, { at: NOW - 3_600, fudge: 65_535 }),
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME/,
  },
  {
    what: "11 s late with a fudge of 10",
    message: signed(OWN, { at: NOW - 11, fudge: 10 }),
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME/,
  },
  {
    what: "of the year 1970",
    message: signed(OWN, { at: 0 }),
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME/,
  },
  {
    what: "of the last second there is",
    message: signed(OWN, { at: 2 ** 48 - 1 }),
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME/,
  },
  {
    what: "the same AXFR over TCP again",
    message: signed(),
    times: 2,
    rcode: "NOTAUTH",
    tsig: "signed 18",
    log: /BADTIME: .*replay/,
  },
  {
    what: "the same SOA query over UDP again",
    message: signed(OWN, SOA_QUERY),
    times: 2,
    over: "udp",
    rcode: "NOERROR",
    tsig: "signed 0",
  },
  {
    what: "the same SOA query over TCP again",
    message: signed(OWN, SOA_QUERY),
    times: 2,
    rcode: "NOERROR",
    tsig: "signed 0",
  },
  // Cut MACs.
  {
    what: "a MAC of 16 octets, where the key allows that",
    message: rewritten(signed(SHORT), ({ mac }) => ({ mac: mac.subarray(0, 16) })),
    rcode: "NOERROR",
    tsig: "signed 0",
    by: SHORT,
    log: /transfer sent/,
  },
  {
    what: "a MAC of 16 octets, where it does not",
    message: rewritten(signed(), ({ mac }) => ({ mac: mac.subarray(0, 16) })),
    rcode: "NOTAUTH",
    tsig: "signed 22",
    log: /BADTRUNC: its MAC has 16 octets/,
  },
  {
    what: "a MAC of 15 octets: less than half",
    message: rewritten(signed(SHORT), ({ mac }) => ({ mac: mac.subarray(0, 15) })),
    rcode: "FORMERR",
    tsig: "none",
    log: /refused.*malformed TSIG/,
  },
  {
    what: "a MAC longer than its algorithm's",
    message: rewritten(signed(), ({ mac }) => ({ mac: Uint8Array.from([...mac, 0]) })),
    rcode: "FORMERR",
    tsig: "none",
    log: /malformed TSIG/,
  },
  {
    what: "an empty MAC",
    message: rewritten(signed(), () => ({ mac: new Uint8Array(0) })),
    rcode: "FORMERR",
    tsig: "none",
    log: /malformed TSIG/,
  },
  // Cut or misplaced records.
  {
    what: "cut at its last octet",
    message: signed().subarray(0, -1),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "cut in the middle of the signature",
    message: signed().subarray(0, -40),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "octets behind the signature",
    message: Uint8Array.from([...signed(), 0]),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "the signature not last: OPT behind it",
    message: followedBy(signed(OWN, { edns: false }), OPT),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "two signatures",
    message: followedBy(signed(), tsigOf(signed())),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "the signature in the answer section",
    message: inSection(signed(OWN, { edns: false }), SECTION.ANSWER),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "the signature in the authority section",
    message: inSection(signed(OWN, { edns: false }), SECTION.AUTHORITY),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "a signature of class IN",
    message: (() => {
      const message = signed();
      const at = findTsig(message)!.offset + OWN.name.length + 2;
      return altered(message, at + 1, 0xfe);
    })(),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "a signature with a TTL",
    message: altered(signed(), findTsig(signed())!.offset + OWN.name.length + 7),
    rcode: "FORMERR",
    tsig: "none",
  },
  {
    what: "a signed NOTIFY",
    message: signed(OWN, { opcode: 4, type: TYPE.SOA }),
    rcode: "NOTIMP",
    tsig: "signed 0",
  },
  {
    what: "a signed NOTIFY without EDNS",
    message: signed(OWN, { opcode: 4, type: TYPE.SOA, edns: false }),
    rcode: "NOTIMP",
    tsig: "signed 0",
  },
  {
    what: "a NOTIFY with a forged signature",
    message: signed(key("own.key.", 9), { opcode: 4, type: TYPE.SOA }),
    rcode: "NOTIMP",
    tsig: "none",
  },
  {
    what: "a signed IXFR that does not say from where",
    message: signed(OWN, { type: TYPE.IXFR }),
    rcode: "FORMERR",
    tsig: "signed 0",
  },
].map((row) => row as Row);
