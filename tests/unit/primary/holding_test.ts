/** What the primary holds: told, kept over restarts, released by its id, and nothing beside it. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import fc from "fast-check";
import { formatName, parseName } from "../../../lib/dns/mod.ts";
import { createLogger } from "../../../lib/ops/mod.ts";
import { type Hold, HoldError, Primary, type Teller } from "../../../lib/primary.ts";
import type { SourceRow } from "../../../lib/source/mod.ts";
import { openStateFile } from "../../../lib/store/mod.ts";
import { readOwners, ZoneTable } from "../../../lib/zone/mod.ts";
import { ScriptedSource } from "../../support/scripted_source.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { ZONE_SETTINGS } from "../../support/zone_settings.ts";

const APEX = parseName("example.org.");
const NS: SourceRow = {
  zone: "example.org",
  name: "@",
  type: "NS",
  ttl: null,
  content: "ns1",
  owner: "example.org.",
};

function host(name: string, content: string): SourceRow {
  return { zone: "example.org", name, type: "A", ttl: null, content, owner: ownerOf(name) };
}

function ownerOf(name: string): string {
  return `${name}.example.org.`;
}

/** A primary with its state file and a source; it can be restarted. */
class World implements AsyncDisposable {
  now = 1_800_000_000_000;
  zones = new ZoneTable();
  primary!: Primary;
  /** What the teller was told last. */
  waiting: readonly string[] = [];
  held: Hold[] = [];
  /** What was logged since the start, from warnings on. */
  lines: string[] = [];
  #store!: Awaited<ReturnType<typeof openStateFile>>;

  private constructor(
    readonly dir: AsyncDisposable & { readonly path: string },
    public source: ScriptedSource,
  ) {}

  static async open(hosts: number): Promise<World> {
    const source = new ScriptedSource();
    source.rows = [NS, ...Array.from({ length: hosts }, (_, i) => host(`h${i}`, "192.0.2.1"))];
    source.touched = new Map();
    const world = new World(await tempDir(), source);
    await world.start();
    await until(() => world.zones.get(APEX), { what: "the first version" });
    return world;
  }

  async start(): Promise<void> {
    this.#store = await openStateFile(`${this.dir.path}/state.db`);
    this.zones = new ZoneTable();
    this.lines = [];
    const teller: Teller = {
      published: () => {},
      raised: () => {},
      linkUp: () => {},
      named: () => {},
      problems: () => {},
      covered: (_, waiting) => this.waiting = waiting,
      held: (holds) => this.held = [...holds],
    };
    this.primary = new Primary({
      source: this.source,
      store: this.#store,
      zones: this.zones,
      announcer: { announce: () => {}, retire: () => {} },
      teller,
      config: {
        zones: [],
        minPublishIntervalMs: 1,
        watchedSecondaries: 0,
        serialPolicy: "unixtime",
        serialFloor: undefined,
        fullReadIntervalMs: 3_600_000,
        guard: { limits: { maxShrink: 0.3, maxChange: 0.5 }, windowMs: 600_000 },
      },
      log: createLogger({
        format: "logfmt",
        level: "warn",
        write: (line) => void this.lines.push(line),
      }),
      now: () => this.now,
      retryMs: 10,
    });
    this.primary.restore(await this.#store.load());
    this.primary.start();
  }

  async stop(): Promise<void> {
    await this.primary.close();
    await this.#store.close();
  }

  /** Ends it and starts it again on what it kept; the source has read all by then. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    await this.settled();
  }

  /** Replaces what the source has of some owners; no content: they are gone. */
  change(owners: ReadonlyMap<string, string | undefined>): void {
    const { source } = this;
    source.rows = source.rows.filter(({ name }) => !owners.has(name));
    for (const [name, content] of owners) {
      if (content === undefined) continue;
      source.rows.push(name === "@" ? { ...NS, content } : host(name, content));
    }
    source.tell([[
      "example.org",
      new Set([...owners.keys()].map((name) => name === "@" ? "example.org." : ownerOf(name))),
    ]]);
  }

  /** Waits until two more reads are over: what the last of them began after is published. */
  async settled(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const { everything, part } = this.primary.status().reads;
      this.source.wake("feed");
      await until(() => {
        const { reads } = this.primary.status();
        return reads.everything + reads.part > everything + part;
      }, { what: "a read", intervalMs: 1 });
    }
  }

