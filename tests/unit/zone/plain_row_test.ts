/** Plain rows are read a short way: it must lead where the long one leads. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonicalKey, parseName } from "../../../lib/dns/mod.ts";
import { CandidateZone } from "../../../lib/zone/candidate.ts";
import { readPlainRow } from "../../../lib/zone/plain_row.ts";
import { readRow, type RowText, type RowZone } from "../../../lib/zone/rows.ts";
import { WireRecord } from "../../../lib/zone/wire_record.ts";
import { drain } from "../../support/random_zones.ts";

const APEX = parseName("Example.org.");
const ZONE: RowZone = {
  name: "Example.org.",
  apex: APEX,
  apexKey: canonicalKey(APEX),
  defaultTtl: 300,
};

/** The record a candidate keeps of a row; undefined where the short way refuses it. */
function plainly(row: RowText) {
  const record = new WireRecord();
  if (!readPlainRow(row, ZONE, record)) return undefined;
  return kept((candidate) => candidate.add(record));
}

function atLength(row: RowText) {
  const read = readRow(row, ZONE);
  if (!("record" in read)) return undefined;
  const record = new WireRecord();
  record.take(read.record, read.key, ZONE.apexKey, APEX);
  return kept((candidate) => candidate.add(record));
}

function kept(add: (candidate: CandidateZone) => void) {
  const candidate = new CandidateZone(ZONE);
  add(candidate);
  drain(candidate.sort());
  const [{ key, records: [{ owner, type, ttl, rdata }] }] = candidate.owners();
  const copy = { key, owner: [...owner], type, ttl, rdata: [...rdata] };
  candidate.release();
  return copy;
}

const label = fc.oneof(
  { weight: 12, arbitrary: fc.stringMatching(/^[A-Za-z0-9_*-]{1,8}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "a b",
      "é",
      "\\065",
      "\\000\\001",
      "x".repeat(63),
      "y".repeat(64),
    ),
  },
);
const octet = fc.oneof(
  { weight: 12, arbitrary: fc.nat(255).map(String) },
  { weight: 1, arbitrary: fc.constantFrom("", "256", "01", "x") },
);
const row: fc.Arbitrary<RowText> = fc.record({
  name: fc.oneof(
    fc.array(label, { maxLength: 6 }).map((labels) => labels.join(".")),
    fc.constantFrom("@", "a.", "b.example.ORG.", "c.Example.org."),
  ),
  typed: fc.oneof(
    fc.array(octet, { minLength: 4, maxLength: 5 }).map((o) => ["A", o.join(".")]),
    fc.ipV6().map((text) => ["AAAA", text]),
    fc.constantFrom("::", "1:", ":1", "::1%eth0", "1::2::3", "::1.2.3.4", "1:2", "12345::")
      .map((text) => ["AAAA", text]),
    fc.constant(["a", "192.0.2.1"]),
  ),
  ttl: fc.constantFrom(null, 0, 60, 300, 3600, 86400, 2 ** 31 - 1, 2 ** 31, -1, 1.5, NaN),
}).map(({ name, typed: [type, content], ttl }) => ({ name, type, content, ttl }));

Deno.test("a plain row gives the record that reading it at length gives, or is read at length", () => {
  let plain = 0;
  fc.assert(
    fc.property(row, (row) => {
      const record = plainly(row);
      if (record === undefined) return;
      plain++;
      assertEquals(record, atLength(row));
    }),
    { numRuns: 3000 },
  );
  assertEquals(plain > 100, true, `${plain} rows were plain`);
});

Deno.test("ordinary rows of a large zone are plain", () => {
  for (
    const [name, type, content] of [
      ["app-0123456789", "A", "192.0.2.1"],
      ["app-0123456789", "AAAA", "2001:db8::1"],
      ["App.Sub_1", "A", "192.0.2.1"],
      ["*", "AAAA", "::ffff:192.0.2.1"],
    ]
  ) {
    const row = { name, type, content, ttl: null };
    assertEquals(plainly(row), atLength(row));
    assertEquals(plainly(row) === undefined, false);
  }
});
