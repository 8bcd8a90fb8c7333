/** One row, one verdict: owners that a type cannot have. */
import { assertEquals } from "@std/assert";
import { canonicalKey, parseName } from "../../../lib/dns/mod.ts";
import { readRow, type RowZone } from "../../../lib/zone/mod.ts";

const APEX = parseName("example.org.");
const ZONE: RowZone = {
  name: "example.org.",
  apex: APEX,
  apexKey: canonicalKey(APEX),
  defaultTtl: 300,
};
const HASH = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";
const NSEC3 = `1 0 0 - ${HASH}`;

/** The code of the row's problem, or "good". */
function verdict(name: string, type: string, content: string): string {
  const read = readRow({ name, type, ttl: null, content }, ZONE);
  return "record" in read ? "good" : read.problem.code;
}

Deno.test("a row is bad where its type cannot stand, since BIND refuses the zone for it", async (t) => {
  const cases: [name: string, type: string, content: string, verdict: string][] = [
    [HASH, "NSEC3", NSEC3, "good"],
    [HASH.toUpperCase(), "NSEC3", NSEC3, "good"],
    ["www", "NSEC3", NSEC3, "nsec3-owner"],
    ["@", "NSEC3", NSEC3, "nsec3-owner"],
    [`a.${HASH}`, "NSEC3", NSEC3, "nsec3-owner"],
    [HASH.replace("t", "w"), "NSEC3", NSEC3, "nsec3-owner"],
    [HASH, "NSEC3PARAM", "1 0 0 -", "good"],
    ["*", "NS", "ns1.example.net.", "wildcard-ns"],
    ["*.sub", "NS", "ns1.example.net.", "wildcard-ns"],
    ["\\*", "NS", "ns1.example.net.", "wildcard-ns"],
    ["a.*", "NS", "ns1.example.net.", "good"],
    ["*a", "NS", "ns1.example.net.", "good"],
    ["*", "A", "192.0.2.1", "good"],
    ["*", "CNAME", "www", "good"],
    ["sub", "NS", "ns1.example.net.", "good"],
  ];
  for (const [name, type, content, wanted] of cases) {
    await t.step(`${name} ${type}: ${wanted}`, () => {
      assertEquals(verdict(name, type, content), wanted);
    });
  }
});
