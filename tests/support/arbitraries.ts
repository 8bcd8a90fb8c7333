/** Random names, RDATA and records for property tests: well-formed, and as odd as the rules allow. */
import fc from "fast-check";
import { type Name, type ResourceRecord, ROOT, TYPE, typesWithLayout } from "../../lib/dns/mod.ts";

type Octets = fc.Arbitrary<Uint8Array>;

const joined = (...parts: Octets[]): Octets =>
  fc.tuple(...parts).map((list) => Uint8Array.from(list.flatMap((part) => [...part])));

const octets = (minLength: number, maxLength = minLength): Octets =>
  fc.uint8Array({ minLength, maxLength });

const fixed = (...values: number[]): Octets => fc.constant(Uint8Array.of(...values));

/** Octets with their length in an octet before them. */
const counted = (content: Octets): Octets =>
  content.map((part) => Uint8Array.of(part.length, ...part));

const u8 = octets(1);
const u16 = octets(2);
const u32 = octets(4);
/** A u16 that is not 0. */
const nonZero: Octets = fc.integer({ min: 1, max: 65_535 })
  .map((value) => Uint8Array.of(value >> 8, value & 255));
const string = counted(octets(0, 255));

/** One octet of a label: any, but often a letter or a character that means something in text. */
const labelOctet = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(...new TextEncoder().encode('abcXYZ019-_*.\\"();@$ \t')),
);

/** A name of at most `maxOctets`, any octets in its labels. */
export function names(maxOctets = 255): fc.Arbitrary<Name> {
  return fc.array(fc.array(labelOctet, { minLength: 1, maxLength: 63 }), { maxLength: 8 })
    .map((labels) => {
      while (labels.reduce((sum, label) => sum + 1 + label.length, 1) > maxOctets) labels.pop();
      return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
    });
}

const name = names();

/** Type bit map windows, ascending, none ending in zero. */
const bitmap = (minLength: number): Octets =>
  fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength, maxLength: 20 })
    .map((types) => {
      const windows = new Map<number, number[]>();
      for (const type of types.sort((a, b) => a - b)) {
        const bits = windows.get(type >> 8) ?? [];
        windows.set(type >> 8, bits);
        while (bits.length <= (type & 0xff) >> 3) bits.push(0);
        bits[(type & 0xff) >> 3] |= 0x80 >> (type & 7);
      }
      return Uint8Array.from([...windows].flatMap(([w, bits]) => [w, bits.length, ...bits]));
    });

const loc: Octets = fc.tuple(
  fc.array(
    fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9 }))
      .map(([base, power]) => base << 4 | power),
    { minLength: 3, maxLength: 3 },
  ),
  fc.integer({ min: -324_000_000, max: 324_000_000 }),
  fc.integer({ min: -648_000_000, max: 648_000_000 }),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
).map(([sizes, latitude, longitude, altitude]) => {
  const out = new Uint8Array(16);
  const view = new DataView(out.buffer);
  out.set(sizes, 1);
  view.setUint32(4, 2 ** 31 + latitude);
  view.setUint32(8, 2 ** 31 + longitude);
  view.setUint32(12, altitude);
  return out;
});

const aplItem: Octets = fc.tuple(fc.constantFrom(1, 2), fc.boolean(), octets(0, 4), u8)
  .map(([family, not, part, [prefix]]) => {
    const end = part.findLastIndex((octet) => octet !== 0) + 1;
    const bits = family === 1 ? 33 : 129;
    return Uint8Array.of(
      0,
      family,
      prefix % bits,
      (not ? 0x80 : 0) | end,
      ...part.subarray(0, end),
    );
  });

const list = (item: Octets, minLength: number, maxLength: number): Octets =>
  fc.array(item, { minLength, maxLength })
    .map((items) => Uint8Array.from(items.flatMap((part) => [...part])));

