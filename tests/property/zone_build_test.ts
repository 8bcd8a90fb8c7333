import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { equalOctets } from "../../lib/dns/mod.ts";
import {
  applyDiff,
  type BuildResult,
  ProblemTable,
  ZoneBuilds,
  type ZoneRow,
  type ZoneVersion,
} from "../../lib/zone/mod.ts";
import { drain, octetsOf } from "../support/random_zones.ts";
import { ZONE_SETTINGS } from "../support/zone_settings.ts";

const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 300);
const ZONE = "example.org";
const NS: ZoneRow = {
  zone: ZONE,
  owner: ownerOf("@"),
  name: "@",
  type: "NS",
  ttl: null,
  content: "ns1",
};

/** The normal form as the database has it: absolute, lower case. */
function ownerOf(name: string): string {
  return (name === "@" ? `${ZONE}.` : name.endsWith(".") ? name : `${name}.${ZONE}.`).toLowerCase();
}

const row: fc.Arbitrary<ZoneRow> = fc.record({
  name: fc.constantFrom(
    "@",
    "a",
    "A",
    "b",
    "c.d",
    "d",
    "e.c.d",
    "bad..name",
    "x.elsewhere.net.",
    "e",
    "*",
    "B.example.org.",
  ),
  typed: fc.constantFrom<[string, string][]>(
    ["A", "192.0.2.1"],
    ["A", "192.0.2.2"],
    ["A", "300.0.2.2"],
    ["CNAME", "b"],
    ["CNAME", "c"],
    ["TXT", '"x"'],
    ["SOA", "x"],
    ["NS", "ns2"],
    ["NS", "NS2"],
    ["AAAA", "2001:db8::1"],
    ["NOTYPE", "1"],
    ["DNAME", "elsewhere.net."],
    ["DNAME", "b"],
    ["DS", "1 13 9 AB"],
  ),
  ttl: fc.constantFrom(null, 60, 60, 120, -1),
}).map(({ name, typed: [type, content], ttl }) => ({
  zone: ZONE,
  owner: ownerOf(name),
  name,
  type,
  content,
  ttl,
}));

/**
 * One read: rows, of the owners named or of all, onto a version.
 *
 * @param asTheyCome  compare rows with the version as they come, as a read of everything does
 */
function read(
  rows: readonly ZoneRow[],
  owners: ReadonlySet<string> | "all",
  current: ZoneVersion | undefined,
  problems: ProblemTable,
  asTheyCome = false,
): BuildResult {
  const builds = new ZoneBuilds(
    [ZONE_SETTINGS],
    () => true,
    () => asTheyCome ? current : undefined,
  );
  drain(builds.take(rows.filter((r) => owners === "all" || owners.has(r.owner!))));
  const scope = owners === "all" ? "everything" : new Map([[ZONE, owners]]);
  const [build] = builds.finish(scope, () => true);
  const result = drain(
    build.finish(current, { policy: "increment", nowMs: 0, floors: [] }),
  );
  drain(problems.take([build]));
  return result;
}

function problemsOf(table: ProblemTable): string[] {
  return [...table.all()].map((p) => `${p.group} ${p.type} ${p.content} ${p.code}`).sort();
}

Deno.test("build: reading only the owners that changed gives the version and problems of a full read", () => {
  const change = fc.record({
    add: fc.array(row, { maxLength: 5 }),
    drop: fc.nat(),
    count: fc.nat(6),
  });
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 30 }),
      fc.array(change, { maxLength: 8 }),
      (first, changes) => {
        let rows = [NS, ...first];
        const problems = new ProblemTable();
        const start = read(rows, "all", undefined, problems);
        if (start.kind !== "changed") return; // the apex is bad: nothing is served yet
        let version = start.version;
        for (const { add, drop, count } of changes) {
          const from = 1 + drop % rows.length;
          const dropped = rows.slice(from, from + count);
          rows = [...rows.slice(0, from), ...rows.slice(from + count), ...add];
          const touched = new Set([...dropped, ...add].map((r) => r.owner!));
          const fullProblems = new ProblemTable();
          const full = read(rows, "all", version, fullProblems);
          const tickedProblems = new ProblemTable();
          const ticked = read(rows, "all", version, tickedProblems, true);
          assertEquals(ticked, full);
          assertEquals(problemsOf(tickedProblems), problemsOf(fullProblems));
          let part = read(rows, touched, version, problems);
          // Where a DNAME came or went, all below it must be read.
          if (part.kind === "incomplete") part = read(rows, "all", version, problems);
          assertEquals(part.kind, full.kind);
          if (part.kind === "changed" && full.kind === "changed") {
            assert(equalOctets(octetsOf(part.version), octetsOf(full.version)));
            assertEquals(part.diff, full.diff);
            assert(equalOctets(octetsOf(applyDiff(version, part.diff!)), octetsOf(part.version)));
            version = part.version;
          }
          if (part.kind !== "held") assertEquals(problemsOf(problems), problemsOf(fullProblems));
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("build: the order of rows changes neither the version nor the problems", () => {
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 20 }),
      fc.array(fc.nat(), { minLength: 21, maxLength: 21 }),
      (some, keys) => {
        const rows = [NS, ...some];
        const shuffled = rows.map((r, i) => ({ r, key: keys[i % keys.length] }))
          .sort((a, b) => a.key - b.key).map(({ r }) => r);
        const one = new ProblemTable();
        const two = new ProblemTable();
        const a = read(rows, "all", undefined, one);
        const b = read(shuffled, "all", undefined, two);
        assertEquals(problemsOf(one), problemsOf(two));
        assertEquals(a.kind, b.kind);
        if (a.kind === "changed" && b.kind === "changed") {
          assert(equalOctets(octetsOf(a.version), octetsOf(b.version)));
        }
      },
    ),
    { numRuns: RUNS },
  );
});
