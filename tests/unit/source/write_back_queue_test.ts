/** Writing back in the background: gathered, never in the way, caught up after an outage. */
import { assert, assertEquals } from "@std/assert";
import { createLogger } from "../../../lib/ops/mod.ts";
import {
  type ProblemReport,
  type PublishedReport,
  type SecondaryReport,
  type Source,
  SourceError,
  type WriteBack,
  WriteBackQueue,
} from "../../../lib/source/mod.ts";
import { until } from "../../support/wait.ts";

const PROBLEM: ProblemReport = {
  zone: "example.com",
  owner: "bad.example.com.",
  name: "bad",
  type: "A",
  content: "x",
  code: "address",
  severity: "error",
  reason: "no address",
  hint: undefined,
};

/** How a source's writes fail. */
interface Failing {
  with?: Error;
  gate?: Promise<void>;
  /** Whether the source's link is down. */
  down?: boolean;
  attempts: number;
}

/** A source that takes reports, or refuses them. */
function fakeSource(writes: WriteBack[], failing: Failing): Source {
  return {
    description: "fake",
    get link() {
      return { up: !failing.down, since: 0, reason: undefined };
    },
    start: () => {},
    read: () => Promise.reject(new Error("not read")),
    close: () => Promise.resolve(),
    writeBack: async (report) => {
      failing.attempts++;
      await failing.gate;
      if (failing.with) throw failing.with;
      writes.push(report);
    },
  };
}

function setUp() {
  const writes: WriteBack[] = [];
  const lines: string[] = [];
  const failing: Failing = { attempts: 0 };
  const log = createLogger({ format: "text", level: "info", write: (line) => lines.push(line) });
  const queue = new WriteBackQueue(fakeSource(writes, failing), log, {
    instance: "me",
    secondaries: ["ns1"],
    problems: () => [PROBLEM],
  });
  const wrote = (count: number) =>
    until(() => writes.length >= count, {
      what: `${count} writes`,
      seen: () => writes.length,
      intervalMs: 1,
    });
  return { queue, writes, lines, failing, wrote };
}

function published(serial: number): PublishedReport {
  return {
    zone: "example.com",
    serial,
    publishedAt: 1,
    added: 1,
    removed: 0,
    snapshot: undefined,
    changedAt: undefined,
  };
}

function standing(serial: number, secondary = "ns1"): SecondaryReport {
  return {
    zone: "example.com",
    secondary,
    serial,
    seenAt: 1,
    lastNotifyAt: undefined,
    lastTransferAt: undefined,
    kind: undefined,
    state: "live",
  };
}

const away = new SourceError("source-unreachable", "Cannot reach it");

Deno.test("what one turn brings is one write, soon", async () => {
  const { queue, writes, wrote } = setUp();
  queue.published(published(1));
  queue.problems([], []);
  queue.covered({ snapshot: "1:1:", pending: [] });
  queue.secondary(standing(1));
  queue.live({ zone: "example.com", serial: 1, live: 1, of: 1 });
  await wrote(1);
  assertEquals(writes, [{
    instance: "me",
    configured: ["ns1"],
    published: [published(1)],
    covered: { snapshot: "1:1:", pending: [] },
    secondaries: [standing(1)],
    problems: { isWhole: true, put: [PROBLEM], gone: [] },
    held: undefined,
    live: [{ zone: "example.com", serial: 1, live: 1, of: 1 }],
  }]);
  await queue.close();
});

Deno.test("while a write is under way the rest gathers; newer entries win", async () => {
  const { queue, writes, failing, wrote } = setUp();
  const gate = Promise.withResolvers<void>();
  failing.gate = gate.promise;
  queue.published(published(1));
  await until(() => queue.status.waiting === 0, { what: "the first write began" });
  for (let serial = 2; serial <= 1000; serial++) {
    queue.published(published(serial));
    queue.secondary(standing(serial));
    queue.covered({ snapshot: `${serial}:${serial}:`, pending: [] });
  }
  assertEquals(queue.status.waiting, 999);
  gate.resolve();
  await wrote(2);
  assertEquals(writes.length, 2);
  assertEquals(writes[1].published.length, 999);
  assertEquals(writes[1].secondaries, [standing(1000)]);
  assertEquals(writes[1].covered?.snapshot, "1000:1000:");
  await queue.close();
});

Deno.test("what could not be written is caught up when the link is up, standings with it", async () => {
  const { queue, writes, lines, failing, wrote } = setUp();
  queue.secondary(standing(1, "ns2"));
  await wrote(1);
  failing.with = away;
  queue.published(published(1));
  queue.secondary(standing(1));
  queue.problems([], []);
  await until(() => queue.status.failure, { what: "a failure" });
  queue.published(published(2));
  queue.secondary(standing(2));
  failing.with = undefined;
  queue.linkUp();
  await wrote(2);
  assertEquals(writes[1].published, [published(1), published(2)]);
  assertEquals(
    writes[1].secondaries.map(({ secondary, serial }) => `${secondary} ${serial}`).sort(),
    [
      "ns1 2",
      "ns2 1",
    ],
  );
  assertEquals(writes[1].problems, { isWhole: true, put: [PROBLEM], gone: [] });
  assertEquals(lines.filter((line) => line.includes("cannot write back")).length, 1);
  assertEquals(lines.filter((line) => line.includes("written back again")).length, 1);
  await queue.close();
});