/** RFC 8005 §5: the lengths of tag and key first, then both, then names of servers. */
const hip: Octets = fc.tuple(octets(1, 40), u8, octets(1, 80), list(name, 0, 2))
  .map(([tag, algorithm, key, servers]) =>
    Uint8Array.of(tag.length, ...algorithm, 0, key.length, ...tag, ...key, ...servers)
  );

/** SvcParams in order; `mandatory` names some of the others. */
const svcParams: Octets = fc.record({
  1: list(counted(octets(1, 20)), 1, 3),
  2: fixed(),
  3: u16,
  4: list(octets(4), 1, 3),
  5: octets(1, 40),
  6: list(octets(16), 1, 3),
  7: fc.stringMatching(/^[a-z/ é%&=]{0,10}$/).map((path) =>
    new TextEncoder().encode(`/${path.replaceAll("%", "%2F")}{?x,dns}`)
  ),
  8: fixed(),
  9: octets(0, 40),
  65280: octets(0, 40),
}, { requiredKeys: [] }).chain((record) => {
  const params = new Map(Object.entries(record).map(([key, value]) => [Number(key), value]));
  const keys = [...params.keys()].filter((key) => key !== 2 || params.has(1));
  return fc.subarray(keys).map((mandatory) => {
    const all = keys.map((key) => [key, params.get(key) ?? []] as const);
    const first = mandatory.sort((a, b) => a - b).flatMap((key) => [key >> 8, key & 0xff]);
    const wire = first.length > 0 ? [[0, first] as const, ...all] : all;
    return Uint8Array.from(
      wire.sort(([a], [b]) => a - b).flatMap(([key, value]) => [
        key >> 8,
        key & 0xff,
        value.length >> 8,
        value.length & 0xff,
        ...value,
      ]),
    );
  });
});

const digest = (before: Octets, lengths: Readonly<Record<number, number>>, other: number): Octets =>
  fc.oneof(
    ...Object.entries(lengths).map(([kind, length]) =>
      joined(before, fixed(Number(kind)), octets(length))
    ),
    joined(before, fixed(200), octets(other, other + 40)),
  );

const ds = digest(joined(u16, u8), { 1: 20, 2: 32, 4: 48 }, 1);
const signature = fc.tuple(u16, u8, u8, octets(14), name, octets(1, 80)).map(
  ([covered, algorithm, [more], times, signer, mac]) => {
    let labels = 0;
    for (let at = 0; signer[at] !== 0; at += 1 + signer[at]) labels++;
    return Uint8Array.of(
      ...covered,
      ...algorithm,
      Math.min(255, labels + more),
      ...times,
      ...signer,
      ...mac,
    );
  },
);
const nsec3 = fc.oneof(
  joined(fixed(1), u8, u16, string, counted(octets(20)), bitmap(0)),
  joined(fixed(2), u8, u16, string, counted(octets(1, 255)), bitmap(0)),
);
const key = joined(u16, u8, u8, octets(1, 80));
/** Priority 0 is an alias, which has no parameters. */
const svcb = fc.oneof(
  { weight: 1, arbitrary: joined(fixed(0, 0), name) },
  { weight: 9, arbitrary: joined(nonZero, name, svcParams) },
);
const tlsa = joined(u8, u8, u8, octets(1, 80));
const caaTag = counted(
  fc.array(fc.constantFrom(...new TextEncoder().encode("azAZ09")), { minLength: 1, maxLength: 15 })
    .map((tag) => Uint8Array.from(tag)),
);

/** Substitution expressions; the pattern has two groups. */
const regexp: Octets = fc.tuple(
  fc.constantFrom("!", "/", "#", '"', "\xff"),
  fc.constantFrom("^(.*)(a|b)$", "()x(y+)", "([0-9]{2,3})([^]]*)", "([[:alpha:]a-z]?)(\\.)"),
  fc.stringMatching(/^[a-z@: ;]{0,20}$/),
  fc.constantFrom("", "\\1", "\\2\\1", "\\;"),
  fc.constantFrom("", "i"),
).map(([delimiter, pattern, text, reference, flags]) =>
  Uint8Array.from(
    [delimiter, pattern, delimiter, text, reference, delimiter, flags].join(""),
    (c) => c.charCodeAt(0),
  )
);

