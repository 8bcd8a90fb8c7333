/**
 * What the RDATA of each type is made of. A type not listed here has no text
 * form but `\# LENGTH HEX` (RFC 3597 §5).
 *
 * One entry serves reading, checking and printing. Pure.
 */
import { labelCount } from "../name.ts";
import { TYPE } from "../types.ts";
import { aplItems, eui48, eui64, ilnp64, ipv4, ipv6 } from "./addresses.ts";
import { base64Rest, hashedOwner, hexRest, nsapHex, salt } from "./binary.ts";
import type { FieldCodec } from "./codec.ts";
import { location } from "./loc.ts";
import { domainName } from "./names.ts";
import { naptrRegexp } from "./naptr_regexp.ts";
import { algorithm, certificateType, period, rrType, time, u16, u32, u8 } from "./numbers.ts";
import { caaTag, characterString, characterStrings, longText, x25Address } from "./strings.ts";
import { svcParams } from "./svcb.ts";
import { typeBitmap } from "./type_bitmap.ts";

/** How the names in a type's RDATA are treated. */
export interface NameRule {
  /** Whether senders may compress them: only in the types of RFC 1035 (RFC 3597 §4). */
  readonly compressible: boolean;
  /** Whether receivers expand compression in them (RFC 3597 §4). */
  readonly expanded: boolean;
  /** Whether the canonical form has them in lower case (RFC 4034 §6.2, RFC 6840 §5.1). */
  readonly lowered: boolean;
}

const RFC1035: NameRule = { compressible: true, expanded: true, lowered: true };
const RFC3597: NameRule = {
  compressible: false,
  expanded: true,
  lowered: true,
};
const CANONICAL: NameRule = {
  compressible: false,
  expanded: false,
  lowered: true,
};
const LITERAL: NameRule = {
  compressible: false,
  expanded: false,
  lowered: false,
};

/** One named field. */
export interface Field {
  /** As the type's RFC calls it. */
  readonly name: string;
  readonly codec: FieldCodec;
}

/** The form of one type's RDATA. */
export interface RdataLayout {
  readonly fields: readonly Field[];
  readonly names: NameRule;
  /** The fields in words, for hints. */
  readonly takes: string;
  /** Number of fields up to the last name, that included; 0 when it has none. */
  readonly throughLastName: number;
  /** What is wrong with whole RDATA whose fields are right; undefined when nothing is. */
  readonly flaw?: (rdata: Uint8Array) => string | undefined;
}

const LAYOUTS = new Map<number, RdataLayout>();

function layout(
  types: readonly number[],
  fields: Readonly<Record<string, FieldCodec>>,
  names: NameRule = LITERAL,
  flaw?: RdataLayout["flaw"],
): void {
  const list = Object.entries(fields).map(([name, codec]) => ({ name, codec }));
  const entry: RdataLayout = {
    fields: list,
    names,
    takes: list.map((field) => field.name).join(" "),
    throughLastName: list.findLastIndex((f) => f.codec === domainName) + 1,
    flaw,
  };
  for (const type of types) LAYOUTS.set(type, entry);
}

/** The form of a type's RDATA, or undefined for a type known by number only. */
export function layoutOf(type: number): RdataLayout | undefined {
  return LAYOUTS.get(type);
}

/** The types that have a presentation format of their own, by number. */
export function typesWithLayout(): number[] {
  return [...LAYOUTS.keys()].sort((a, b) => a - b);
}

/** A digest's length must be that of its kind, where the kind is known. */
function digestFlaw(
  kindAt: number,
  digestAt: number,
  octetsOfKind: Readonly<Record<number, number>>,
  leastOctets = 1,
): RdataLayout["flaw"] {
  return (rdata) => {
    const octets = rdata.length - digestAt;
    const wanted = octetsOfKind[rdata[kindAt]];
    if (wanted === undefined ? octets >= leastOctets : octets === wanted) {
      return;
    }
    return wanted === undefined
      ? `has a digest of ${octets} octets, at least ${leastOctets} are needed`
      : `has a digest of ${octets} octets, kind ${rdata[kindAt]} has ${wanted}`;
  };
}

const T = TYPE;

// RFC 1035 §3.3 and §3.4, RFC 3596
layout([T.A], { address: ipv4 });
layout([T.AAAA], { address: ipv6 });
layout(
  [T.NS, T.MD, T.MF, T.CNAME, T.MB, T.MG, T.MR, T.PTR],
  { name: domainName },
  RFC1035,
);
layout([T.SOA], {
  mname: domainName,
  rname: domainName,
  serial: u32,
  refresh: period,
  retry: period,
  expire: period,
  minimum: period,
}, RFC1035);
layout([T.MINFO], { rmailbx: domainName, emailbx: domainName }, RFC1035);
layout([T.MX], { preference: u16, exchange: domainName }, RFC1035);
layout([T.HINFO], { cpu: characterString, os: characterString });
layout([T.TXT, T.SPF], { strings: characterStrings(1) });

