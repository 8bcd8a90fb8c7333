/** Bad rows in the pipeline: what is served instead, and that none is forgotten. */
import { assert, assertEquals } from "@std/assert";
import { parseName, typeName } from "../../../lib/dns/mod.ts";
import { createLogger, nullLogger } from "../../../lib/ops/mod.ts";
import { Primary } from "../../../lib/primary.ts";
import { openStateFile } from "../../../lib/store/mod.ts";
import {
  type AskSerials,
  type BadRows,
  getOwner,
  ZoneTable,
  type ZoneVersion,
} from "../../../lib/zone/mod.ts";
import { canonicalKey } from "../../../lib/dns/mod.ts";
import { ScriptedSource } from "../../support/scripted_source.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";

interface Options {
  readonly badRows?: BadRows;
  readonly dir: string;
  readonly source?: ScriptedSource;
  readonly lines?: string[];
  /** Commits that fail. */
  readonly failing?: number;
  readonly now?: () => number;
  /** Asks the secondaries for serials. */
  readonly serials?: AskSerials;
}

async function drive(
  { badRows, dir, source = new ScriptedSource(), lines, failing = 0, now, serials }: Options,
) {
  const store = await openStateFile(`${dir}/state.db`);
  const publish = store.publish.bind(store);
  store.publish = async (...commit) => {
    if (failing-- > 0) throw new Error("no room");
    await publish(...commit);
  };
  const zones = new ZoneTable();
  source.touched ??= new Map();
  const primary = new Primary({
    source,
    store,
    zones,
    announcer: { announce: () => {}, retire: () => {}, serials },
    now,
    config: {
      zones: [],
      minPublishIntervalMs: 1,
      watchedSecondaries: 0,
      serialPolicy: "unixtime",
      serialFloor: undefined,
      badRows,
      fullReadIntervalMs: 3_600_000,
    },
    retryMs: 20,
    log: lines
      ? createLogger({ format: "logfmt", level: "info", write: (line) => lines.push(line) })
      : nullLogger,
  });
  primary.restore(await store.load());
  primary.start();
  const apex = parseName("example.org.");
  const tell = (owner: string) => {
    const told = source.touched?.get("example.org") ?? [];
    source.tell([["example.org", told === "all" ? told : new Set([...told, owner])]]);
  };
  return {
    source,
    primary,
    codes: () => primary.status().problems.map(({ code }) => code).sort(),
    /** Adds a row, as a source with a feed tells of it. */
    add(name: string, type: string, content: string) {
      const owner = `${name}.example.org.`;
      source.rows.push({ zone: "example.org", name, type, ttl: null, content, owner });
      tell(owner);
    },
    remove(name: string, content: string) {
      source.rows = source.rows.filter((row) => row.name !== name || row.content !== content);
      tell(`${name}.example.org.`);
    },
    /** The types served at a name. */
    served(name: string): string[] {
      const version: ZoneVersion | undefined = zones.get(apex);
      const key = canonicalKey(parseName(`${name}.example.org.`));
      const owner = version && getOwner(version.pages, key);
      return (owner?.records ?? []).map(({ type }) => typeName(type));
    },
    async [Symbol.asyncDispose]() {
      await primary.close();
      await store.close();
    },
  };
}

const SERVED: Record<BadRows, { www: string[]; alias: string[]; other: string[] }> = {
  keep: { www: ["A"], alias: ["A"], other: ["TXT"] },
  omit: { www: ["A", "TXT"], alias: [], other: ["TXT"] },
  hold: { www: ["A"], alias: ["A"], other: [] },
};

for (const badRows of ["keep", "omit", "hold"] as const) {
  Deno.test(`--bad-rows ${badRows}: what is served, and that it ends with the bad rows`, async () => {
    await using dir = await tempDir();
    await using driven = await drive({ badRows, dir: dir.path });
    const { add, remove, served, codes, primary } = driven;
    add("www", "A", "192.0.2.1");
    add("alias", "A", "192.0.2.2");
    await until(() => served("alias").length === 1, { what: "all is served" });
    add("www", "TXT", "new");
    await until(() => served("www").length === 2, { what: "a good row is" });
    remove("www", "new");
    await until(() => served("www").length === 1, { what: "and goes" });

    add("www", "AAAA", "no address");
    add("www", "TXT", "beside it");
    add("alias", "CNAME", "www");
    add("other", "TXT", "elsewhere");
    const held = badRows === "hold" ? ["held-for-bad-rows"] : [];
    await until(
      () => codes().join() === ["address", "cname-and-other-data", ...held].join() && {},
      { what: "the problems are told of", seen: codes },
    );
    const { www, alias, other } = SERVED[badRows];
    await until(() => served("other").length === other.length, { what: "other" });
    assertEquals([served("www"), served("alias")], [www, alias]);
    const [{ errors, warnings }] = primary.status().problemCounts;
    assertEquals([errors, warnings], [2 + held.length, 0]);

    remove("www", "no address");
    await until(() => !codes().includes("address"), { what: "a row is mended" });
    assertEquals(served("other"), other);
    remove("alias", "192.0.2.2");
    await until(() => codes().length === 0, { what: "no problems" });
    // Problems are known of before what is served instead is durable, and so before it is visible.
    await until(() => served("alias").join() === "CNAME", { what: "all is served as written" });
    assertEquals([served("www"), served("other")], [["A", "TXT"], ["TXT"]]);
  });
}

