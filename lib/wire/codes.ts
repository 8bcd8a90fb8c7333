/**
 * Numbers of the DNS message header and of EDNS.
 *
 * Pure. Specs: RFC 1035 §4.1.1, RFC 6891, RFC 6895 §2, RFC 8945 §3.
 */

/** Octets of a message's header. */
export const MESSAGE_HEADER_OCTETS = 12;
/** The longest message: what a TCP length prefix can say (RFC 1035 §4.2.2). */
export const MAX_MESSAGE_OCTETS = 0xffff;
/** The longest UDP message for a client without EDNS (RFC 1035 §4.2.1). */
export const MIN_UDP_OCTETS = 512;
/** The longest UDP message we send, octets: fits a path MTU of 1280 whole (RFC 9715 §3.1). */
export const MAX_UDP_OCTETS = 1232;

export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const;

/** RCODEs; those above 15 travel in an OPT record or, BADKEY, in a TSIG record. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
  BADKEY: 17,
  BADCOOKIE: 23,
} as const;

/** EDNS options that are understood here (RFC 5001, 7314, 7828, 7830, 7873, 8914). */
export const OPTION = {
  NSID: 3,
  EXPIRE: 9,
  COOKIE: 10,
  TCP_KEEPALIVE: 11,
  PADDING: 12,
  EDE: 15,
} as const;

/** The INFO-CODEs of extended errors given here (RFC 8914 §4; 30: RFC 9824 §3.5). */
export const EDE = {
  OTHER: 0,
  PROHIBITED: 18,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  INVALID_TYPE: 30,
} as const;
export type ExtendedError = typeof EDE[keyof typeof EDE];

const RCODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(RCODE).map(([name, code]) => [code, name]),
);

/** The mnemonic of an RCODE, RCODEnnn when it has none here. */
export function rcodeName(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}

/** Bits of the header's second 16-bit word. */
export const FLAG = {
  /** A response, not a query. */
  QR: 0x8000,
  /** Authoritative answer. */
  AA: 0x0400,
  /** Truncated. */
  TC: 0x0200,
  /** Recursion desired; copied into a response. */
  RD: 0x0100,
  /** Recursion available; never set here. */
  RA: 0x0080,
  /** Authentic data. */
  AD: 0x0020,
  /** Checking disabled; copied into a response (RFC 4035 §3.1.6). */
  CD: 0x0010,
} as const;

/** The opcode in the header's flags word. */
export function opcodeOf(flags: number): number {
  return flags >> 11 & 0xf;
}

/** CLASS CH, in which servers are asked about themselves. */
export const CLASS_CH = 3;
/** CLASS ANY, the class of a TSIG record. */
export const CLASS_ANY = 255;
