/** The pipeline, driven by a source that does as the test says. */
import { assert, assertEquals } from "@std/assert";
import { createLogger, type Logger, nullLogger } from "../../lib/ops/mod.ts";
import { Primary } from "../../lib/primary.ts";
import { SourceError } from "../../lib/source/mod.ts";
import { openStateFile, StateError, type StateStore } from "../../lib/store/mod.ts";
import { ZoneTable, type ZoneVersion } from "../../lib/zone/mod.ts";
import { ScriptedSource } from "../support/scripted_source.ts";
import { tempDir } from "../support/tempdir.ts";
import { sleep, until } from "../support/wait.ts";
import { ZONE_SETTINGS as SETTINGS } from "../support/zone_settings.ts";

interface Driven extends AsyncDisposable {
  readonly source: ScriptedSource;
  readonly announced: ZoneVersion[];
  readonly primary: Primary;
}

interface Answer {
  readonly asked: number;
  readonly answered: number;
  readonly serials: number[];
}

interface DriveOptions {
  readonly now?: () => number;
  readonly retryMs?: number;
  readonly log?: Logger;
  /** Where the state file is; a new place by default. */
  readonly dir?: string;
  readonly publishedSerials?: Map<string, number>;
  /** What the secondaries answer when asked for a zone's serial. */
  readonly serials?: () => Promise<Answer>;
  /** Changes the source before it is read. */
  readonly prepare?: (source: ScriptedSource) => void;
  /** Commits that fail before the first that succeeds. */
  readonly failingCommits?: number;
  /** Why they fail. */
  readonly failure?: Error;
}

