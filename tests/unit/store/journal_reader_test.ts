import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { addSerial, compareSerials, parseName } from "../../../lib/dns/mod.ts";
import {
  type JournalReader,
  type JournalReaderOptions,
  openJournalReader,
  openStateFile,
  type Publication,
  type StateError,
  type StateFileOptions,
  type StateStore,
} from "../../../lib/store/mod.ts";
import { condense, type Differences, type ZoneVersion } from "../../../lib/zone/mod.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import {
  APEX,
  contentAfter,
  contentOf,
  type HistoryOptions,
  RandomHistory,
} from "./random_history.ts";
import { aRecord, firstVersion, hostPages, nextVersion } from "./zones.ts";

const NAME = parseName(APEX);

/** A worker that does what a script says, whatever it is asked. */
function workerOf(script: string): Worker {
  const url = `data:application/javascript,${encodeURIComponent(script)}`;
  return new Worker(url, { type: "module" });
}

const SILENT =
  "self.onmessage = ({data}) => { if (data.kind === 'close') self.postMessage({kind: 'closed'}) };";

/** A state file with a history of versions, and readers of it. */
class Setup {
  readonly versions: ZoneVersion[] = [];
  readonly problems: StateError[] = [];
  readonly history: RandomHistory;
  readonly #readers: JournalReader[] = [];
  store!: StateStore;

  constructor(readonly path: string, history: HistoryOptions, readonly state: StateFileOptions) {
    this.history = new RandomHistory(history);
  }

  static async make(
    dir: { path: string },
    versions: number,
    history: HistoryOptions = { seed: 1 },
    state: StateFileOptions = {},
  ): Promise<Setup> {
    const setup = new Setup(`${dir.path}/state.db`, history, state);
    await setup.open();
    await setup.publish(versions);
    return setup;
  }

  async open(): Promise<void> {
    const report = (problem: StateError) => this.problems.push(problem);
    this.store = await openStateFile(this.path, { ...this.state, report });
  }

  async publish(count: number, ...readers: JournalReader[]): Promise<Publication | undefined> {
    let publication: Publication | undefined;
    for (let n = 0; n < count; n++) {
      publication = this.history.next();
      await this.store.publish([publication]);
      for (const reader of readers) reader.note(publication);
      this.versions.push(publication.version);
    }
    return publication;
  }

  get current(): ZoneVersion {
    return this.versions[this.versions.length - 1];
  }

  reader(options: Partial<JournalReaderOptions> = {}): JournalReader {
    const reader = openJournalReader(this.path, {
      condense: true,
      report: (problem) => this.problems.push(problem),
      repair: (apex) => this.store.repairJournal(apex),
      ...options,
    });
    this.#readers.push(reader);
    return reader;
  }

  sql(sql: string, isSchema = false): void {
    const db = new DatabaseSync(this.path);
    if (isSchema) db.enableDefensive(false);
    if (isSchema) db.exec("PRAGMA writable_schema = ON");
    db.exec(sql);
    db.close();
  }

  /** Makes the index by serial show each row under the serial it leads to. */
  damageSerialIndex(): void {
    const define = (from: string, to: string) =>
      `UPDATE sqlite_schema SET sql = replace(sql, '${from}', '${to}')
       WHERE name = 'journal_by_serial'`;
    this.sql(define("from_serial", "to_serial"), true);
    this.sql(`REINDEX journal_by_serial; ${define("to_serial", "from_serial")}`, true);
  }

