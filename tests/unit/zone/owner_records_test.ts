import { assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { normalizeOwner } from "../../../lib/zone/mod.ts";
import { recordOf } from "../../support/zone_version.ts";

const APEX = parseName("example.org.");
const signature = (covered: string, ttl: number) =>
  recordOf(
    `www ${ttl} RRSIG ${covered} 13 3 ${ttl} 20380101000000 20260101000000 1 example.org. AAAA`,
    APEX,
  );

Deno.test("a signature keeps the TTL of what it covers (RFC 4034 §3)", () => {
  const records = [signature("TXT", 60), signature("A", 600)];
  const { records: kept, ttlsDiffered } = normalizeOwner(records);
  assertEquals(kept.map(({ ttl }) => ttl), [600, 60]);
  assertEquals(ttlsDiffered, false);
});

Deno.test("signatures over one RRset share one TTL, as records of other types do", () => {
  const lines = ["www 300 A 192.0.2.1", "www 60 A 192.0.2.2"];
  const { records, ttlsDiffered } = normalizeOwner(lines.map((line) => recordOf(line, APEX)));
  assertEquals([records.map(({ ttl }) => ttl), ttlsDiffered], [[60, 60], true]);
});
