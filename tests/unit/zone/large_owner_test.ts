/** Owners whose records take several pages. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { type Name, parseName, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import { type AnswerRoom, lookupOwner, readOwners, ZoneVersion } from "../../../lib/zone/mod.ts";
import { NASTY_ZONES } from "../../support/nasty_zones.ts";
import { versionOfFile } from "../../support/our_primary.ts";

const APEX = `
@   300 SOA ns hostmaster 1 7200 3600 1209600 300
@   300 NS  ns
ns  300 A   192.0.2.1
`;

/** A zone with one owner of 5,000 records, the last of which ends in `last`. */
function versionWith(last: number): ZoneVersion {
  const addresses = Array.from({ length: 4_999 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const lines = [...addresses, `10.9.9.${last}`].map((address) => `big 300 A ${address}`);
  return versionOfFile("zone.test.", `${APEX}${lines.join("\n")}\n`);
}

const BIG = parseName("big.zone.test.");

function bigRecords(version: ZoneVersion) {
  const found = lookupOwner(version, BIG);
  assert(found.kind === "found");
  return found.records;
}

/** The last octet of the last record's address. */
function lastOctet(version: ZoneVersion): number | undefined {
  return bigRecords(version).at(-1)?.rdata[3];
}

Deno.test("an owner of several pages is read once, however often it is asked for", () => {
  const version = versionWith(1);
  assert(version.pages.length > 3);
  assertEquals(bigRecords(version).length, 5_000);
  assertStrictEquals(bigRecords(version), bigRecords(version));
});

Deno.test("and read anew when any of its pages is another", () => {
  const [first, second] = [versionWith(1), versionWith(2)];
  assertEquals([lastOctet(first), lastOctet(second), lastOctet(first)], [1, 2, 1]);
  // As after an edit: the pages before the change are shared.
  const { soa } = first;
  const last = first.pages.findLastIndex(({ part }) => part > 0);
  const pages = first.pages.map((page, i) => i === last ? second.pages[i] : page);
  assertEquals(lastOctet(new ZoneVersion(soa, pages)), 2);
  assertEquals(lastOctet(first), 1);
  const shorter = new ZoneVersion(soa, first.pages.toSpliced(last, 1));
  assert(bigRecords(shorter).length < 5_000);
  assertEquals(bigRecords(first).length, 5_000);
});

Deno.test("for an answer no more is read of an owner than has room in it, and nothing that has is missing", async (t) => {
  const rooms = [0, 100, 512, 1_232, 4_096];
  const types = [TYPE.A, TYPE.TXT, TYPE.MX, TYPE.NS, TYPE.RRSIG, TYPE.ANY];
  await t.step("owners of all kinds", () => {
    for (const [zone, text] of Object.entries({ ...NASTY_ZONES, "zone.test.": MIXED })) {
      const version = versionOfFile(zone, text);
      for (const { owner } of readOwners(version.pages)) {
        const all = byRrset(recordsOf(version, owner));
        for (const octets of rooms) {
          for (const type of types) {
            const read = byRrset(recordsOf(version, owner, { octets, type }));
            assertEquals([...read.keys()], [...all.keys()]);
            for (const [rrset, records] of read) {
              const whole = all.get(rrset)!;
              assertEquals(records, whole.slice(0, records.length));
              // As short as they can be sent: a pointer for the owner and for each name.
              const least = records.reduce((sum, { rdata }) => sum + 11 + rdata.length, 0);
              const isAsked = records[0].type === type || type === TYPE.ANY;
              if (isAsked && records.length < whole.length) assert(least > octets);
            }
          }
        }
      }
    }
  });
  await t.step("thousands of records", () => {
    const mixed = versionOfFile("zone.test.", MIXED);
    const read = (type: number) => recordsOf(mixed, BIG, { octets: 1_232, type }).length;
    assertEquals(recordsOf(mixed, BIG).length, 7_000);
    // Addresses may be in any answer, texts only in their own.
    assert(read(TYPE.A) <= 1_232 / 15 + 4, `${read(TYPE.A)} records were read`);
    assert(read(TYPE.TXT) <= 1_232 / 15 + 1_232 / 17 + 4, `${read(TYPE.TXT)} records were read`);
  });
});

/** An owner of several pages with several RRsets. */
const MIXED = APEX + Array.from({ length: 3_000 }, (_, i) =>
  `big 300 A 10.0.${i >> 8}.${i & 255}
big 300 TXT "text ${i}"
${i < 1_000 ? `big 300 MX ${i} x${i}.mail` : ""}
`).join("");

function recordsOf(version: ZoneVersion, owner: Name, room?: AnswerRoom) {
  const found = lookupOwner(version, owner, room);
  assert(found.kind === "found");
  return found.records;
}

/** Signatures by what they cover. */
function byRrset(records: readonly ResourceRecord[]): Map<string, ResourceRecord[]> {
  const rrsets = new Map<string, ResourceRecord[]>();
  for (const record of records) {
    const { type, rdata } = record;
    const rrset = type === TYPE.RRSIG ? `${type} ${rdata[0]} ${rdata[1]}` : String(type);
    rrsets.set(rrset, [...rrsets.get(rrset) ?? [], record]);
  }
  return rrsets;
}