  async [Symbol.asyncDispose]() {
    for (const reader of this.#readers) await reader.close();
    await this.store.close();
  }
}

function reasonOf(answer: Differences): string {
  assertEquals(answer.kind, "none");
  return answer.kind === "none" ? answer.reason : "";
}

/** Asserts that an answer leads from one version to another and is small enough to be sent. */
function assertLeads(answer: Differences, from: ZoneVersion, to: ZoneVersion): void {
  assert(answer.kind === "kept", answer.kind === "none" ? answer.reason : "");
  assertEquals(contentAfter(from, answer.sequences), contentOf(to));
  let octets = 0;
  for (const { removed, added } of answer.sequences) {
    octets += removed.octets.length + added.octets.length;
  }
  assert(octets <= to.wireOctets);
}

Deno.test("from every kept serial the differences lead to the current version, or say why not", async (t) => {
  for (const condensed of [true, false]) {
    await t.step(condensed ? "condensed" : "one by one", async () => {
      await using dir = await tempDir();
      await using setup = await Setup.make(dir, 300, { seed: 7 }, { journalMaxOctets: 80_000 });
      let kept = 0;
      const check = async () => {
        const reader = setup.reader({ condense: condensed });
        const { current } = setup;
        const entries = await setup.store.journal(NAME);
        const inJournal = new Map(entries.map(({ fromSerial }, at) => [fromSerial, at]));
        for (const from of setup.versions.slice(0, -1)) {
          const answer = await reader.differences(current, from.serial);
          const at = inJournal.get(from.serial);
          if (answer.kind === "kept") {
            assertLeads(answer, from, current);
            assertEquals(answer.sequences.length, condensed ? 1 : entries.length - at!);
            kept++;
          } else if (at === undefined) {
            assert(answer.reason.includes(`its oldest is ${entries[0].fromSerial}`));
          } else {
            const diffs = (await setup.store.differences(NAME, from.serial))!;
            const sum = entries.slice(at).reduce((octets, entry) => octets + entry.octets, 0);
            const { removed, added } = condense(diffs);
            const octets = condensed ? removed.octets.length + added.octets.length : sum;
            assert(sum > 4 * current.wireOctets || octets > current.wireOctets, answer.reason);
            assert(/more than 4 times the zone|larger than the zone/.test(answer.reason));
          }
        }
        await reader.close();
        return entries.length;
      };
      const length = await check();
      assert(length > 100 && length < 299, "some are purged");
      await setup.store.close();
      await setup.open();
      assertEquals(await check(), length);
      assert(kept > 40, `${kept} kept`);
      assertEquals(setup.problems, []);
    });
  }
});

Deno.test("what was just published is answered without the worker, at once and by reference", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 1);
  const silent = { startWorker: () => workerOf(SILENT), deadlineMs: 1 };
  const reader = setup.reader(silent);
  const plain = setup.reader({ ...silent, condense: false });
  const last = (await setup.publish(1, reader, plain))!;
  for (const one of [reader, plain]) {
    const answer = await one.differences(setup.current, setup.versions[0].serial);
    assert(answer.kind === "kept" && answer.sequences[0] === last.diff);
  }
  await setup.publish(9, reader, plain);
  for (const from of setup.versions.slice(0, -1)) {
    const answer = await reader.differences(setup.current, from.serial);
    assertLeads(answer, from, setup.current);
    assertEquals(answer.kind === "kept" && answer.sequences.length, 1);
    const steps = await plain.differences(setup.current, from.serial);
    assertLeads(steps, from, setup.current);
    assertEquals(
      steps.kind === "kept" && steps.sequences.length,
      setup.current.serial - from.serial,
    );
  }
  assertEquals(await reader.differences(setup.current, 77), {
    kind: "none",
    reason: "serial 77 is ahead of 11",
  });
  const stranger = await reader.differences(setup.current, 2 ** 32 - 5);
  assertEquals(reasonOf(stranger), "reading the journal takes longer than 1 ms");
});

Deno.test("many steps at hand are left to the worker", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 1);
  const reader = setup.reader({ startWorker: () => workerOf(SILENT), deadlineMs: 1 });
  await setup.publish(65, reader);
  const answer = await reader.differences(setup.current, setup.versions[0].serial);
  assertEquals(reasonOf(answer), "reading the journal takes longer than 1 ms");
});

Deno.test("a version that is no longer current gets the differences that lead to it", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 20);
  const reader = setup.reader();
  for (const to of [19, 15, 10]) {
    for (let from = to - 5; from < to; from++) {
      const version = setup.versions[to];
      const answer = await reader.differences(version, setup.versions[from].serial);
      assertLeads(answer, setup.versions[from], version);
    }
  }
  const [first] = setup.versions;
  const later = await reader.differences(first, setup.current.serial);
  assertEquals(reasonOf(later), `serial ${setup.current.serial} is ahead of ${first.serial}`);
});

