/** A candidate gives back what was added, owner by owner, in canonical order. */
import { assertEquals } from "@std/assert";
import { canonicalKey, parseName, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import { CandidateZone } from "../../../lib/zone/candidate.ts";
import { WireRecord } from "../../../lib/zone/wire_record.ts";
import { drain } from "../../support/random_zones.ts";
import { randomOf } from "../../support/random.ts";

const APEX = parseName("example.org.");
const ZONE = { apex: APEX, apexKey: canonicalKey(APEX) };
const scratch = new WireRecord();

function add(candidate: CandidateZone, record: ResourceRecord): void {
  scratch.take(record, canonicalKey(record.owner), ZONE.apexKey, APEX);
  candidate.add(scratch);
}

function address(name: string, last: number): ResourceRecord {
  const rdata = Uint8Array.of(192, 0, last >> 8, last);
  return { owner: parseName(name, APEX), type: TYPE.A, ttl: 60, rdata };
}

Deno.test("owners come in canonical order with all their records, whatever the order they came in", () => {
  const random = randomOf(1);
  const candidate = new CandidateZone(ZONE);
  const wanted = new Map<string, number[]>();
  // More than one run of the sort; prefixes shared by none, few and very many.
  for (let i = 0; i < 40_000; i++) {
    const number = Math.floor(random() * 15_000);
    const name = i % 3 === 0 ? `app-${number.toString(16)}` : `${number % 97}.sub-${number % 31}.x`;
    const record = address(name, i & 0xffff);
    add(candidate, record);
    const key = canonicalKey(record.owner);
    wanted.set(key, [...wanted.get(key) ?? [], i & 0xffff]);
  }
  drain(candidate.sort());
  const owners = [...candidate.owners()];
  assertEquals(owners.map(({ key }) => key), [...wanted.keys()].sort());
  for (const { key, records, troubled } of owners) {
    assertEquals(troubled, false);
    const found = records.map(({ rdata }) => rdata[2] << 8 | rdata[3]).sort((a, b) => a - b);
    assertEquals(found, wanted.get(key)!.sort((a, b) => a - b));
  }
  candidate.release();
  assertEquals(candidate.isEmpty, true);
});

Deno.test("the apex comes first; spellings, escapes and the longest names come back as added", () => {
  const long = Array(3).fill("l".repeat(63)).join(".") + "." + "m".repeat(49);
  const names = [
    "@",
    "UPPER.lower",
    "upper.Lower",
    "\\000.\\001",
    "\\255z",
    "*",
    long,
    "x.EXAMPLE.org.",
  ];
  const candidate = new CandidateZone(ZONE);
  for (const [i, name] of names.entries()) add(candidate, address(name, i));
  drain(candidate.sort());
  const owners = [...candidate.owners()];
  assertEquals(owners[0].key, ZONE.apexKey);
  const back = owners.flatMap(({ records }) => records);
  for (const [i, name] of names.entries()) {
    const record = back.find(({ rdata }) => rdata[3] === i)!;
    assertEquals(record.owner, parseName(name, APEX));
  }
});

Deno.test("an owner asked for comes without records, one in trouble is marked, large RDATA is whole", () => {
  const candidate = new CandidateZone(ZONE);
  const rdata = new Uint8Array(65_000).fill(7);
  const record = { owner: parseName("big", APEX), type: 65_280, ttl: 1, rdata };
  for (let i = 0; i < 40; i++) add(candidate, { ...record, type: 65_280 + i });
  candidate.ask(canonicalKey(parseName("asked", APEX)));
  candidate.trouble(canonicalKey(parseName("big", APEX)));
  drain(candidate.sort());
  const [asked, big] = [...candidate.owners()];
  assertEquals([asked.records.length, asked.troubled], [0, false]);
  assertEquals([big.records.length, big.troubled], [40, true]);
  assertEquals(big.records.every(({ rdata: r }) => r.length === 65_000 && r[64_999] === 7), true);
});
