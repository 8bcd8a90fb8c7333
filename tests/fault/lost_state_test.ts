/** The state file lost, or an old copy of it, with real secondaries and a real Postgres. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { interopTest, systemTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { startSecondary } from "../support/secondaries.ts";
import { mustZonecast, newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";

const NAME = "lost.example";
const ZONE = `${NAME}.`;
/** How far a serial lies above the time, so that only a floor explains what is above it. */
const AHEAD = 100_000;
const JUMP = 2 ** 16;

/** A serial that the clock will not reach. */
function farAhead(): number {
  return Math.floor(Date.now() / 1000) + AHEAD;
}

interopTest("NSD and Knot follow a zone on, over a lost state file and an old copy of one", {
  needs: ["nsd", "knot", "dig", "compilezone"],
}, async (t) => {
  await using dir = await tempDir();
  const source = `sqlite:${dir.path}/records.db`;
  await mustZonecast(source, ["zone", "add", NAME, "--ns", "ns1.servers.example."]);
  await using running = new AsyncDisposableStack();
  const primary = { addr: "127.0.0.1", port: freePort() };
  const secondaries = await Promise.all(
    (["nsd", "knot"] as const).map(async (kind) =>
      running.use(await startSecondary(kind, { zones: [ZONE], primary }))
    ),
  );
  /** zonecast on a state file of its own, on the one port the secondaries know. */
  const serve = async (args: readonly string[] = []) =>
    running.use(
      await serveZones({
        source,
        zones: [ZONE],
        port: primary.port,
        secondaries,
        args: ["--allow-transfer", "127.0.0.1", ...args],
      }),
    );
  type Serving = Awaited<ReturnType<typeof serve>>;
  const add = (name: string) => mustZonecast(source, ["set", NAME, name, "A", "192.0.2.1"]);
  const follow = async (zonecast: Serving, serial: number) => {
    for (const secondary of secondaries) {
      await secondary.reaches(ZONE, serial);
      await assertSameZone(zonecast, secondary, ZONE);
    }
  };

  const old = await serve();
  await follow(old, await newSerial(old, ZONE, undefined));
  await old.stop();
  const floor = farAhead();

  const later = await serve(["--serial-floor", String(floor)]);
  assertEquals(await newSerial(later, ZONE, undefined), floor + 1);
  await follow(later, floor + 1);
  await later.stop();

  await t.step("lost: the new one begins above what they have", async () => {
    await add("lost");
    const fresh = await serve();
    assertEquals(await newSerial(fresh, ZONE, undefined), floor + 2);
    await follow(fresh, floor + 2);
    await fresh.stop();
  });

  await t.step(
    "an old copy: raised above what they have, and no difference is sent from there",
    async () => {
      await add("restored");
      await old.start();
      await until(async () => await old.serial(ZONE) === floor + 3, {
        what: "the serial above the secondaries'",
        seen: () => old.log(),
      });
      assertStringIncludes(old.log(), "raising the serial above it");
      await follow(old, floor + 3);
    },
  );
});

systemTest("zonecast.published is a floor for a zone of which no version is kept", async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  const floor = farAhead();
  const serve = (options: { args?: string[]; secondaries?: { addr: string; port: number }[] }) =>
    serveZones({ source: url, zones: [ZONE], ...options });
  {
    await using first = await serve({ args: ["--serial-floor", String(floor)] });
    assertEquals(await newSerial(first, ZONE, undefined), floor + 1);
    await until(
      async () =>
        (await sql`select from zonecast.published where serial = ${floor + 1}`).length === 1,
      {
        what: "the version is written back",
      },
    );
  }
  await t.step("with no secondaries the new one begins above it", async () => {
    await using fresh = await serve({});
    assertEquals(await newSerial(fresh, ZONE, undefined), floor + 2);
    await until(
      async () =>
        (await sql`select from zonecast.published where serial = ${floor + 2}`).length === 1,
      {
        what: "the version is written back",
      },
    );
  });
  await t.step("with secondaries that do not answer it begins 2^16 above it", async () => {
    const nobody = { addr: "127.0.0.1", port: freePort() };
    await using fresh = await serve({ secondaries: [nobody] });
    assertEquals(await newSerial(fresh, ZONE, undefined), floor + 2 + JUMP + 1);
  });
});