Deno.test("a version that the journal does not lead to gets none", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 5);
  const reader = setup.reader();
  const unpublished = setup.history.next().version;
  const answer = await reader.differences(unpublished, setup.current.serial);
  assert(reasonOf(answer).includes("does not lead from serial 5 to 6"));
  const { soa } = setup.current;
  const twin = { ...setup.current, soa: { ...soa, ttl: soa.ttl + 1 } };
  const other = await reader.differences(twin, setup.versions[2].serial);
  assert(reasonOf(other).includes("to the SOA of 5"));
});

Deno.test("serials that are current, ahead, incomparable, unknown or purged get none, and a reason", async () => {
  await using dir = await tempDir();
  const top = 3_000_000_000;
  const history = {
    seed: 3,
    firstSerial: top,
    nextSerial: (serial: number) => addSerial(serial, 2),
  };
  await using setup = await Setup.make(dir, 60, history, { journalMaxOctets: 10_000 });
  const reader = setup.reader();
  const { current } = setup;
  const reason = async (from: number) => reasonOf(await reader.differences(current, from));
  const oldest = (await setup.store.journal(NAME))[0].fromSerial;
  assert(oldest > top);
  const { serial } = current;
  assertEquals(await reason(serial), `serial ${serial} is the zone's own`);
  assertEquals(await reason(serial + 1), `serial ${serial + 1} is ahead of ${serial}`);
  assertEquals(
    await reason((serial + 2 ** 31) % 2 ** 32),
    `serial ${(serial + 2 ** 31) % 2 ** 32} cannot be compared with ${serial} (RFC 1982)`,
  );
  assertEquals(
    await reason(top),
    `serial ${top} is no longer in the journal, its oldest is ${oldest}`,
  );
  assertEquals(
    await reason(serial - 1),
    `the journal does not lead from serial ${serial - 1} to ${serial}, its oldest is ${oldest}`,
  );
});

Deno.test("a zone without a journal, or without a row in the file, gets none, and a reason", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 1);
  const reader = setup.reader();
  assertEquals(reasonOf(await reader.differences(setup.current, 0)), "the journal is empty");
  await setup.store.removeZone(NAME);
  assertEquals(
    reasonOf(await reader.differences(setup.history.next().version, 1)),
    "the state file does not hold the zone",
  );
});

Deno.test("serials that wrap, in small steps and in the largest, are followed through the journal", async (t) => {
  const steps: Record<string, HistoryOptions> = {
    "by one": { seed: 1, firstSerial: 2 ** 32 - 15 },
    "by the most there is": {
      seed: 2,
      firstSerial: 5,
      nextSerial: (serial) => addSerial(serial, 2 ** 31 - 1),
    },
    "by anything": {
      seed: 3,
      firstSerial: 2 ** 32 - 1,
      nextSerial: (serial, random) => addSerial(serial, 1 + Math.floor(random() * 2 ** 29)),
    },
  };
  for (const [name, options] of Object.entries(steps)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      await using setup = await Setup.make(dir, 1, options);
      const noted = setup.reader();
      const asking = setup.reader();
      let kept = 0;
      for (let n = 0; n < 30; n++) {
        await setup.publish(1, noted);
        const { current, versions } = setup;
        for (const from of versions.slice(-6, -1)) {
          for (const reader of [noted, asking]) {
            const answer = await reader.differences(current, from.serial);
            if (compareSerials(from.serial, current.serial) !== -1) reasonOf(answer);
            else {
              assertLeads(answer, from, current);
              kept++;
            }
          }
        }
      }
      assert(kept >= 50, String(kept));
    });
  }
});

Deno.test("a serial that the journal has twice is answered by none", async () => {
  await using dir = await tempDir();
  const third = 2 ** 32 / 4;
  await using setup = await Setup.make(dir, 7, {
    seed: 4,
    nextSerial: (serial) => addSerial(serial, third), // round in four versions
  });
  const reader = setup.reader();
  const { current } = setup;
  const again = await reader.differences(current, setup.versions[5].serial);
  assertEquals(
    reasonOf(again),
    `the journal has serial ${setup.versions[5].serial} more than once`,
  );
});

Deno.test("identical requests at once are one; answers are kept; others wait their turn", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 30);
  const reader = setup.reader();
  const { current, versions } = setup;
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) => reader.differences(current, versions[20 + n % 5].serial)),
  );
  assertEquals(new Set(answers).size, 5);
  for (const [n, answer] of answers.entries()) assertLeads(answer, versions[20 + n % 5], current);
  await setup.store.close();
  await Deno.rename(setup.path, `${setup.path}.gone`);
  assertEquals(await reader.differences(current, versions[22].serial), answers[2]);
});