const T = TYPE;

/** Well-formed RDATA of each type with a text form. */
export const RDATA: ReadonlyMap<number, Octets> = new Map<number, Octets>([
  [T.A, u32],
  [T.AAAA, fc.oneof(octets(16), joined(octets(2), fixed(0, 0, 0, 0, 0, 0), octets(8)))],
  ...[T.NS, T.MD, T.MF, T.CNAME, T.MB, T.MG, T.MR, T.PTR, T.DNAME].map((type) =>
    [type, name] as [number, Octets]
  ),
  [T.SOA, joined(name, name, octets(20))],
  [T.MINFO, joined(name, name)],
  [T.RP, joined(name, name)],
  ...[T.MX, T.AFSDB, T.RT, T.KX, T.LP].map((type) => [type, joined(u16, name)] as [number, Octets]),
  [T.PX, joined(u16, name, name)],
  [T.HINFO, joined(string, string)],
  [T.TXT, list(string, 1, 5)],
  [T.SPF, list(string, 1, 5)],
  [
    T.X25,
    counted(fc.stringMatching(/^[0-9]{4,20}$/).map((text) => new TextEncoder().encode(text))),
  ],
  [T.ISDN, list(string, 1, 2)],
  [T.NSAP, octets(1, 20)],
  [T.SRV, joined(u16, u16, u16, name)],
  [T.NAPTR, joined(u16, u16, string, string, counted(regexp), name)],
  [T.LOC, loc],
  [T.APL, list(aplItem, 0, 4)],
  [T.RRSIG, signature],
  [T.SIG, signature],
  [T.DNSKEY, key],
  [T.CDNSKEY, key],
  [T.KEY, joined(u16, u8, u8, octets(0, 80))],
  [T.DS, ds],
  [T.CDS, ds],
  [T.DLV, ds],
  [T.NSEC, joined(name, bitmap(1))],
  [T.NSEC3, nsec3],
  [T.NSEC3PARAM, joined(fixed(1), u8, u16, string)],
  [T.CSYNC, joined(u32, u16, bitmap(0))],
  [T.ZONEMD, digest(joined(u32, u8), { 1: 48, 2: 64 }, 12)],
  [T.SSHFP, digest(u8, { 1: 20, 2: 32 }, 1)],
  [T.CERT, joined(nonZero, u16, u8, octets(1, 80))],
  [T.DHCID, octets(1, 80)],
  [T.TLSA, tlsa],
  [T.SMIMEA, tlsa],
  [T.OPENPGPKEY, octets(1, 80)],
  [T.NID, octets(10)],
  [T.L32, octets(6)],
  [T.L64, octets(10)],
  [T.EUI48, octets(6)],
  [T.EUI64, octets(8)],
  [T.URI, joined(u16, u16, octets(1, 300))],
  [T.CAA, joined(u8, caaTag, octets(0, 300))],
  [T.SVCB, svcb],
  [T.HTTPS, svcb],
]);

/** A type and RDATA well-formed for it; one in some is a type known by number only. */
export const typedRdata: fc.Arbitrary<{ type: number; rdata: Uint8Array }> = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...typesWithLayout()) },
  { weight: 1, arbitrary: fc.constantFrom(T.NULL, T.HIP, 731, 65_280) },
).chain((type) =>
  (RDATA.get(type) ?? (type === T.HIP ? hip : octets(1, 300))).map((rdata) => ({ type, rdata }))
);

/** Records at or below an apex. */
export function records(apex: Name = ROOT): fc.Arbitrary<ResourceRecord> {
  return fc.tuple(names(256 - apex.length), fc.integer({ min: 0, max: 2 ** 31 - 1 }), typedRdata)
    .map(([name, ttl, { type, rdata }]) => ({
      owner: Uint8Array.of(...name.subarray(0, -1), ...apex),
      type,
      ttl,
      rdata,
    }));
}
