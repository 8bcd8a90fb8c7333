/** What cannot stand together at one owner. */
import { assertEquals } from "@std/assert";
import { parseName, parseRdata, typeCode, typeName } from "../../../lib/dns/mod.ts";
import { conflictsOf } from "../../../lib/zone/conflicts.ts";
import { normalizeOwner } from "../../../lib/zone/owner_records.ts";

const APEX = parseName("example.org.");

function conflicts(rows: readonly [type: string, content: string][], isApex: boolean) {
  const owner = isApex ? APEX : parseName("www", APEX);
  const records = rows.map(([type, content]) => ({
    owner,
    type: typeCode(type),
    ttl: 60,
    rdata: parseRdata(typeCode(type), content, APEX),
  }));
  return conflictsOf(normalizeOwner(records).records, isApex)
    .map(({ code, type }) => [code, type === undefined ? "" : typeName(type)]);
}

const TEXT = Array(160).fill(`"${"x".repeat(250)}"`).join(" "); // 40,160 octets

Deno.test("each RRset that cannot be is told of, though others cannot either", () => {
  const rows: [string, string][] = [
    ["NS", "ns1"],
    ["CNAME", "web"],
    ["DNAME", "a.example."],
    ["DNAME", "b.example."],
    ["NSEC3PARAM", "1 0 0 -"],
    ["NSEC3PARAM", "1 0 1 -"],
    ["TXT", TEXT],
    ["TXT", `"y" ${TEXT}`],
  ];
  assertEquals(conflicts(rows, true), [
    ["cname-and-other-data", "CNAME"],
    ["several-dnames", "DNAME"],
    ["several-nsec3params", "NSEC3PARAM"],
    ["rrset-too-big", "TXT"],
  ]);
  const large: [string, string][] = [
    ...["TXT", "SPF"].flatMap((type): [string, string][] => [[type, TEXT], [type, `"y" ${TEXT}`]]),
    ["A", "192.0.2.1"],
  ];
  assertEquals(conflicts(large, false), [["rrset-too-big", "TXT"], ["rrset-too-big", "SPF"]]);
});

Deno.test("an owner that cannot be as a whole is told of once", () => {
  const rows: [string, string][] = [
    ["CNAME", "web"],
    ["CNAME", "ftp"],
    ["DNAME", "a.example."],
    ["DNAME", "b.example."],
    ["TXT", TEXT],
    ["TXT", `"y" ${TEXT}`],
  ];
  assertEquals(conflicts(rows, false), [["cname-and-other-data", ""]]);
});