Deno.test("a difference larger than the zone is not sent; one as large is", async () => {
  await using dir = await tempDir();
  const store = await openStateFile(`${dir.path}/state.db`);
  const first = firstVersion(APEX, 1, hostPages(APEX, 1));
  await store.publish([first]);
  const names = ["a", "b", "c", "d", "e"].map((label) => aRecord(`${label}.example.`, 1));
  const exact = nextVersion(first.version, 2, first.version.pages, { added: names.slice(0, 3) });
  const octets = exact.diff!.added.octets.length;
  await store.publish([exact]);
  for (const [by, kind] of [[0, "kept"], [1, "none"]] as const) {
    // Only what the version says of its size matters here.
    const version = { ...exact.version, wireOctets: octets - by } as ZoneVersion;
    for (const noted of [false, true]) {
      const reader = openJournalReader(`${dir.path}/state.db`, { condense: true });
      if (noted) reader.note(exact);
      const answer = await reader.differences(version, 1);
      assertEquals(answer.kind, kind);
      if (by === 1) {
        assertEquals(
          reasonOf(answer),
          `the difference of ${octets} octets is larger than the zone (${octets - 1})`,
        );
      }
      await reader.close();
    }
  }
  await store.close();
});

Deno.test("tampered rows: none, dropped and reported once, newer serials stay good", async (t) => {
  const cases: Record<string, string> = {
    "a record changed": "UPDATE journal SET added = CAST(added || x'00' AS BLOB) WHERE id = 10",
    "a record's octet changed": `UPDATE journal SET removed = added, added = removed,
      removed_count = added_count, added_count = removed_count WHERE id = 10`,
    "the octets changed": "UPDATE journal SET octets = octets + 1 WHERE id = 10",
    "a row missing": "DELETE FROM journal WHERE id = 10",
    "a hash changed": "UPDATE journal SET previous_chain = zeroblob(32) WHERE id = 10",
    "a SOA cut": "UPDATE journal SET to_soa = x'00' WHERE id = 10",
  };
  for (const [name, sql] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using dir = await tempDir();
      await using setup = await Setup.make(dir, 20);
      const reader = setup.reader();
      setup.sql(sql);
      const { current, versions } = setup; // row n leads from version n - 1
      assertLeads(await reader.differences(current, versions[10].serial), versions[10], current);
      assertEquals(setup.problems, []);
      for (const from of [5, 3, 8]) {
        const reason = reasonOf(await reader.differences(current, versions[from].serial));
        assert(/is damaged|no longer in the journal/.test(reason), reason);
      }
      await until(() => setup.problems.length > 0, { what: "the report" });
      assertEquals(setup.problems.map(({ code }) => code), ["journal-damaged"]);
      const oldest = (await setup.store.journal(NAME))[0].fromSerial;
      assertEquals(oldest, versions[10].serial);
      const again = reasonOf(await reader.differences(current, versions[6].serial));
      assert(again.includes(`its oldest is ${oldest}`), again);
      await setup.publish(1, reader);
      assertLeads(
        await reader.differences(setup.current, versions[10].serial),
        versions[10],
        setup.current,
      );
      assertEquals(setup.problems.length, 1);
    });
  }
});

Deno.test("without anybody to repair it, a broken journal is reported once and nothing is written", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 10);
  const reader = setup.reader({ repair: undefined });
  setup.sql("UPDATE journal SET cause = 'x' WHERE id = 5");
  for (const from of [1, 2, 3, 3]) await reader.differences(setup.current, from);
  assertEquals(setup.problems.map(({ code }) => code), ["journal-damaged"]);
  assertEquals((await setup.store.journal(NAME)).length, 9);
});

Deno.test("repairing a journal with whole rows keeps them, and says that its index is written anew", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 10);
  await setup.store.repairJournal(parseName("nowhere."));
  assertEquals(setup.problems, []);
  await setup.store.repairJournal(NAME);
  assertEquals(setup.problems.map(({ code }) => code), ["journal-damaged"]);
  assert(setup.problems[0].message.endsWith("written anew, and nothing was lost"));
  assertEquals((await setup.store.journal(NAME)).length, 9);
});

