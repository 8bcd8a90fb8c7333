/**
 * The README's table of verdicts, row by row: the rows of each example in every order, one
 * transaction each, so that zonecast meets them in parts; and all at once, without a state file.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type postgres from "postgres";
import type { ListedProblem } from "../../lib/cli/problems_parts.ts";
import { axfr } from "../support/dns_client.ts";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { startSecondary } from "../support/secondaries.ts";
import { NS, serveZones, sourceDatabase } from "../support/setup.ts";
import { until } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));

/** A row of `records`. */
interface Row {
  readonly name: string;
  readonly ttl: number | null;
  readonly type: string;
  readonly content: string;
}

interface Verdict {
  /** The line of the README. */
  readonly line: string;
  readonly rows: readonly Row[];
  readonly notServed: string;
  /** "none" for none. */
  readonly code: string;
  readonly hint: string | undefined;
}

/** The table of the README. */
function readTable(): Verdict[] {
  const lines = README.slice(README.indexOf("## Bad rows")).split("\n");
  const from = lines.findIndex((line) => line.startsWith("| ---")) + 1;
  const to = lines.findIndex((line, at) => at >= from && line === "");
  return lines.slice(from, to).map((line) => {
    const [, cell, notServed, problem] = line.split("|").map((text) => text.trim());
    const octets = /of ([0-9,]+) octets/.exec(cell)?.[1].replace(",", "");
    const quoted = Array.from(cell.matchAll(/`([^`]+)`/g), ([, text]) => text);
    const examples = quoted.filter((text) => text.split(" ").length > 2);
    const rows = examples.map((text) => readExample(text, Number(octets ?? 0)));
    const more = /and ([0-9]+) more/.exec(cell)?.[1];
    for (let n = 2; n <= Number(more ?? 0) + 1; n++) rows.push(another(rows[0], n));
    const hint = /the hint is `([^`]+)`/.exec(cell)?.[1];
    return { line, rows, notServed, code: problem.replaceAll("`", ""), hint };
  });
}

/** "www 60 A 192.0.2.1" */
function readExample(text: string, octets: number): Row {
  const [, name, ttl, type, content] = /^(\S+) (?:(-?\d+) )?(\S+) (.*)$/.exec(text)!;
  return {
    name,
    ttl: ttl === undefined ? null : Number(ttl),
    type,
    content: content.replace(/^"(.)…"$/, (_, letter) => longText(letter, octets)),
  };
}

/** Character strings of so many octets together. */
function longText(letter: string, octets: number): string {
  const strings: string[] = [];
  for (let left = octets; left > 0; left -= 256) {
    strings.push(`"${letter.repeat(Math.min(255, left - 1))}"`);
  }
  return strings.join(" ");
}

/** One more row like this one: the number that ends its address, or its type, is another. */
function another(row: Row, n: number): Row {
  return row.type.startsWith("TYPE")
    ? { ...row, type: `TYPE${Number(row.type.slice(4)) + n}` }
    : { ...row, content: row.content.replace(/\d+$/, String(n)) };
}

/** All orders of a few rows; of many the order they have, and the reverse. */
function orders(rows: readonly Row[]): Row[][] {
  if (rows.length > 3) return [[...rows], rows.toReversed()];
  if (rows.length < 2) return [[...rows]];
  return rows.flatMap((row, at) => orders(rows.toSpliced(at, 1)).map((rest) => [row, ...rest]));
}

/** An example in a zone of its own, its rows in one order, a good row of its last owner among them. */
interface Case {
  readonly zone: string;
  readonly verdict: Verdict;
  readonly rows: readonly Row[];
}

const NEIGHBOUR: Row = { name: "neighbour", ttl: null, type: "TXT", content: "neighbour" };

function casesOf(verdicts: readonly Verdict[]): Case[] {
  return verdicts.flatMap((verdict, at) =>
    orders([...verdict.rows, NEIGHBOUR]).map((rows, order) => ({
      zone: `v${at}o${order}.example`,
      verdict,
      rows,
    }))
  );
}

async function insert(sql: postgres.Sql, zones: readonly Case[], at: number): Promise<void> {
  const rows = zones.flatMap(({ zone, rows }) => {
    // Rows of one order that are many go together: its first comes first.
    const some = rows.length > 4 && at === 1 ? rows.slice(1) : rows.slice(at, at + 1);
    if (rows.length > 4 && at > 1) return [];
    return some.map((row) => ({ zone, ...row }));
  });
  if (rows.length > 0) await sql`insert into zonecast.records ${sql(rows)}`;
}

async function problemsOf(zonecast: Zonecast): Promise<Map<string, ListedProblem[]>> {
  const { code, stdout } = await zonecast.cli(["problems", "--json"]);
  assert(code === 0 || code === 3);
  const { problems } = JSON.parse(stdout) as { problems: ListedProblem[] };
  return Map.groupBy(problems, ({ zone }) => zone.replace(/\.$/, ""));
}

/** Fails unless each zone has the problems its example has in the table. */
function assertVerdicts(cases: readonly Case[], problems: Map<string, ListedProblem[]>): void {
  for (const { zone, verdict, rows } of cases) {
    const { line, code, hint, notServed } = verdict;
    const found = problems.get(zone) ?? [];
    const shown = `${line}\n${rows.map(({ name, type }) => `${name} ${type}`).join(", ")}`;
    assertEquals(found.map((one) => one.code), code === "none" ? [] : [code], shown);
    for (const one of found) {
      assertEquals(one.severity, notServed === "nothing" ? "warning" : "error", shown);
      if (hint) assertStringIncludes(one.hint ?? "", hint);
    }
  }
}

/** How many records of an example are served, once nothing of the past is known. */
function served({ verdict: { rows, notServed, code } }: Case): number {
  if (notServed === "the last row") return rows.length - 1;
  if (notServed !== "nothing") return 0;
  const distinct = new Set(
    rows.map(({ name, type, content }) => `${name} ${type} ${content}`.toLowerCase()),
  );
  return code === "none" ? distinct.size : rows.length;
}

interopTest("the README's table of verdicts holds, row by row", {
  needs: ["knot", "bind"],
}, async (t) => {
  const verdicts = readTable();
  assert(verdicts.length > 30 && verdicts.every(({ rows }) => rows.length > 0));
  const cases = casesOf(verdicts);
  const zones = cases.map(({ zone }) => `${zone}.`);
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, zones);
  const port = freePort();
  await using zonecast = await serveZones({ source: url, zones: zones.slice(0, 1), port });
  const wanted = cases.filter(({ verdict }) => verdict.code !== "none").length;
  const settled = () =>
    until(async () => {
      const problems = await problemsOf(zonecast);
      return [...problems.values()].flat().length >= wanted && problems;
    }, { what: "all problems are told of" });

  let since = new Map<string, string>();
  const keyOf = ({ zone, code, name, type }: ListedProblem) => [zone, code, name, type].join();
  await t.step("as the rows come one by one, in every order", async () => {
    for (let at = 0; at < 4; at++) await insert(sql, cases, at);
    const problems = await settled();
    assertVerdicts(cases, problems);
    since = new Map([...problems.values()].flat().map((one) => [keyOf(one), one.since]));
    await until(async () => (await sql`select from zonecast.problems`).length === since.size, {
      what: "they are written back",
    });
  });

  await t.step("after a restart, with since when", async () => {
    const before = await sql`select id, since from zonecast.problems order by id`;
    await zonecast.stop();
    const offline = ["problems", "--json", "--state", zonecast.stateFile];
    const { code, stderr } = await zonecast.cli(offline);
    assertEquals(code, 3, stderr);
    assertStringIncludes(stderr, "no server is running");
    await zonecast.start();
    const problems = await settled();
    assertVerdicts(cases, problems);
    const now = [...problems.values()].flat().map((one) => [keyOf(one), one.since] as const);
    assertEquals(new Map(now), since);
    assertEquals(await sql`select id, since from zonecast.problems order by id`, before);
  });

  await t.step("after the state file was lost, and the good ones are served", async () => {
    await zonecast.stop();
    await Deno.remove(zonecast.stateFile);
    await zonecast.start();
    for (const zone of zones) await zonecastHas(zonecast, zone);
    assertVerdicts(cases, await problemsOf(zonecast));
    for (const each of cases) {
      const { records } = await axfr(zonecast, each.zone);
      assertEquals(records.length, 2 + NS.length + 1 + served(each), each.verdict.line);
    }
  });

  await t.step("and Knot and BIND take what is published", async () => {
    const some = cases.filter(({ zone }) => zone.endsWith("o0.example"));
    const primary = { addr: "127.0.0.1", port };
    for (const kind of ["knot", "bind"] as const) {
      const taken = some.filter(({ verdict: { code } }) =>
        kind === "knot" || !code.startsWith("many-")
      );
      const names = taken.map(({ zone }) => `${zone}.`);
      await using secondary = await startSecondary(kind, { zones: names, primary });
      for (const zone of names) await secondary.reaches(zone, await zonecastHas(zonecast, zone));
    }
  });

  await t.step("mended rows are served, and their problems closed", async () => {
    await sql`delete from zonecast.records where type <> 'NS' and name <> ${NEIGHBOUR.name}`;
    await sql`delete from zonecast.records where type = 'NS' and not content = any (${[...NS]})`;
    await until(async () => (await problemsOf(zonecast)).size === 0, { what: "no problems" });
    await until(async () => (await sql`select from zonecast.problems`).length === 0, {
      what: "none is written back",
    });
  });
});

async function zonecastHas(zonecast: Zonecast, zone: string): Promise<number> {
  return await until(() => zonecast.serial(zone), { what: `${zone} is served` });
}