Deno.test("of problems all are written once, then what changes, and all after a failure", async () => {
  const { queue, writes, failing, wrote } = setUp();
  const other = { ...PROBLEM, name: "other" };
  queue.problems([other], []);
  await wrote(1);
  assertEquals(writes[0].problems, { isWhole: true, put: [PROBLEM], gone: [] });
  queue.problems([other], []);
  queue.problems([], [PROBLEM]);
  await wrote(2);
  assertEquals(writes[1].problems, { isWhole: false, put: [other], gone: [PROBLEM] });
  queue.problems([], []);
  failing.with = away;
  queue.problems([PROBLEM], [other]);
  await until(() => queue.status.failure, { what: "a failure" });
  failing.with = undefined;
  await wrote(3);
  assertEquals(writes[2].problems, { isWhole: true, put: [PROBLEM], gone: [] });
  await queue.close();
});

Deno.test("very many problems that change at once are sorted in by steps, and read as they are written", async () => {
  const { queue, writes, wrote } = setUp();
  queue.problems([], []);
  await wrote(1);
  let read = 0;
  function* many(count: number): Generator<ProblemReport> {
    for (let i = 0; i < count; i++) {
      read++;
      yield { ...PROBLEM, name: `bad${i}` };
    }
  }
  queue.problems(many(10_000), []);
  queue.problems([], many(9_999));
  assert(read < 200, `${read} were read at once`);
  await wrote(2);
  const { put, gone, isWhole } = writes[1].problems!;
  assertEquals([...put].map(({ name }) => name), ["bad9999"]);
  assertEquals([[...gone].length, isWhole, read], [9_999, false, 19_999]);
  queue.problems(many(0), many(0));
  queue.published(published(1));
  queue.published(published(2));
  await wrote(3);
  await queue.close();
});

Deno.test("all problems are written again when a zone is published first: its rows are ours from then on", async () => {
  const { queue, writes, wrote } = setUp();
  queue.problems([], []);
  await wrote(1);
  queue.published(published(1));
  await wrote(2);
  assertEquals(writes[1].problems, { isWhole: true, put: [PROBLEM], gone: [] });
  queue.published(published(2));
  await wrote(3);
  assertEquals(writes[2].problems, undefined);
  await queue.close();
});

Deno.test("without a link it is tried again by itself, said once", async () => {
  const { queue, writes, lines, failing, wrote } = setUp();
  failing.with = away;
  queue.published(published(1));
  await until(() => queue.status.failure, { what: "a failure" });
  await until(() => failing.attempts > 1, { what: "a second attempt" });
  failing.with = undefined;
  await wrote(1);
  assertEquals(writes[0].published, [published(1)]);
  assertEquals(lines.filter((line) => line.includes("cannot write back")).length, 1);
  await queue.close();
});

Deno.test("in a long outage the newest 10,000 versions are kept", async () => {
  const { queue, writes, failing, wrote } = setUp();
  failing.with = away;
  for (let serial = 1; serial <= 50_000; serial++) queue.published(published(serial));
  assert(queue.status.waiting <= 20_000);
  await until(() => queue.status.failure, { what: "a failure" });
  failing.with = undefined;
  queue.linkUp();
  await wrote(1);
  assertEquals(writes[0].published.at(-1), published(50_000));
  await queue.close();
});

Deno.test("a batch that Postgres cannot take is given up, loudly, and the next one goes", async () => {
  const { queue, writes, lines, failing, wrote } = setUp();
  failing.with = new SourceError("source-query-failed", "invalid byte sequence");
  queue.published(published(1));
  await until(() => lines.some((line) => line.includes("given up")), {
    what: "the batch is given up",
  });
  failing.with = undefined;
  queue.published(published(2));
  await wrote(1);
  assertEquals(writes[0].published, [published(2)]);
  await queue.close();
});

Deno.test("closing writes what waits, and never hangs", async () => {
  const { queue, writes } = setUp();
  queue.published(published(1));
  await queue.close();
  assertEquals(writes.length, 1);
  queue.published(published(2));
  assertEquals(writes.length, 1);

  const stuck = setUp();
  stuck.failing.gate = new Promise(() => {});
  stuck.queue.published(published(1));
  await until(() => stuck.queue.status.waiting === 0, { what: "the write began" });
  await stuck.queue.close();
});

Deno.test("a source that nobody can tell anything costs nothing", async () => {
  const { writeBack: _, ...source } = fakeSource([], { attempts: 0 });
  const log = createLogger({ format: "text", level: "info", write: () => {} });
  const queue = new WriteBackQueue(source, log, { instance: "me" });
  queue.published(published(1));
  assertEquals(queue.status, { writtenAt: undefined, failure: undefined, waiting: 0 });
  await queue.close();
});

Deno.test("before the link is up nothing is said: it is told of by itself", async () => {
  const { queue, failing, lines } = setUp();
  failing.down = true;
  failing.with = away;
  queue.published(published(1));
  await until(() => failing.attempts === 1, { what: "an attempt" });
  await queue.close();
  assertEquals(lines, []);
});