async function drive(
  {
    dir: place,
    publishedSerials,
    serials,
    prepare,
    failingCommits = 0,
    failure = new Error("no room"),
    ...options
  }: DriveOptions = {},
): Promise<Driven> {
  const dir = await tempDir();
  const store: StateStore = await openStateFile(`${place ?? dir.path}/state.db`);
  const publish = store.publish.bind(store);
  let failing = failingCommits;
  store.publish = async (...commit) => {
    if (failing-- > 0) throw failure;
    await publish(...commit);
  };
  const source = new ScriptedSource();
  source.publishedSerials = publishedSerials;
  prepare?.(source);
  const announced: ZoneVersion[] = [];
  const primary = new Primary({
    source,
    store,
    zones: new ZoneTable(),
    announcer: { announce: (version) => announced.push(version), retire: () => {}, serials },
    config: {
      zones: [],
      minPublishIntervalMs: 1,
      watchedSecondaries: 0,
      serialPolicy: "unixtime",
      serialFloor: undefined,
      fullReadIntervalMs: 3_600_000,
    },
    log: nullLogger,
    ...options,
  });
  primary.restore(await store.load());
  primary.start();
  return {
    source,
    announced,
    primary,
    async [Symbol.asyncDispose]() {
      await primary.close();
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

Deno.test("clock set back: changes are published as fast as before, with the next serial", async () => {
  let now = 1_800_000_000_000;
  await using driven = await drive({ now: () => now });
  const { source, announced } = driven;
  await until(() => announced.length === 1, { what: "the first version" });
  assertEquals(announced[0].serial, 1_800_000_000);
  now -= 3_600_000;
  source.set("www", "192.0.2.1");
  await until(() => announced.length === 2, { what: "the change" });
  assertEquals(announced[1].serial, 1_800_000_001);
});

Deno.test("reads that fail are tried again once, however many failed", async () => {
  const retryMs = 1_000;
  await using driven = await drive({ retryMs });
  const { source, announced } = driven;
  await until(() => announced.length === 1, { what: "the first version" });
  source.failure = new Error("away");
  source.wake("notification");
  await until(() => source.everything, { what: "a read of everything" });
  for (let failed = 0; failed < 8; failed++) {
    const before = source.reads;
    source.wake("reconnect");
    await until(() => source.reads > before, { what: "a read" });
    await sleep(5); // what follows its failure
  }
  const [before, began] = [source.reads, performance.now()];
  await until(() => source.reads >= before + 3, { what: "three retries" });
  const tookMs = performance.now() - began;
  assert(tookMs >= 1.9 * retryMs, `three retries in ${tookMs} ms`);
  assert(source.everything, "the read of everything that failed is owed");
  source.failure = undefined;
  source.rows.push({ ...source.rows[0], name: "www", type: "A", content: "192.0.2.1" });
  await until(() => announced.length === 2, { what: "the change, without another wake" });
});

Deno.test("the log says once that the source is up, and what to do when it is down", async () => {
  const lines: string[] = [];
  const log = createLogger({
    format: "logfmt",
    level: "info",
    write: (line: string) => void lines.push(line),
  });
  await using driven = await drive({ log });
  const { source } = driven;
  const at = { since: 0 };
  source.changed({ ...at, up: true, reason: undefined });
  source.changed({ ...at, up: true, reason: "permission denied" });
  source.changed({ ...at, up: true, reason: undefined });
  source.changed({ ...at, up: false, reason: "gone", hint: "is it running?" });
  source.changed({ ...at, up: true, reason: undefined });
  const told = lines.filter((line) => line.includes("source ")).map((line) =>
    line.replace(/^.*?(event=)/, "$1").trim()
  );
  assertEquals(told, [
    'event="source up" source="a script"',
    'event="source down" source="a script" reason=gone hint="is it running?"',
    'event="source up" source="a script"',
  ]);
});

Deno.test("a read that fails is an error in the log, but not where the source went away meanwhile", async () => {
  const lines: string[] = [];
  const log = createLogger({
    format: "logfmt",
    level: "info",
    write: (line: string) => void lines.push(line),
  });
  await using driven = await drive({ log });
  const { source, announced, primary } = driven;
  await until(() => announced.length === 1, { what: "the first version" });
  const failures = [
    new SourceError("source-unreachable", "the connection closed"),
    new SourceError("source-permission", "may not read"),
  ];
  for (const failure of failures) {
    source.failure = failure;
    source.wake("reconnect");
    const { message } = failure;
    await until(() => primary.status().failure === message, { what: message });
  }
  const errors = lines.filter((line) => line.includes("level=error"));
  assertEquals(errors.map((line) => /error="(.*?)"/.exec(line)?.[1]), ["may not read"]);
});

Deno.test("a zone removed and made again goes on above its last serial", async () => {
  await using driven = await drive({ now: () => 1_800_000_000_000 });
  const { source, announced, primary } = driven;
  await until(() => announced.length === 1, { what: "the first version" });
  source.set("www", "192.0.2.1");
  await until(() => announced.length === 2, { what: "the second version" });
  assertEquals(announced[1].serial, 1_800_000_001);
  source.zones = [];
  source.wake("notification");
  await until(() => primary.status().zones.length === 0, { what: "the zone is gone" });
  source.zones = [SETTINGS];
  source.wake("notification");
  await until(() => announced.length === 3, { what: "the zone is back" });
  assertEquals(announced[2].serial, 1_800_000_002);
});

Deno.test("a change of a zone that is held is published when it is repaired, whatever came between", async () => {
  await using driven = await drive();
  const { source, announced, primary } = driven;
  await until(() => announced.length === 1, { what: "the first version" });
  const other = { ...SETTINGS, name: "other.example" };
  source.rows.push({ ...source.rows[0], zone: "other.example" });
  source.zones = [SETTINGS, other];
  source.wake("notification");
  await until(() => announced.length === 2, { what: "another zone" });
  source.zones = [{ ...SETTINGS, refresh: -1 }, other];
  source.tell([["example.org", new Set()]]);
  await until(() => primary.status().problems.length === 1, { what: "the zone is held" });
  source.touch("www", "192.0.2.1");
  const reads = source.reads;
  await until(() => source.reads > reads, { what: "a read of what waits" });
  source.touch("www", "192.0.2.2", "other.example");
  await until(() => announced.length === 3, { what: "a change elsewhere" });
  source.zones = [SETTINGS, other];
  source.tell([["example.org", new Set()]]);
  await until(() => announced.length === 4, { what: "the zone repaired" });
  assertEquals([announced[3].apexKey, announced[3].records], [announced[0].apexKey, 3]);
});

Deno.test("a zone that is held stays so, and says why, when only its settings changed, unnoticed", async () => {
  await using driven = await drive();
  const { source, announced, primary } = driven;
  const other = { ...SETTINGS, name: "other.example" };
  source.rows = ["example.org", "other.example"].map((zone) => ({
    ...{ zone, name: "@", type: "NS", ttl: null, content: "ns1" },
    owner: `${zone}.`,
  }));
  source.zones = [SETTINGS, other];
  source.wake("notification");
  await until(() => announced.length === 2, { what: "both zones" });
  source.rows = source.rows.filter(({ zone }) => zone !== "example.org");
  source.tell([["example.org", new Set(["example.org."])]]);
  await until(() => primary.status().problems.length === 1, { what: "the zone is held" });
  source.zones = [{ ...SETTINGS, refresh: 4000 }, other];
  const before = source.reads;
  source.touch("www", "192.0.2.2", "other.example");
  await until(() => source.reads >= before + 2, { what: "a read of what waits" });
  source.touch("www", "192.0.2.3", "other.example");
  await until(() => announced.length === 4, { what: "both changes elsewhere" });
  assertEquals(primary.status().problems.map(({ code }) => code), ["zone-without-ns"]);
});

Deno.test("an old copy of the state file: the serial goes on above the one written back", async () => {
  await using dir = await tempDir();
  const now = () => 1_800_000_000_000;
  {
    await using driven = await drive({ now, dir: dir.path });
    await until(() => driven.announced.length === 1, { what: "the first version" });
  }
  await using driven = await drive({
    now,
    dir: dir.path,
    publishedSerials: new Map([["example.org", 1_800_000_007]]),
  });
  const { announced, source } = driven;
  await until(() => announced.length === 2, { what: "a version above it" });
  assertEquals(announced.map(({ serial }) => serial), [1_800_000_000, 1_800_000_008]);
  source.publishedSerials = new Map([["example.org", 1_900_000_000]]); // another zonecast's
  source.set("www", "192.0.2.1");
  await until(() => announced.length === 3, { what: "a change" });
  assertEquals(announced[2].serial, 1_800_000_009);
});

Deno.test("an old copy of the state file and no secondary that answers: a change goes far above it", async () => {
  await using dir = await tempDir();
  const now = () => 1_800_000_000_000; // stands still: the next serial is one more
  {
    await using driven = await drive({ now, dir: dir.path });
    await until(() => driven.announced.length === 1, { what: "the first version" });
  }
  const serials = () => Promise.resolve({ asked: 1, answered: 0, serials: [] });
  await using driven = await drive({ now, dir: dir.path, serials });
  const { announced, source, primary } = driven;
  await until(() => primary.status().reads.everything === 2, { what: "a read with the answers" });
  assertEquals(announced.map(({ serial }) => serial), [1_800_000_000], "nothing has changed");
  source.set("www", "192.0.2.1");
  await until(() => announced.length === 2, { what: "a change" });
  assertEquals(announced[1].serial, 1_800_000_001 + 2 ** 16);
});

Deno.test("what cannot be kept is said with what to do, is not served, and is published when it can", async () => {
  const failure = new StateError("state-disk-full", "no room", "/state.db", "free some");
  await using driven = await drive({ failingCommits: 3, failure, retryMs: 20 });
  const { announced, primary } = driven;
  await until(() => primary.status().unkept, { what: "it is told" });
  const { since, ...unkept } = primary.status().unkept!;
  assertEquals(unkept, { reason: "no room", hint: "free some" });
  assert(since > 0);
  await until(() => announced.length === 1, { what: "the zone" });
  assertEquals([primary.status().unkept, primary.status().failure], [undefined, undefined]);
});

Deno.test("a zone that waits for its secondaries' serials is published for the cause it was read for", async () => {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLogger({ format: "logfmt", level: "info", write });
  const answer = Promise.withResolvers<Answer>();
  await using driven = await drive({ serials: () => answer.promise, log });
  const { announced, primary, source } = driven;
  await until(() => primary.status().reads.everything === 1, { what: "the first read" });
  assertEquals(announced, []);
  answer.resolve({ asked: 1, answered: 1, serials: [] });
  await until(() => announced.length === 1, { what: "the zone" });
  source.set("www", "192.0.2.1");
  await until(() => announced.length === 2, { what: "the change" });
  const causes = lines.map((line) => /event="zone published".* cause=(\S+)/.exec(line)?.[1]);
  assertEquals(causes.filter(Boolean), ["start", "notification"]);
});

Deno.test("a zone that was due and could not be committed is due at the next try", async () => {
  const answer = Promise.withResolvers<Answer>();
  const serials = () => answer.promise;
  await using driven = await drive({ serials, failingCommits: 1, retryMs: 20 });
  const { announced, primary, source } = driven;
  source.touched = new Map(); // from now on the feed tells of nothing
  await until(() => primary.status().reads.everything === 1, { what: "the first read" });
  answer.resolve({ asked: 1, answered: 1, serials: [] });
  await until(() => announced.length === 1, { what: "the zone" });
});

Deno.test("zones that are not served are asked about while their records are read", async () => {
  const answer = { asked: 1, answered: 1, serials: [1_900_000_000] };
  await using driven = await drive({ serials: () => Promise.resolve(answer) });
  const { announced, source } = driven;
  await until(() => announced.length === 1, { what: "the zone" });
  assertEquals([source.reads, announced[0].serial], [1, 1_900_000_001]);
});

Deno.test("thousands of zones are built in slices: what else is due runs in between", async () => {
  const zones = Array.from({ length: 3_000 }, (_, n) => ({ ...SETTINGS, name: `z${n}.example` }));
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  /** How often each turn of the event loop asked for the time: each zone that is built is given it. */
  const asked = new Map<number, number>();
  const now = () => {
    asked.set(turns, (asked.get(turns) ?? 0) + 1);
    return Date.now();
  };
  await using driven = await drive({
    now,
    prepare(source) {
      source.zones = zones;
      source.rows = zones.map(({ name: zone }) => ({ ...source.rows[0], zone }));
    },
  });
  await until(() => driven.announced.length === zones.length, { what: "all zones" });
  clearInterval(timer);
  const most = Math.max(...asked.values());
  assert(most < zones.length / 2, `${most} zones were built in one turn of the event loop`);
});
