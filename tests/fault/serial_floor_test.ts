/**
 * Which serial a zone goes on with when the state file is lost, or an old copy:
 * never one that a secondary would take for older than what it has.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { query, serialOf } from "../support/dns_client.ts";
import { freePort } from "../support/ports.ts";
import { type FakeSecondary, startFakeSecondary } from "../support/secondary_fake.ts";
import { mustZonecast, newSerial } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";

const ZONE = "example.org";
const JUMP = 2 ** 16;

/** A source file with one zone. */
async function sourceWithZone(dir: string): Promise<string> {
  const source = `sqlite:${dir}/records.db`;
  await mustZonecast(source, ["zone", "add", ZONE, "--ns", "ns1.example.net."]);
  return source;
}

function serve(source: string, secondaries: readonly FakeSecondary[]): Promise<Zonecast> {
  return startZonecast({ source, secondaries });
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

Deno.test("the state file is lost: the zone begins above what the secondaries have", async () => {
  await using dir = await tempDir();
  await using behind = await startFakeSecondary();
  await using ahead = await startFakeSecondary();
  const theirs = now() + 100_000;
  behind.serials.set(ZONE, theirs - 5_000);
  ahead.serials.set(ZONE, theirs);
  await using zonecast = await serve(await sourceWithZone(dir.path), [behind, ahead]);
  assertEquals(await newSerial(zonecast, ZONE, undefined), theirs + 1);
});

Deno.test("the state file of a zone with a floor of its own is lost: what the secondaries have counts too", async () => {
  await using dir = await tempDir();
  await using ahead = await startFakeSecondary();
  const theirs = now() + 100_000;
  ahead.serials.set(ZONE, theirs);
  const source = await sourceWithZone(dir.path);
  await mustZonecast(source, ["zone", "set", ZONE, "--serial-floor", String(theirs - 5)]);
  await using zonecast = await serve(source, [ahead]);
  assertEquals(await newSerial(zonecast, ZONE, undefined), theirs + 1);
});

Deno.test("secondaries that do not have the zone yet set no floor", async () => {
  await using dir = await tempDir();
  await using fresh = await startFakeSecondary();
  await using zonecast = await serve(await sourceWithZone(dir.path), [fresh]);
  const serial = await newSerial(zonecast, ZONE, undefined);
  assert(Math.abs(serial - now()) < 60, `${serial}`);
});

Deno.test("no secondary answers: the zone begins 2^16 above the time, and passes one that comes with more", async () => {
  await using dir = await tempDir();
  const source = await sourceWithZone(dir.path);
  const port = freePort();
  await using zonecast = await startZonecast({
    source,
    secondaries: [{ addr: "127.0.0.1", port }],
  });
  const first = await newSerial(zonecast, ZONE, undefined);
  assert(Math.abs(first - now() - JUMP) < 60, `${first}`);
  assertStringIncludes(zonecast.log(), "no secondary answered with its serial");
  await using secondary = await startFakeSecondary({ port });
  secondary.serials.set(ZONE, first + 10);
  assertEquals(await newSerial(zonecast, ZONE, first), first + 11);
});

Deno.test("an old copy of the state file is restored: the serial is raised above the secondary's", async () => {
  await using dir = await tempDir();
  await using secondary = await startFakeSecondary();
  await using zonecast = await serve(await sourceWithZone(dir.path), [secondary]);
  const old = await newSerial(zonecast, ZONE, undefined);
  await zonecast.stop();
  secondary.serials.set(ZONE, old + 500); // what later versions, now lost, had
  await zonecast.start();
  assertEquals(await newSerial(zonecast, ZONE, old), old + 501);
  assertStringIncludes(zonecast.log(), "raising the serial above it");
});

Deno.test("one secondary confirms the old copy's serial, another is ahead: the serial is raised", async () => {
  await using dir = await tempDir();
  await using confirming = await startFakeSecondary();
  await using ahead = await startFakeSecondary();
  await using zonecast = await serve(await sourceWithZone(dir.path), [confirming, ahead]);
  const old = await newSerial(zonecast, ZONE, undefined);
  await zonecast.stop();
  confirming.serials.set(ZONE, old);
  await zonecast.start();
  await untilStatus(zonecast, "one live", (report) => JSON.stringify(report).includes('"live"'));
  ahead.serials.set(ZONE, old + 500);
  assertEquals(await newSerial(zonecast, ZONE, old), old + 501);
});

/** The command that the log shows, without its `zonecast`. */
async function commandShown(zonecast: Zonecast, command: RegExp): Promise<string[]> {
  const found = await until(() => command.exec(zonecast.log())?.[0], {
    what: `${command} in the log`,
    seen: () => zonecast.log(),
  });
  return found.split(" ");
}

const SERIAL_COMMAND = /serial example\.org\.? --above \d+/;

Deno.test("a confirmed zone is not raised by a secondary: an alarm names the command, which does it", async () => {
  await using dir = await tempDir();
  await using secondary = await startFakeSecondary();
  const source = await sourceWithZone(dir.path);
  await using zonecast = await serve(source, [secondary]);
  const first = await newSerial(zonecast, ZONE, undefined);
  secondary.serials.set(ZONE, first);
  await untilStatus(zonecast, "live", (report) => JSON.stringify(report).includes('"live"'));
  secondary.serials.set(ZONE, first + 7_000);
  await zonecast.mustCli(["set", ZONE, "www", "A", "192.0.2.1"]);
  const second = await newSerial(zonecast, ZONE, first);
  assert(second < first + 7_000);
  const command = await commandShown(zonecast, SERIAL_COMMAND);
  assertStringIncludes(await zonecast.mustCli(command), `${second} -> ${first + 7_001}`);
  assertEquals(await serialOf(zonecast, ZONE), first + 7_001, "served when the command returns");
  assertMatch(await zonecast.mustCli(["log", ZONE]), / 0 +0 +serial$/m);
  assertStringIncludes(await zonecast.mustCli(command), "above");
  assertEquals(await serialOf(zonecast, ZONE), first + 7_001, "given again it changes nothing");

  await zonecast.stop();
  await zonecast.start();
  assertEquals(await newSerial(zonecast, ZONE, undefined), first + 7_001, "it is kept");
});

Deno.test("a serial that is neither ahead nor behind: the command shown goes above it in two steps", async () => {
  await using dir = await tempDir();
  await using follower = await startFakeSecondary();
  await using astray = await startFakeSecondary();
  follower.follows = true;
  const source = await sourceWithZone(dir.path);
  await using zonecast = await serve(source, [follower, astray]);
  const first = await newSerial(zonecast, ZONE, undefined);
  astray.serials.set(ZONE, first);
  await untilStatus(
    zonecast,
    "both live",
    ({ secondaries }) => secondaries.every(({ zones: [zone] }) => zone?.state === "live"),
  );
  const theirs = (first + 2 ** 31) % 2 ** 32;
  astray.serials.set(ZONE, theirs);
  await zonecast.mustCli(["set", ZONE, "www", "A", "192.0.2.1"]);
  const second = await newSerial(zonecast, ZONE, first);
  await until(() => follower.serials.get(ZONE) === second, { what: "the follower has it" });
  // From one more the other's serial is ahead: one step leads above it.
  const command = ["serial", ZONE, "--above", String((second + 2 ** 31) % 2 ** 32)];
  await commandShown(zonecast, SERIAL_COMMAND);

  follower.follows = false;
  const half = await zonecast.cli(command);
  const halfway = (second + 2 ** 31 - 1) % 2 ** 32;
  assertEquals([half.code, await serialOf(zonecast, ZONE)], [3, halfway], half.stderr);
  assertStringIncludes(half.stdout, "the first of two steps");
  const soon = await zonecast.cli(command);
  assertEquals([soon.code, await serialOf(zonecast, ZONE)], [1, halfway]);
  assertStringIncludes(soon.stderr, `secondary0 shows ${second}`);
  follower.serials.set(ZONE, halfway);
  await untilStatus(
    zonecast,
    "the follower has taken the first step",
    ({ secondaries: [{ zones: [zone] }] }) => zone.serial === halfway,
  );
  await zonecast.mustCli(command);
  assertEquals(await serialOf(zonecast, ZONE), (second + 2 ** 31 + 1) % 2 ** 32);
});

Deno.test("serials without a greatest one hold the zone; the command shown publishes it", async () => {
  await using dir = await tempDir();
  await using one = await startFakeSecondary();
  await using other = await startFakeSecondary();
  one.serials.set(ZONE, 1_000);
  other.serials.set(ZONE, 1_000 + 2 ** 31);
  await using zonecast = await serve(await sourceWithZone(dir.path), [one, other]);
  const command = await commandShown(zonecast, /zone set example\.org\.? --serial-floor \d+/);
  assertEquals((await query(zonecast, ZONE, "SOA")).rcode, "REFUSED");
  const report = await untilStatus(
    zonecast,
    "the problem",
    ({ problems }) => problems.some(({ code }) => code === "serials-incomparable"),
  );
  assertEquals(report.zones, []);
  await zonecast.mustCli(command);
  await until(async () => await serialOf(zonecast, ZONE) !== undefined, {
    what: "the zone served",
  });
});

Deno.test("--serial-floor: every zone is published above it", async () => {
  await using dir = await tempDir();
  const floor = now() + 50_000;
  await using zonecast = await startZonecast({
    source: await sourceWithZone(dir.path),
    args: ["--serial-floor", String(floor)],
  });
  assertEquals(await newSerial(zonecast, ZONE, undefined), floor + 1);
});
