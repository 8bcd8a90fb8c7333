/** One change, from its commit to the secondaries that show it: in the log, and by `zonecast tail`. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { tail } from "../../lib/cli/tail.ts";
import { misfits } from "../../lib/cli/json_shape.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { startKnot } from "../support/knot.ts";
import { startNsd } from "../support/nsd.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { run } from "../support/processes.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { zonecastCommand } from "../support/zonecast.ts";

const ZONE = "example.org.";
const OTHER = "other.example.";

/** The log's lines that have a serial, as fields. */
function linesOf(log: string, serial: number): Record<string, string>[] {
  return log.split("\n").filter((line) => new RegExp(`\\bserial=${serial}\\b`).test(line)).map(
    (line) =>
      Object.fromEntries(
        [...line.matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map((
          [, key, quoted, plain],
        ) => [key, quoted ?? plain]),
      ),
  );
}

interopTest("one change, followed by its serial from commit to live", {
  needs: ["nsd", "knot"],
}, async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE, OTHER]);
  // Each transfers from an address of its own, so that its transfer counts for nobody else.
  const primary = { addr: "127.0.0.1", port: freePort() };
  const zones = [ZONE, OTHER];
  await using nsd = await startNsd({ zones, primary, transferFrom: "127.0.0.2" });
  await using knot = await startKnot({ zones, primary, transferFrom: "127.0.0.3" });
  await using zonecast = await serveZones({
    source: url,
    zones,
    port: primary.port,
    args: [
      ...["--log-format", "logfmt"],
      ...["--secondary", `nsd=127.0.0.1:${nsd.port},from=127.0.0.2`],
      ...["--secondary", `knot=127.0.0.1:${knot.port},from=127.0.0.3`],
    ],
  });
  const first = (await zonecast.serial(ZONE))!;
  // What has not been seen of the first version would be told of, too.
  await untilStatus(
    zonecast,
    "both zones are live at both",
    ({ secondaries }) =>
      secondaries.every(({ zones }) =>
        zones.length === 2 && zones.every(({ state }) => state === "live")
      ),
  );

  const following = zonecast.cli(["tail", "example.org", "--json", "--count", "7"]);
  const inWords = zonecast.cli(["tail", "EXAMPLE.org.", "--count", "7"]);
  // Followers are there before the change: each is a connection to the control socket.
  await until(async () => {
    const sockets = (await Deno.readTextFile("/proc/net/unix")).split("\n");
    const connected = sockets.filter((line) =>
      line.endsWith(zonecast.controlSocket) && / 03 +\d+ /.test(line)
    );
    return connected.length >= 2;
  }, { what: "two that follow" });
  await sql`insert into zonecast.records (zone, name, type, content) values
    ('other.example', 'www', 'A', '192.0.2.1'), ('example.org', 'www', 'A', '192.0.2.1')`;
  const serial = await newSerial(zonecast, ZONE, first);
  const { code, stdout, stderr } = await following;
  assertEquals([code, stderr], [0, ""]);
  const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));

  await t.step("tail tells each step, and of no other zone", () => {
    for (const event of events) {
      assertEquals([...misfits(tail.json!, event)], []);
      assertEquals([event.zone, event.serial], [ZONE, serial]);
      assert(event.ms >= 0 && event.ms < 120_000, String(event.ms));
    }
    const [published, ...steps] = events;
    assertEquals([published.event, published.added, published.removed, published.cause], [
      "published",
      1,
      0,
      "feed",
    ]);
    assert(Date.parse(published.committedAt) <= Date.parse(published.at) + 1);
    const told = steps.map(({ event, secondary }) => `${event} ${secondary}`);
    const expected = ["nsd", "knot"].flatMap((name) =>
      ["notified", "transferred", "live"].map((event) => `${event} ${name}`)
    );
    assertEquals(told.toSorted(), expected.toSorted());
    const live = steps.filter(({ event }) => event === "live").map(({ live, of }) => [live, of]);
    assertEquals(live, [[1, 2], [2, 2]]);
  });

  await t.step("and in words", async () => {
    const { code, stdout, stderr } = await inWords;
    assertEquals([code, stderr], [0, ""]);
    assertMatch(
      stdout,
      new RegExp(
        `example\\.org\\. {2}${serial} {2}published \\+1 -0 \\(feed\\), \\d+ ms after the commit`,
      ),
    );
    assertMatch(stdout, /live on \S+ \(2 of 2\), \d+ ms\n/);
  });

  await t.step("the log has each step, the serial in every line", async () => {
    const written = () => linesOf(zonecast.log(), serial).filter(({ zone }) => zone === ZONE);
    const isLive = ({ event }: Record<string, string>) => event === "live";
    // A line is written a moment after what it tells of.
    await until(() => written().filter(isLive).length === 2, { what: "the last line is written" });
    const lines = written();
    const steps = lines.map(({ event, secondary = "" }) => `${event} ${secondary}`.trim());
    const expected = ["nsd", "knot"].flatMap((name) => [
      `secondary notified ${name}`,
      `live ${name}`,
    ]);
    assertEquals(steps.slice(0, 2), ["change read", "zone published"]);
    for (const step of expected) assert(steps.includes(step), `${step} in ${steps}`);
    const transfers = lines.filter(({ event }) => event === "transfer sent");
    assertEquals(transfers.length, 2);
    for (const { kind, octets, ms } of transfers) {
      assertEquals(kind, "ixfr");
      assert(Number(octets) > 0 && Number(ms) >= 0);
    }
    assertMatch(lines[0].committed, /^20\d\d-.*Z$/);
  });
});

systemTest(
  "the log: priorities only where standard error is the journal that systemd names",
  async (t) => {
    await using dir = await tempDir();
    const [program, args] = zonecastCommand();
    const started = async (stream: string) => {
      const line = `JOURNAL_STREAM=${stream} exec "$@"`;
      const { stderr } = await run("sh", [
        "-c",
        line,
        "sh",
        program,
        ...args,
        "serve",
        "--source",
        "sqlite:none",
        "--state",
        `${dir.path}/none/state`,
        "--listen",
        "127.0.0.1:0",
      ], { env: {} });
      return stderr;
    };
    await t.step("the same device and inode", async () => {
      assertMatch(
        await started(`$(stat -L -c %d:%i /proc/self/fd/2)`),
        /^<6>time=\S+ level=info event=starting .*\n<4>time=/,
      );
    });
    await t.step("inherited from another service", async () => {
      assertMatch(await started("9:12345"), /^time=\S+ level=info event=starting /);
    });
  },
);
