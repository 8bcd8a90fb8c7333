/** Which RRsets are the same to a resolver, and which questions show them. */
import { assertEquals } from "@std/assert";
import {
  formatName,
  parseName,
  type ResourceRecord,
  TYPE,
  typeName,
} from "../../../lib/dns/mod.ts";
import {
  compareOwnerRecords,
  type CompareRules,
  GatheredZone,
} from "../../../lib/cli/rrset_compare.ts";
import { ownersOf, planQuestions, shownRecords } from "../../../lib/cli/verify_questions.ts";
import type { Response } from "../../../lib/wire/mod.ts";
import { recordOf, soaOf, zoneVersion } from "../../support/zone_version.ts";

const APEX = parseName("example.org.");
const RULES: CompareRules = { ignore: [], ignoreTtl: false };
const records = (...lines: string[]) => lines.map((line) => recordOf(line, APEX));

function differing(ours: string[], theirs: string[], rules = RULES): string[] {
  return compareOwnerRecords(records(...ours), records(...theirs), rules)
    .differences.map(({ type }) => typeName(type));
}

Deno.test("RRsets: order, letter case and doubles are no difference; TTL and data are", () => {
  const two = ["w 300 A 192.0.2.1", "w 300 A 192.0.2.2"];
  assertEquals(differing(two, [...two].reverse()), []);
  assertEquals(differing(["w 300 MX 5 a.b"], ["W 300 MX 5 A.B"]), []);
  assertEquals(differing(two, [...two, two[0]]), []);
  assertEquals(differing(two, two.slice(1)), ["A"]);
  assertEquals(differing(two, []), ["A"]);
  assertEquals(differing([], two), ["A"]);
  assertEquals(differing(["w 300 A 192.0.2.1"], ["w 60 A 192.0.2.1"]), ["A"]);
  assertEquals(
    differing(["w 300 A 192.0.2.1"], ["w 60 A 192.0.2.1"], { ...RULES, ignoreTtl: true }),
    [],
  );
  assertEquals(differing(['w 300 TXT "a" "b"'], ['w 300 TXT "ab"']), ["TXT"]);
});

Deno.test("RRsets: a rule leaves out a type everywhere, or at one owner", () => {
  const everywhere = { ...RULES, ignore: [{ owner: undefined, type: TYPE.NS }] };
  const atApex = { ...RULES, ignore: [{ owner: APEX, type: TYPE.NS }] };
  assertEquals(differing(["@ 300 NS a"], ["@ 300 NS b"], everywhere), []);
  assertEquals(differing(["@ 300 NS a"], ["@ 300 NS b"], atApex), []);
  assertEquals(differing(["sub 300 NS a"], ["sub 300 NS b"], atApex), ["NS"]);
});

Deno.test("GatheredZone: owners of either side, ours first, then theirs that we lack", () => {
  const version = zoneVersion("example.org.", 1, "@ 300 NS ns1\nb 300 A 192.0.2.1");
  const zone = new GatheredZone();
  zone.add(soaOf("example.org.", 1));
  for (const record of records("@ 300 NS ns1", "a 300 A 192.0.2.9")) zone.add(record);
  const found = [...zone.compare(ownersOf(version), RULES)].map((each) => each?.owner);
  assertEquals(found.map((owner) => owner && formatName(owner)), [
    "b.example.org.",
    "a.example.org.",
  ]);
});

function asked(lines: string): string[] {
  const { questions } = planQuestions(zoneVersion("example.org.", 1, lines), RULES);
  return questions.map(({ owner, type }) => `${formatName(owner)} ${typeName(type)}`);
}

Deno.test("questions: what a cut or a DNAME hides is not asked for, glue is", () => {
  const questions = asked([
    "@ 300 NS ns1",
    "sub 300 NS ns.sub",
    "sub 300 DS 1 13 2 " + "00".repeat(32),
    "ns.sub 300 A 192.0.2.1",
    "hidden.sub 300 A 192.0.2.2",
    "d 300 DNAME example.net.",
    "x.d 300 A 192.0.2.3",
    "c 300 CNAME www",
  ].join("\n"));
  for (const name of ["sub", "ns.sub", "hidden.sub", "x.d", "c"]) {
    const types = questions.filter((each) => each.startsWith(`${name}.example.org.`));
    assertEquals(
      types.map((each) => each.split(" ")[1]).sort(),
      {
        sub: ["DS", "NS"],
        "ns.sub": ["A"],
        "hidden.sub": [],
        "x.d": [],
        c: ["A", "AAAA", "CNAME", "MX", "TXT"],
      }[name],
      name,
    );
  }
  assertEquals(questions.includes("*.example.org. A"), true);
  assertEquals(questions.includes("example.org. SOA"), true);
  const { leftOut } = planQuestions(
    zoneVersion("example.org.", 1, "d 300 DNAME a.\nx.d 300 A 192.0.2.3"),
    RULES,
  );
  assertEquals(leftOut, 1);
});

Deno.test("questions: a CNAME stands for the type asked; a referral shows NS and glue", () => {
  const shown = (type: number, cut: boolean, response: Partial<Response>): ResourceRecord[] =>
    shownRecords(
      { owner: parseName("sub", APEX), type, cut: cut ? parseName("sub", APEX) : undefined },
      { answer: [], authority: [], additional: [], ...response } as Response,
    );
  const [cname, ns, glue] = records("sub 1 CNAME w", "sub 1 NS sub", "sub 1 A 192.0.2.1");
  assertEquals(shown(TYPE.A, false, { answer: [cname] }), [cname]);
  assertEquals(shown(TYPE.NS, true, { authority: [ns], additional: [glue] }), [ns]);
  assertEquals(shown(TYPE.A, true, { authority: [ns], additional: [glue] }), [glue]);
  assertEquals(shown(TYPE.A, false, { additional: [glue] }), []);
});