// RFC 1183, RFC 1706, RFC 2163, RFC 2230, RFC 2782, RFC 3403, RFC 6672
layout([T.RP], { mailbox: domainName, text: domainName }, RFC3597);
layout([T.AFSDB], { subtype: u16, hostname: domainName }, RFC3597);
layout([T.X25], { address: x25Address });
layout([T.ISDN], { strings: characterStrings(1, 2) });
layout([T.RT], { preference: u16, intermediate: domainName }, RFC3597);
layout([T.NSAP], { address: nsapHex });
layout(
  [T.PX],
  { preference: u16, map822: domainName, mapx400: domainName },
  RFC3597,
);
layout([T.KX], { preference: u16, exchanger: domainName }, CANONICAL);
layout(
  [T.SRV],
  { priority: u16, weight: u16, port: u16, target: domainName },
  RFC3597,
);
layout([T.NAPTR], {
  order: u16,
  preference: u16,
  flags: characterString,
  services: characterString,
  regexp: naptrRegexp,
  replacement: domainName,
}, RFC3597);
layout([T.DNAME], { target: domainName }, CANONICAL);
layout([T.LOC], { location });
layout([T.APL], { items: aplItems });

// DNSSEC: RFC 4034, RFC 5155, RFC 7344, RFC 7477, RFC 4431, RFC 2535
/** Offset of the signer's name in RRSIG (RFC 4034 §3.1). */
const SIGNER_AT = 18;

const signature = {
  covered: rrType,
  algorithm,
  labels: u8,
  "original-ttl": period,
  expiration: time,
  inception: time,
  "key-tag": u16,
  signer: domainName,
  signature: base64Rest(1),
};
layout([T.RRSIG], signature, CANONICAL, (rdata) => {
  // RFC 4035 §5.3.1: the signer is at or above the owner.
  const signer = labelCount(rdata.subarray(SIGNER_AT));
  return signer <= rdata[3] ? undefined : `has ${rdata[3]} labels, its signer ${signer}`;
});
layout([T.SIG], signature, RFC3597);
layout([T.DNSKEY, T.CDNSKEY], {
  flags: u16,
  protocol: u8,
  algorithm,
  key: base64Rest(1),
});
layout([T.KEY], { flags: u16, protocol: u8, algorithm, key: base64Rest(0) });
layout(
  [T.DS, T.CDS, T.DLV],
  { "key-tag": u16, algorithm, "digest-type": u8, digest: hexRest(1) },
  LITERAL,
  digestFlaw(3, 4, { 1: 20, 2: 32, 4: 48 }),
);
layout([T.NSEC], { next: domainName, types: typeBitmap(1) });
layout(
  [T.NSEC3],
  {
    hash: u8,
    flags: u8,
    iterations: u16,
    salt,
    next: hashedOwner,
    types: typeBitmap(0),
  },
  LITERAL,
  (rdata) => {
    const hash = rdata[5 + rdata[4]];
    // Kind 1 is SHA-1, the only one (RFC 5155 §11).
    return rdata[0] === 1 && hash !== 20
      ? `has a hash of ${hash} octets, kind 1 has 20`
      : undefined;
  },
);
layout(
  [T.NSEC3PARAM],
  { hash: u8, flags: u8, iterations: u16, salt },
  LITERAL,
  // RFC 5155 §11; Knot, BIND and PowerDNS refuse a zone with another.
  (rdata) => rdata[0] === 1 ? undefined : `has hash ${rdata[0]}, there is only 1`,
);
layout([T.CSYNC], { serial: u32, flags: u16, types: typeBitmap(0) });
layout(
  [T.ZONEMD],
  { serial: u32, scheme: u8, hash: u8, digest: hexRest(1) },
  LITERAL,
  digestFlaw(5, 6, { 1: 48, 2: 64 }, 12), // RFC 8976 §2.2.4
);

// Keys and certificates: RFC 4255, RFC 4398, RFC 4701, RFC 6698, RFC 7929, RFC 8162
layout(
  [T.SSHFP],
  { algorithm: u8, "fingerprint-type": u8, fingerprint: hexRest(1) },
  LITERAL,
  digestFlaw(1, 2, { 1: 20, 2: 32 }),
);
layout(
  [T.CERT],
  { type: certificateType, "key-tag": u16, algorithm, certificate: base64Rest(1) },
  LITERAL,
  (rdata) => rdata[0] === 0 && rdata[1] === 0 ? "has type 0, which is reserved" : undefined,
);
layout([T.DHCID], { digest: base64Rest(1) });
layout([T.TLSA, T.SMIMEA], {
  usage: u8,
  selector: u8,
  "matching-type": u8,
  certificate: hexRest(1),
});
layout([T.OPENPGPKEY], { key: base64Rest(1) });

// RFC 6742, RFC 7043, RFC 7553, RFC 8659, RFC 9460
layout([T.NID], { preference: u16, id: ilnp64 });
layout([T.L32], { preference: u16, locator: ipv4 });
layout([T.L64], { preference: u16, locator: ilnp64 });
layout([T.LP], { preference: u16, fqdn: domainName });
layout([T.EUI48], { address: eui48 });
layout([T.EUI64], { address: eui64 });
layout([T.URI], { priority: u16, weight: u16, target: longText(1) });
layout([T.CAA], { flags: u8, tag: caaTag, value: longText(0) });
layout(
  [T.SVCB, T.HTTPS],
  { priority: u16, target: domainName, params: svcParams },
  LITERAL,
  (rdata) => {
    // RFC 9460 §2.4.2: they mean nothing there, and PowerDNS refuses a zone with any.
    const isAlias = rdata[0] === 0 && rdata[1] === 0;
    return isAlias && rdata.length > 2 + nameLength(rdata, 2)
      ? "is an alias (priority 0) with parameters"
      : undefined;
  },
);

/** Octets of the uncompressed name at an offset. */
function nameLength(octets: Uint8Array, from: number): number {
  let at = from;
  while (octets[at] !== 0) at += 1 + octets[at];
  return at + 1 - from;
}