Deno.test("problems outlast a restart in which nothing is read of their rows", async () => {
  await using dir = await tempDir();
  const source = new ScriptedSource();
  let since = 0;
  {
    await using driven = await drive({ dir: dir.path, source });
    await until(() => driven.served("a").length === 0 && driven.codes(), { what: "start" });
    driven.add("bad", "A", "no address");
    await until(() => driven.codes().length === 1, { what: "the problem" });
    since = driven.primary.status().problems[0].since;
  }
  const lines: string[] = [];
  await using driven = await drive({ dir: dir.path, source, lines });
  assertEquals(driven.codes(), ["address"]);
  driven.add("www", "A", "192.0.2.1");
  await until(() => driven.served("www").length === 1, { what: "a change" });
  assertEquals(driven.primary.status().problems.map((one) => one.since), [since]);
  assertEquals(lines.filter((line) => line.includes("problem")), []);
  driven.remove("bad", "no address");
  await until(() => driven.codes().length === 0, { what: "it is mended" });
  assertEquals(lines.filter((line) => line.includes("problem solved")).length, 1);
});

Deno.test("while secondaries are asked for serials after a restart, no problem comes or goes", async () => {
  await using dir = await tempDir();
  const source = new ScriptedSource();
  const now = () => 1_800_000_000_000; // the serial is ahead of it soon: secondaries are asked
  {
    await using driven = await drive({ dir: dir.path, source, now });
    for (const name of ["a", "b"]) {
      driven.add(name, "A", "192.0.2.1");
      await until(() => driven.served(name).length === 1, { what: "a version" });
    }
    driven.add("a", "CNAME", "b");
    await until(() => driven.codes().length === 1, { what: "the problem" });
  }
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const serials = async () => {
    asked.resolve();
    await answered.promise;
    return { asked: 1, answered: 1, serials: [] };
  };
  const lines: string[] = [];
  await using driven = await drive({ dir: dir.path, source, now, serials, lines });
  driven.add("a", "AAAA", "2001:db8::1"); // read, and not judged yet
  await asked.promise;
  assertEquals(driven.codes(), ["cname-and-other-data"]);
  driven.add("c", "A", "192.0.2.1");
  answered.resolve();
  await until(() => driven.served("c").length === 1, { what: "it goes on" });
  assertEquals(driven.codes(), ["cname-and-other-data"]);
  assertEquals(lines.filter((line) => line.includes("problem")), []);
});

Deno.test("a restart with hold holds for bad rows that were there before", async () => {
  await using dir = await tempDir();
  const source = new ScriptedSource();
  {
    await using driven = await drive({ dir: dir.path, source });
    driven.add("bad", "A", "no address");
    await until(() => driven.codes().length === 1, { what: "the problem" });
  }
  await using driven = await drive({ badRows: "hold", dir: dir.path, source });
  driven.add("www", "A", "192.0.2.1");
  await until(() => driven.codes().includes("held-for-bad-rows"), { what: "it is held" });
  assertEquals(driven.served("www"), []);
  driven.remove("bad", "no address");
  await until(() => driven.served("www").length === 1, { what: "it is published" });
  assertEquals(driven.codes(), []);
});

Deno.test("a restart with omit no longer serves what was kept of bad owners; nothing else is read", async () => {
  await using dir = await tempDir();
  const source = new ScriptedSource();
  {
    await using driven = await drive({ dir: dir.path, source });
    for (const name of ["www", "alias", "good"]) driven.add(name, "A", "192.0.2.1");
    await until(() => driven.served("alias").length === 1, { what: "all is served" });
    driven.add("www", "TXT", '"open');
    driven.add("www", "MX", "10 mail");
    driven.add("alias", "CNAME", "www");
    await until(() => driven.codes().length === 2, { what: "the problems" });
  }
  await using driven = await drive({ badRows: "omit", dir: dir.path, source });
  await until(() => driven.served("alias").length === 0, { what: "the owner that cannot be goes" });
  assertEquals([driven.served("www"), driven.served("good")], [["A", "MX"], ["A"]]);
  assertEquals([...source.scope.get("example.org")!].sort(), [
    "alias.example.org.",
    "www.example.org.",
  ]);
  assertEquals(driven.codes(), ["cname-and-other-data", "quote-open"]);
});