Deno.test("a damaged index by serial is mended as often as it is found", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 10);
  const { current, versions } = setup;
  const reader = setup.reader();
  for (const times of [1, 2]) {
    setup.damageSerialIndex();
    const from = versions[2 + times]; // another one: answers are kept
    reasonOf(await reader.differences(current, from.serial));
    await until(() => setup.problems.length === times, { what: "the report" });
    assertLeads(await reader.differences(current, from.serial), from, current);
    assertEquals((await setup.store.journal(NAME)).length, 9);
  }
  assertEquals(setup.problems.map(({ code }) => code), Array(2).fill("journal-damaged"));
});

Deno.test("a worker that dies is reported and started again; requests meanwhile get none", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 10);
  const dying =
    "self.onmessage = ({data}) => { if (data.kind === 'read') throw new Error('boom') };";
  let started = 0;
  const reader = setup.reader({
    restartPauseMs: 0,
    startWorker: () =>
      ++started === 1
        ? workerOf(dying)
        : new Worker(import.meta.resolve("../../../lib/store/journal_worker.ts"), {
          type: "module",
        }),
  });
  const { current, versions } = setup;
  const both = await Promise.all([
    reader.differences(current, versions[7].serial),
    reader.differences(current, versions[8].serial),
  ]);
  for (const answer of both) {
    assert(/worker ended \(.*boom.*\) and is started again/.test(reasonOf(answer)));
  }
  assertEquals(setup.problems.map(({ code }) => code), ["state-worker"]);
  assertLeads(await reader.differences(current, versions[7].serial), versions[7], current);
  assertEquals(started, 2);
});

Deno.test("a worker that dies at once is not started again and again", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 3);
  let started = 0;
  const reader = setup.reader({
    startWorker: () => {
      started++;
      return workerOf("throw new Error('boom')");
    },
  });
  for (let n = 0; n < 50; n++) reasonOf(await reader.differences(setup.current, 1));
  assertEquals(started, 1);
});

Deno.test("a worker that never answers costs a client the deadline, and no more", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 3);
  const reader = setup.reader({ startWorker: () => workerOf(SILENT), deadlineMs: 20 });
  const answers = await Promise.all([
    reader.differences(setup.current, 1),
    reader.differences(setup.current, 1),
  ]);
  for (const answer of answers) {
    assertEquals(reasonOf(answer), "reading the journal takes longer than 20 ms");
  }
});

Deno.test("a reader that is closed, or has no file yet, gives none", async () => {
  await using dir = await tempDir();
  const version = firstVersion(APEX, 2, []).version;
  const reader = openJournalReader(`${dir.path}/state.db`, { condense: true });
  assert(reasonOf(await reader.differences(version, 1)).includes("there is none"));
  await using setup = await Setup.make(dir, 12);
  const [from] = setup.versions.slice(-4);
  assertLeads(await reader.differences(setup.current, from.serial), from, setup.current);
  await reader.close();
  await reader.close();
  assert(reasonOf(await reader.differences(setup.current, 8)).includes("it was closed"));
});

Deno.test("a first version published anew makes the reader forget what it knew of the zone", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 1);
  const reader = setup.reader();
  await setup.publish(3, reader);
  const { current } = setup;
  assertEquals((await reader.differences(current, 1)).kind, "kept");
  const anew = { version: current, previous: undefined, diff: undefined };
  await setup.store.publish([{ ...anew, cause: "start", publishedAt: 1 }]);
  reader.note(anew);
  assertEquals(reasonOf(await reader.differences(current, 1)), "the journal is empty");
});

Deno.test("publications go on while a long journal is read", async () => {
  await using dir = await tempDir();
  await using setup = await Setup.make(dir, 60, { seed: 9, owners: 3000 });
  const reader = setup.reader();
  const reads = Promise.all(
    setup.versions.slice(0, -1).map(async (from) => {
      const to = setup.current;
      const answer = await reader.differences(to, from.serial);
      if (answer.kind === "kept") assertLeads(answer, from, to);
      return answer.kind;
    }),
  );
  await setup.publish(20);
  assert((await reads).every((kind) => kind === "kept"));
});
