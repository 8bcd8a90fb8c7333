/** BIND's named-compilezone as the judge of RDATA: it reads what we print, and we read what it prints. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  canonicalRdata,
  formatName,
  lowerName,
  parseName,
  parseRdata,
  type ResourceRecord,
  TYPE,
  typeName,
} from "../../lib/dns/mod.ts";
import { printMasterFile, readMasterFile } from "../../lib/zone/mod.ts";
import { names, typedRdata } from "../support/arbitraries.ts";
import { interopTest } from "../support/interop.ts";
import { toHex } from "../support/octets.ts";
import { canonicalLines } from "../support/zone_text.ts";

const APEX = parseName("Example.com.");
const RECORDS = 1500;

/**
 * Types BIND judges by more than their form: obsolete ones it refuses, those whose key must
 * begin with its algorithm's name, and SOA, which may stand once.
 */
const LEFT_OUT: readonly number[] = [
  TYPE.CDNSKEY,
  TYPE.DNSKEY,
  TYPE.HIP,
  TYPE.KEY,
  TYPE.MD,
  TYPE.MF,
  TYPE.NULL,
  TYPE.SOA,
];

/** A zone of random records, each at an owner of its own. */
function randomZone(seed: number): ResourceRecord[] {
  const record = (type: number, text: string) => ({
    owner: APEX,
    type,
    ttl: 300,
    rdata: parseRdata(type, text, APEX),
  });
  const zone: ResourceRecord[] = [
    record(TYPE.SOA, "ns hm 1 2 3 4 5"),
    record(TYPE.NS, "ns.other."),
  ];
  const samples = fc.sample(fc.tuple(typedRdata, names(80)), { numRuns: RECORDS, seed });
  for (const [i, [{ type, rdata }, name]] of samples.entries()) {
    if (LEFT_OUT.includes(type)) continue;
    const labels = [parseName(`x${i}.`), name].map((part) => part.subarray(0, -1));
    const owner = Uint8Array.of(...labels[0], ...labels[1], ...APEX);
    zone.push({ owner, type, ttl: 300, rdata });
  }
  return zone;
}

/** Records as sorted lines, equal when the records are. */
function comparable(records: readonly ResourceRecord[]): string[] {
  return records.map(({ owner, type, ttl, rdata }) =>
    [
      formatName(lowerName(owner)),
      ttl,
      typeName(type),
      toHex(lowerName(canonicalRdata(type, rdata))),
    ].join(" ")
  ).sort();
}

/** Shows only what differs: whole zones would hide it. */
function assertSame(actual: readonly ResourceRecord[], expected: readonly ResourceRecord[]): void {
  const [theirs, ours] = [comparable(actual), comparable(expected)];
  const without = (list: string[], other: string[]) => {
    const known = new Set(other);
    return list.filter((line) => !known.has(line));
  };
  assertEquals(without(theirs, ours), without(ours, theirs));
  assertEquals(theirs.length, ours.length);
}

/** BIND's reading of a master file, read back. */
async function throughBind(text: string): Promise<ResourceRecord[]> {
  const lines = await canonicalLines("Example.com.", text);
  return readMasterFile(lines.join("\n"), { file: "named-compilezone", origin: APEX }).records;
}

interopTest("BIND reads every type as we print it, and we read BIND's", {
  needs: ["compilezone"],
}, async () => {
  const zone = randomZone(9);
  const text = [...printMasterFile(APEX, zone)].join("\n") + "\n";
  assertSame(await throughBind(text), zone);
});

interopTest("BIND takes the octets of every type we take", { needs: ["compilezone"] }, async () => {
  const zone = randomZone(10);
  const text = zone.map(({ owner, type, rdata }) =>
    `${formatName(owner)} 300 IN ${typeName(type)} \\# ${rdata.length} ${toHex(rdata)}\n`
  ).join("");
  assertSame(await throughBind(text), zone);
});
