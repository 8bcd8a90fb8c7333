/** Owners whose records take several pages. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { lookupOwner, ZoneVersion } from "../../../lib/zone/mod.ts";
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
