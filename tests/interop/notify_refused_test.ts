/** A secondary that is not yet configured with a zone refuses NOTIFY; once it is, it has the zone. */
import { assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { startSecondary } from "../support/secondaries.ts";
import { mustZonecast, newSerial, serveZones } from "../support/setup.ts";
import { statusOf, untilStatus } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import type { Zonecast } from "../support/zonecast.ts";

const KNOWN = "known.example.";
const LATER = "later.example.";
/** The RCODE of their refusals: NXDOMAIN and NOTAUTH. */
const REFUSALS = { nsd: 3, knot: 9 } as const;

/** How a zone stands with the only secondary. */
function standingIn(report: Awaited<ReturnType<typeof statusOf>>, zone: string) {
  return report.secondaries[0].zones.find((entry) => entry.zone === zone);
}

/** Waits until the secondary is seen to show a serial, which its NOTIFY was acknowledged for. */
async function untilLive(zonecast: Zonecast, zone: string, serial: number): Promise<void> {
  await untilStatus(zonecast, `${zone} live at ${serial}`, (report) => {
    const standing = standingIn(report, zone);
    return standing?.state === "live" && standing.serial === serial &&
      standing.notify?.acknowledgedAt !== undefined;
  });
}

for (const kind of ["nsd", "knot"] as const) {
  interopTest(`${kind} refuses NOTIFY for a zone it does not have, and takes it once it does`, {
    needs: [kind, "dig", "compilezone"],
  }, async (t) => {
    await using dir = await tempDir();
    const source = `sqlite:${dir.path}/zones.db`;
    for (const zone of [KNOWN, LATER]) {
      await mustZonecast(source, ["zone", "add", zone, "--ns", "ns1.servers.example."]);
    }
    const primary = { addr: "127.0.0.1", port: freePort() };
    const place = { addr: "127.0.0.1", port: freePort() };
    await using started = new AsyncDisposableStack();
    const before = await startSecondary(kind, { zones: [KNOWN], primary, ...place });
    started.use(before);
    await using zonecast = await serveZones({
      source,
      zones: [KNOWN, LATER],
      secondaries: [place],
      port: primary.port,
    });

    await t.step("refused, and not tried again, while the zone it has is followed", async () => {
      const report = await untilStatus(
        zonecast,
        "the refusal",
        (report) => standingIn(report, LATER)?.notify?.rcode === REFUSALS[kind],
      );
      const refused = standingIn(report, LATER)?.notify;
      assertEquals(refused?.acknowledgedAt, undefined);
      await untilLive(zonecast, KNOWN, await newSerial(zonecast, KNOWN, undefined));
      const standing = standingIn(await statusOf(zonecast), LATER);
      // A refusal that came late, on a busy machine, is of a second try.
      assertEquals([standing?.notify?.attempts, standing?.state], [refused?.attempts, "unknown"]);
    });

    await before.stop();
    await using after = await startSecondary(kind, { zones: [KNOWN, LATER], primary, ...place });

    await t.step("configured with the zone, it has it", async () => {
      const serial = await newSerial(zonecast, LATER, undefined);
      await after.reaches(LATER, serial);
      await assertSameZone(zonecast, after, LATER);
    });
    await t.step("and the next NOTIFY is acknowledged, and brings the change", async () => {
      const serial = await newSerial(zonecast, LATER, undefined);
      await zonecast.mustCli(["set", LATER, "www", "A", "192.0.2.1"]);
      const next = await newSerial(zonecast, LATER, serial);
      await after.reaches(LATER, next);
      await untilLive(zonecast, LATER, next);
      await assertSameZone(zonecast, after, LATER);
    });
  });
}
