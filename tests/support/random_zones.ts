/** Random zones for property tests: small, with owners that share suffixes, sizes and cases. */
import fc from "fast-check";
import {
  canonicalKey,
  type Name,
  parseName,
  type ResourceRecord,
  TYPE,
} from "../../lib/dns/mod.ts";
import {
  normalizeOwner,
  type OwnerRecords,
  packRecords,
  readOwners,
  type ZoneVersion,
} from "../../lib/zone/mod.ts";

export const APEX = parseName("example.org.");

/** An SOA record of the test zone. */
export function soaOf(serial: number): ResourceRecord {
  const rdata = new Uint8Array(2 + 20);
  new DataView(rdata.buffer).setUint32(2, serial);
  return { owner: APEX, type: TYPE.SOA, ttl: 300, rdata };
}

const label = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => `app-${n}`),
  fc.constantFrom("www", "WWW", "a", "B", "*", "x\\.y", "\\000", "\\255z", "_tcp"),
);

/** An owner name at or under {@link APEX}. */
export const owner: fc.Arbitrary<Name> = fc.array(label, { minLength: 0, maxLength: 3 }).map((
  labels,
) => labels.length === 0 ? APEX : parseName(labels.join("."), APEX));

function octets(max: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: 1, maxLength: max });
}

/** TYPE and RDATA: fixed sizes, compressible names, opaque octets of any size. */
const typeAndRdata: fc.Arbitrary<[number, Uint8Array]> = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ minLength: 4, maxLength: 4 }).map(withType(TYPE.A)) },
  { weight: 2, arbitrary: owner.map((name) => withType(TYPE.NS)(name)) },
  {
    weight: 2,
    arbitrary: owner.map((name) => withType(TYPE.MX)(Uint8Array.of(0, 10, ...name))),
  },
  { weight: 2, arbitrary: octets(40).map(withType(65_280)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9_000 }).map(filled) },
);

function withType(type: number): (rdata: Uint8Array) => [number, Uint8Array] {
  return (rdata) => [type, rdata];
}

function filled(length: number): [number, Uint8Array] {
  return [65_281, new Uint8Array(length).fill(length)];
}

/** One record of the test zone. */
export const record: fc.Arbitrary<ResourceRecord> = fc.record({
  owner,
  typed: typeAndRdata,
  ttl: fc.constantFrom(0, 60, 300, 2 ** 31 - 1),
}).map(({ owner, typed: [type, rdata], ttl }) => ({ owner, type, ttl, rdata }));

/** Records as the sorted owners of a zone. */
export function toOwners(records: readonly ResourceRecord[]): OwnerRecords[] {
  const byKey = new Map<string, ResourceRecord[]>();
  for (const record of records) {
    const key = canonicalKey(record.owner);
    byKey.set(key, [...byKey.get(key) ?? [], record]);
  }
  return [...byKey.keys()].sort().map((key) => {
    const normal = normalizeOwner(byKey.get(key)!).records;
    return { key, owner: normal[0].owner, records: normal };
  });
}

/** All records of a version but the SOA, as uncompressed octets. */
export function octetsOf(version: ZoneVersion): Uint8Array {
  return packRecords([...readOwners(version.pages)].flatMap((owner) => [...owner.records])).octets;
}

/** All records of owners as uncompressed octets. */
export function octetsOfOwners(owners: readonly OwnerRecords[]): Uint8Array {
  return packRecords(owners.flatMap((owner) => [...owner.records])).octets;
}

/** Runs a generator to its end without a pause; gives what it returns. */
export function drain<R>(steps: Iterator<unknown, R>): R {
  while (true) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