/**
 * Under --serial increment an old copy of the state file is one version behind: the next
 * serial is one that a secondary has already, with other content.
 */
for (const kind of ["sqlite", "postgres"] as const) {
  systemTest(`${kind}: a serial that a lost version had is not given again`, async () => {
    await using running = new AsyncDisposableStack();
    const source = kind === "sqlite"
      ? `sqlite:${running.use(await tempDir()).path}/records.db`
      : await running.use(await startPostgres()).createDatabase("source");
    if (kind === "postgres") await mustZonecast(source, ["schema", "apply"]);
    await mustZonecast(source, ["zone", "add", NAME, "--ns", "ns1.servers.example."]);
    const secondary = running.use(startFakeSecondary());
    secondary.follows = true;
    const port = freePort();
    const serve = async () =>
      running.use(
        await serveZones({
          source,
          zones: [ZONE],
          port,
          secondaries: [secondary],
          args: ["--serial", "increment"],
        }),
      );
    const add = (name: string) => mustZonecast(source, ["set", NAME, name, "A", "192.0.2.1"]);
    const shown = (serial: number) =>
      until(() => secondary.serials.get(NAME) === serial, { what: `the secondary has ${serial}` });

    const zonecast = await serve();
    const first = await newSerial(zonecast, ZONE, undefined);
    await shown(first);
    await zonecast.stop();
    const copy = await Deno.readFile(zonecast.stateFile);
    await zonecast.start();
    await add("lost");
    await shown(first + 1);
    await zonecast.stop();

    for (const suffix of ["-wal", "-shm"]) {
      await Deno.remove(zonecast.stateFile + suffix).catch(() => {});
    }
    await Deno.writeFile(zonecast.stateFile, copy);
    await add("after");
    secondary.follows = false; // it has the lost version's content under its serial
    await zonecast.start();
    await until(async () => await zonecast.serial(ZONE) === first + 2, {
      what: `serial ${first + 2}: ${first + 1} is taken`,
      seen: () => zonecast.log().slice(-3000),
    });
  });
}

systemTest(
  "nor is it when no secondary answers and nothing was written back: it goes far above",
  async () => {
    await using running = new AsyncDisposableStack();
    const source = `sqlite:${running.use(await tempDir()).path}/records.db`;
    await mustZonecast(source, ["zone", "add", NAME, "--ns", "ns1.servers.example."]);
    const secondary = running.use(startFakeSecondary());
    secondary.follows = true;
    const args = ["--serial", "increment"];
    const zonecast = running.use(
      await serveZones({ source, zones: [ZONE], secondaries: [secondary], args }),
    );
    const add = (name: string) => mustZonecast(source, ["set", NAME, name, "A", "192.0.2.1"]);
    const first = await newSerial(zonecast, ZONE, undefined);
    await zonecast.stop();
    const copy = await Deno.readFile(zonecast.stateFile);
    await zonecast.start();
    await add("lost");
    await until(() => secondary.serials.get(NAME) === first + 1, { what: `it has ${first + 1}` });
    await zonecast.stop();

    for (const suffix of ["-wal", "-shm"]) {
      await Deno.remove(zonecast.stateFile + suffix).catch(() => {});
    }
    await Deno.writeFile(zonecast.stateFile, copy);
    await add("after");
    secondary.up = false;
    await zonecast.start();
    await until(async () => await zonecast.serial(ZONE) === first + 1 + JUMP, {
      what: `serial ${first + 1 + JUMP}: those after ${first} may be taken`,
      seen: () => zonecast.log().slice(-3000),
    });
    assertStringIncludes(zonecast.log(), "no secondary answered with its serial");
  },
);