  get hold(): Hold | undefined {
    return this.primary.status().held[0];
  }

  /** Owner → its records as text: as served, and as the source has it. */
  served(): Map<string, string> {
    const { pages } = this.zones.get(APEX)!;
    return new Map(
      [...readOwners(pages)].map((
        { owner, records },
      ) => [
        formatName(owner),
        records.map(({ type, rdata }) => `${type} ${rdata.toHex()}`).join(),
      ]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** Hosts from one number up to another, changed or gone. */
function hosts(from: number, to: number, content?: string): Map<string, string | undefined> {
  return new Map(Array.from({ length: to - from }, (_, i) => [`h${from + i}`, content]));
}

Deno.test("held: served as before, told as held and not as waiting; the rest is published", async () => {
  await using world = await World.open(99);
  world.change(hosts(0, 31));
  await until(() => world.hold, { what: "a hold" });
  world.change(new Map([["new", "192.0.2.2"]]));
  await until(() => world.served().has(ownerOf("new")), { what: "the new owner" });
  assertEquals(world.served().size, 101);
  assertEquals([world.hold!.reasons, world.hold!.ownerCount], [["shrink"], 31]);
  await world.settled();
  assertEquals(world.waiting, []);
  assertEquals(world.held.map(({ id }) => id), [world.hold!.id]);
});

Deno.test("beside a hold, other owners are read and judged alone", async () => {
  await using world = await World.open(99);
  world.change(hosts(0, 60, "198.51.100.1"));
  const { id } = await until(() => world.hold, { what: "a hold" });
  const { source } = world;
  const beside: Map<string, string | undefined>[] = [
    new Map([["h70", "203.0.113.1"]]), // a replacement
    new Map([["h71", undefined]]), // a removal
    new Map([["new", "203.0.113.2"]]),
  ];
  for (const change of beside) {
    const [[name, content]] = change;
    world.change(change);
    await until(() => world.served().has(ownerOf(name)) === (content !== undefined), {
      what: name,
    });
    await until(() => source.scope.size === 0 || source.scope.has("example.org"), {
      what: "a read",
    });
    assertEquals(world.hold?.id, id);
  }
  await world.settled();
  assertEquals(world.served().get(ownerOf("h70")), "1 cb007101");
  assertEquals(world.served().get(ownerOf("h1")), "1 c0000201");
  // One of them is touched: all of them are read again.
  world.change(new Map([["h1", "198.51.100.9"]]));
  await until(() => world.hold && world.hold.id !== id, { what: "another id" });
  assertEquals((source.scope.get("example.org") as ReadonlySet<string>).size, 60);
  // What exceeds by itself is held with it.
  world.change(hosts(72, 99));
  world.change(hosts(60, 66));
  await until(() => world.hold!.reasons.includes("shrink"), { what: "held for both" });
  await world.settled();
  const served = world.served();
  for (let i = 0; i < 60; i++) assertEquals(served.get(ownerOf(`h${i}`)), "1 c0000201");
  assert(served.size > 69, `${served.size} owners are served`);
});

Deno.test("beside a hold of a zone without NS records, that problem stays", async () => {
  await using world = await World.open(20);
  const codes = () => world.primary.status().problems.map(({ code }) => code);
  world.change(new Map([["@", undefined]]));
  const { id } = await until(() => world.hold, { what: "a hold" });
  assertEquals(codes(), ["zone-without-ns"]);
  world.change(new Map([["h1", "203.0.113.1"]]));
  await until(() => world.served().get(ownerOf("h1")) === "1 cb007101", { what: "h1" });
  await world.settled();
  assertEquals([world.hold?.id, codes()], [id, ["zone-without-ns"]]);
  world.change(new Map([["@", "ns1"]]));
  await until(() => codes().length === 0 && !world.hold, { what: "all is right again" });
});

Deno.test("the last owner gone beside a zone held without NS records: it is held too, as nothing would be left", async () => {
  await using world = await World.open(2);
  world.change(new Map([["@", undefined]]));
  await until(() => world.hold, { what: "a hold" });
  world.change(hosts(0, 1));
  await until(() => world.served().size === 2, { what: "one host of two is gone" });
  assertEquals(world.hold?.reasons, ["no-ns"]);
  world.change(hosts(1, 2));
  await until(() => world.hold?.reasons.includes("empty"), { what: "the rest is held" });
  await world.settled();
  assertEquals([world.served().size, world.hold?.ownerCount], [2, 2]);
  world.change(new Map([["new", "192.0.2.9"]]));
  await until(() => world.hold?.ownerCount === 1, { what: "only the apex is held: there is more" });
  assertEquals([...world.served().keys()].sort(), ["example.org.", "new.example.org."]);
  world.change(new Map([["@", "ns1"]]));
  await until(() => !world.hold && world.served().size === 2, { what: "all as it is written" });
});

Deno.test("the log says at a restart what is still held, and that once", async () => {
  await using world = await World.open(99);
  const told = () => world.lines.filter((line) => line.includes("held"));
  world.change(hosts(0, 50));
  const { id } = await until(() => world.hold, { what: "a hold" });
  assertEquals(told().length, 1);
  await world.restart();
  assertEquals(told().length, 1, told().join(""));
  assertMatch(told()[0], /level=warn event="a change is still held; the zone is served as before"/);
  assertMatch(told()[0], new RegExp(` id=${id} since=\\S+ why="50 of 100 owners would be gone`));
  assertMatch(told()[0], new RegExp(`zonecast approve example\\.org\\. ${id}`));
  world.change(hosts(0, 50, "192.0.2.1"));
  await until(() => !world.hold, { what: "nothing is held" });
  await world.restart();
  assertEquals(told(), []);
});

Deno.test("the window: what went in small parts counts together, also over a restart, and for so long", async () => {
  await using world = await World.open(99);
  world.change(hosts(0, 20));
  await until(() => world.served().size === 80, { what: "a fifth is gone" });
  await world.restart();
  world.now += 300_000;
  world.change(hosts(20, 31));
  await until(() => world.hold, { what: "a hold" });
  assertEquals(world.hold!.figures.owners, 100);
  world.change(hosts(20, 31, "192.0.2.1"));
  await until(() => !world.hold, { what: "all is right again" });
  world.now += 600_000;
  world.change(hosts(20, 31));
  await until(() => world.served().size === 69, { what: "later it may go" });
});

Deno.test("approved while the source is away: kept over a restart, published when it is back", async () => {
  await using world = await World.open(99);
  world.change(hosts(0, 50));
  const { id } = await until(() => world.hold, { what: "a hold" });
  await assertRejects(() => world.primary.approve(APEX, "0123456789ab", 1), HoldError, id);
  world.source.failure = new Error("away");
  assertEquals(await world.primary.approve(APEX, id, 30), undefined);
  await world.stop();
  await world.start();
  assertEquals(world.hold?.id, id);
  world.source.failure = undefined;
  await until(() => world.served().size === 50 && !world.hold, { what: "it is released" });
  world.change(hosts(50, 54));
  await until(() => world.served().size === 46, { what: "its new size is what counts now" });
});

Deno.test("an approval of other content comes to nothing, and is used up", async () => {
  await using world = await World.open(99);
  world.change(hosts(0, 50));
  const { id } = await until(() => world.hold, { what: "a hold" });
  world.source.rows = world.source.rows.filter(({ name }) => name !== "h60"); // read with it
  world.source.touched = new Map([["example.org", new Set([ownerOf("h60")])]]);
  const verdict = await world.primary.approve(APEX, id, 60_000);
  assert(verdict);
  assertEquals([verdict.serial, verdict.held], [undefined, world.hold!.id]);
  world.change(new Map([["h60", "192.0.2.1"]]));
  await until(() => world.hold?.id === id, { what: "the first content again" });
  await world.restart();
  assertEquals([world.hold?.id, world.served().size], [id, 100], "it must be approved again");
});

Deno.test("a zone that is gone is held, over a restart; back again, it is not", async () => {
  await using world = await World.open(3);
  const serial = world.zones.get(APEX)!.serial;
  const set = (zones: typeof world.source.zones) => {
    world.source.zones = zones;
    world.source.tell([["example.org", "all"]]);
  };
  set([]);
  const { id } = await until(() => world.hold, { what: "a hold" });
  await world.restart();
  assertEquals([world.hold?.id, world.zones.get(APEX)?.serial], [id, serial]);
  set([{ ...ZONE_SETTINGS }]);
  await until(() => !world.hold, { what: "nothing is held" });
  assertEquals(world.zones.get(APEX)!.serial, serial);
  set([]);
  await until(() => world.hold?.id === id, { what: "it is gone again" });
  world.source.approvals = new Map([["example.org", [id]]]);
  set([]);
  await until(() => !world.zones.get(APEX), { what: "the zone is served no longer" });
  assertEquals(world.hold, undefined);
});

Deno.test("after a restart the owners held are told as soon as they are known again", async () => {
  await using world = await World.open(99);
  world.change(hosts(0, 31));
  const { id } = await until(() => world.hold, { what: "a hold" });
  await world.stop();
  world.held = [];
  world.source.zones = [{ ...ZONE_SETTINGS, rname: "admin@example.org" }]; // nothing is judged
  await world.start();
  const [told] = await until(() => world.held.length > 0 && world.held, { what: "it is told" });
  assertEquals([told.id, told.owners], [id, undefined]);
  world.source.zones = [ZONE_SETTINGS];
  world.source.tell([["example.org", new Set()]]);
  const [{ owners }] = await until(() => world.held[0].owners && world.held, { what: "owners" });
  assertEquals([owners!.count, world.hold?.id], [31, id]);
});

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("change" as const),
      from: fc.nat(39),
      count: fc.integer({ min: 1, max: 30 }),
      content: fc.constantFrom(undefined, "192.0.2.1", "192.0.2.2", "198.51.100.1"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("full" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("approve" as const) }) },
);

Deno.test("at random: what is not held is served as the source has it, whatever is done in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await using world = await World.open(40);
      for (const one of steps) {
        const before = world.hold?.id;
        if (one.kind === "change") world.change(hosts(one.from, one.from + one.count, one.content));
        else if (one.kind === "restart") await world.restart();
        else if (one.kind === "full") world.source.wake("notification");
        else if (before) await world.primary.approve(APEX, before, 60_000);
        await world.settled();
        const { hold } = world;
        if (one.kind === "restart" || one.kind === "full") assertEquals(hold?.id, before);
        if (one.kind === "approve") assertEquals(hold, undefined);
        const served = world.served();
        const names = new Set([...served.keys(), ...world.source.rows.map(({ owner }) => owner!)]);
        for (const name of names) {
          if (name === "example.org.") continue;
          const row = world.source.rows.find(({ owner }) => owner === name);
          const hex = row?.content.split(".").map((part) =>
            Number(part).toString(16).padStart(2, "0")
          );
          const isSame = served.get(name) === (hex && `1 ${hex.join("")}`);
          const isHeld = hold !== undefined && hold.owners!.mayHave(name);
          assertEquals(isSame, !isHeld, `${name}: served ${served.get(name)}, held: ${isHeld}`);
        }
      }
    }),
    { numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? 25) },
  );
});