Deno.test("what a DNAME hides is told of while the zone is held, and serves again when it goes", async () => {
  await using dir = await tempDir();
  const source = new ScriptedSource();
  {
    await using driven = await drive({ dir: dir.path, source });
    driven.add("www.d", "A", "192.0.2.1");
    await until(() => driven.served("www.d").length === 1, { what: "it is served" });
    driven.add("d", "DNAME", "elsewhere.example.");
    await until(() => driven.codes().join() === "below-dname", { what: "it is hidden" });
  }
  await using driven = await drive({ badRows: "hold", dir: dir.path, source });
  const { add, codes, remove, served } = driven;
  remove("d", "elsewhere.example.");
  await until(() => served("www.d").length === 1, { what: "nothing hides it", seen: codes });
  assertEquals(codes(), []);
  add("bad", "A", "no address");
  await until(() => codes().length === 2, { what: "it is held", seen: codes });
  add("d", "DNAME", "elsewhere.example.");
  await until(() => codes().includes("below-dname"), { what: "it would be hidden", seen: codes });
  remove("bad", "no address");
  await until(() => !codes().includes("address"), { what: "one is mended" });
  assertEquals(codes(), ["below-dname", "held-for-bad-rows"]);
  remove("d", "elsewhere.example.");
  await until(() => codes().length === 0, { what: "so is the other", seen: codes });
});

Deno.test("what a DNAME hides is spelled in one way, whatever the order of its rows", async () => {
  for (const names of [["WWW.d", "www.d"], ["www.d", "WWW.d"]]) {
    await using dir = await tempDir();
    const source = new ScriptedSource();
    for (const [i, name] of names.entries()) {
      source.rows.push({
        zone: "example.org",
        name,
        type: "A",
        ttl: null,
        content: `192.0.2.${i}`,
        owner: "www.d.example.org.",
      });
    }
    await using driven = await drive({ dir: dir.path, source });
    driven.add("d", "DNAME", "elsewhere.example.");
    await until(() => driven.codes().length === 1, { what: "it is hidden" });
    assertEquals(driven.primary.status().problems.map(({ name }) => name), ["WWW.d.example.org."]);
  }
});

Deno.test("a problem is logged once, kept and told of though its commit failed", async () => {
  await using dir = await tempDir();
  const lines: string[] = [];
  await using driven = await drive({ dir: dir.path, lines, failing: 2 });
  driven.add("bad", "A", "no address");
  await until(() => driven.codes().length === 1, { what: "the problem" });
  await until(() => driven.primary.status().zones.length === 1, { what: "a commit" });
  assertEquals(lines.filter((line) => line.includes("event=problem")).length, 1);
  const reader = await openStateFile(`${dir.path}/state.db`, { readOnly: true });
  assertEquals((await reader.load()).problems?.problems.length, 1);
  await reader.close();
});

Deno.test("twelve thousand bad rows: counted, ten thousand listed, a hundred logged", async () => {
  await using dir = await tempDir();
  const source = new ScriptedSource();
  for (let i = 0; i < 12_000; i++) {
    const name = `bad${i}`;
    const owner = `${name}.example.org.`;
    source.rows.push({ zone: "example.org", name, type: "A", ttl: null, content: "x", owner });
  }
  const lines: string[] = [];
  {
    await using driven = await drive({ dir: dir.path, source, lines });
    const { primary } = driven;
    await until(() => primary.status().problemCounts[0]?.errors === 12_000, { what: "all" });
    assertEquals([...primary.problems()].length, 10_001);
    assertEquals(lines.filter((line) => line.includes("event=problem ")).length, 100);
    assertEquals(lines.filter((line) => line.includes("appeared=11900")).length, 1);
    // What one change costs does not grow with what is bad.
    for (let i = 0; i < 5; i++) driven.remove(`bad${i}`, "x");
    await until(() => primary.status().problemCounts[0].errors === 11_995, { what: "some less" });
  }
  await using driven = await drive({ dir: dir.path, source });
  assert(driven.primary.status().problemCounts[0].errors < 10_001);
  // Not all were kept: all is read once.
  await until(() => driven.primary.status().problemCounts[0].errors === 11_995, { what: "again" });
});
