import { assertEquals, assertRejects } from "@std/assert";
import { ZoneAnswers } from "../../../../lib/cli/http/zone_answers.ts";
import type { PageJournal } from "../../../../lib/cli/http/page_journal.ts";
import type { ServerParts } from "../../../../lib/cli/control_commands.ts";
import { HttpError, WorkPace } from "../../../../lib/ops/mod.ts";
import { ZoneTable } from "../../../../lib/zone/mod.ts";
import { zoneVersion } from "../../../support/zone_version.ts";

const CONTEXT = { pace: new WorkPace(1), signal: new AbortController().signal };

/** Answers about these zones; nothing is known of any secondary. */
function answersFor(...zones: readonly [apex: string, lines?: string][]) {
  const table = new ZoneTable();
  for (const [apex, lines] of zones) table.set(zoneVersion(apex, 7, lines));
  const parts = {
    zones: table,
    primary: { publishedAt: () => 1_000 },
    server: { standings: () => [] },
  };
  return new ZoneAnswers(parts as unknown as ServerParts, {} as PageJournal);
}

const query = (fields: Record<string, string>) => new URLSearchParams(fields);

type Listed = { readonly name: string; readonly type: string; readonly content: string }[];

Deno.test("zones: listed in canonical order, in parts, by what their names contain", async () => {
  const names = Array.from({ length: 120 }, (_, i) => `z${String(i).padStart(3, "0")}.example.`);
  const answers = answersFor(...names.map((name): [string] => [name]), ["other.test."]);
  const seen: string[] = [];
  let after = "";
  let parts = 0;
  do {
    const { zones, next, matching } = await answers.zones(query({ q: "EXAMPLE", after }), CONTEXT);
    assertEquals(matching, 120);
    seen.push(...(zones as { zone: string }[]).map(({ zone }) => zone));
    after = String(next ?? "");
    parts++;
  } while (after !== "");
  assertEquals([seen, parts], [names, 3]);
});

Deno.test("records: found by owner, type and data, in parts that leave nothing out", async () => {
  const lines = Array.from(
    { length: 250 },
    (_, i) => `h${String(i).padStart(3, "0")} 300 A 192.0.2.${i}`,
  );
  const answers = answersFor(["example.org.", [...lines, "www 300 AAAA 2001:db8::1"].join("\n")]);
  const find = async (q: string) => {
    const found: string[] = [];
    for (let after = "", parts = 0; parts < 10; parts++) {
      const fields = { zone: "example.org.", q, after };
      const { records, next } = await answers.records(query(fields), CONTEXT);
      found.push(...(records as Listed).map(({ name, type }) => `${name} ${type}`));
      if (next === undefined) break;
      after = String(next);
    }
    return found;
  };
  assertEquals((await find("")).length, 252);
  assertEquals(new Set(await find("")).size, 252);
  assertEquals(await find("H007"), ["h007.example.org. A"]);
  assertEquals(await find("192.0.2.249"), ["h249.example.org. A"]);
  assertEquals(await find("aaaa"), ["www.example.org. AAAA"]);
  assertEquals(await find("nothing"), []);
});

Deno.test("records: an owner with very many is cut, and that is said", async () => {
  const many = Array.from({ length: 1_500 }, (_, i) => `@ 300 TXT "${i}"`).join("\n");
  const answers = answersFor(["example.org.", many]);
  const { records, more, next } = await answers.records(
    query({ zone: "example.org." }),
    CONTEXT,
  );
  assertEquals([(records as Listed).length, more, next], [100, 1_401, undefined]);
});

Deno.test("zones and records: a name that is none, or is not served, is an error", async () => {
  const answers = answersFor(["example.org."]);
  const cases: [number, () => Promise<unknown>][] = [
    [404, () => answers.records(query({ zone: "other.org." }), CONTEXT)],
    [400, () => answers.records(query({ zone: "a..b" }), CONTEXT)],
    [400, () => answers.diff(query({ zone: "example.org.", to: "x" }), CONTEXT)],
    [400, () => answers.log(query({}))],
  ];
  for (const [status, act] of cases) {
    const error = await assertRejects(act, HttpError) as HttpError;
    assertEquals(error.status, status);
  }
});
