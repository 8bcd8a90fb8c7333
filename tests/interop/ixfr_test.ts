/** Real secondaries take IXFR: through 200 changes, and after an absence, to the same zone as ours. */
import { assert, assertEquals } from "@std/assert";
import { DnspythonSecondary } from "../support/dnspython.ts";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { randomOf } from "../support/random.ts";
import { assertSameLines, assertSameZone, exportLines } from "../support/same_zone.ts";
import { SECONDARY_KINDS, startSecondary } from "../support/secondaries.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { canonicalLines } from "../support/zone_text.ts";
import type { Zonecast } from "../support/zonecast.ts";
import { RandomChanges } from "./random_changes.ts";

const NAME = "ixfr.example";
const ZONE = `${NAME}.`;
/** Bursts, and changes in each: the secondaries pace themselves, so all are awaited after each burst. */
const [BURSTS, CHANGES] = [10, 20];
/** Changes while the secondaries are stopped. */
const MISSED_CHANGES = 50;
/** Address each secondary transfers from, by which the log tells them apart. */
const address = (index: number) => `127.0.0.${2 + index}`;

/** A line of zonecast's log about a transfer that ended well. */
interface SentTransfer {
  readonly client: string;
  readonly kind: string;
  /** The serial the client had; NaN in a whole zone's. */
  readonly from: number;
  readonly serial: number;
  readonly octets: number;
  readonly reason: string;
}

/** The transfers in the log, oldest first. */
function sentTransfers(zonecast: Zonecast): SentTransfer[] {
  const lines = zonecast.log().split("\n").filter((line) => line.includes('event="transfer sent"'));
  return lines.map((line) => {
    const field = (name: string) => {
      const match = new RegExp(` ${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|(\\S*))`).exec(line);
      return match?.[1] ?? match?.[2] ?? "";
    };
    return {
      client: field("client"),
      kind: field("kind"),
      from: Number(field("from") || NaN),
      serial: Number(field("serial")),
      octets: Number(field("octets")),
      reason: field("reason"),
    };
  });
}

interopTest("NSD, Knot, BIND, PowerDNS and dnspython take IXFR", {
  needs: [...SECONDARY_KINDS, "dnspython", "dig", "compilezone"],
}, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed of the changes: ${seed}`);
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  const changes = new RandomChanges(sql, NAME, randomOf(seed));
  await changes.fill(300);
  await using running = new AsyncDisposableStack();
  const primary = { addr: "127.0.0.1", port: freePort() };
  const secondaries = await Promise.all(SECONDARY_KINDS.map(async (kind, index) => {
    const options = { zones: [ZONE], primary, transferFrom: address(index), ixfr: true };
    return running.use(await startSecondary(kind, options));
  }));
  await using zonecast = await serveZones({
    source: url,
    zones: [ZONE],
    port: primary.port,
    args: [
      ...secondaries.flatMap(({ name, addr, port }, index) => [
        "--secondary",
        `${name}=${addr}:${port},from=${address(index)}`,
      ]),
      ...["--allow-transfer", address(secondaries.length)],
      ...["--allow-transfer", "127.0.0.1"],
      ...["--min-publish-interval", "10ms"],
    ],
  });
  const clientOf = (index: number) =>
    sentTransfers(zonecast).filter(({ client }) => client === address(index));
  await using dnspython = await DnspythonSecondary.make(
    ZONE,
    primary,
    address(secondaries.length),
  );

  let serial = await newSerial(zonecast, ZONE, undefined);
  /** A change, and the version it has become. */
  const change = async () => {
    const what = await changes.make();
    try {
      serial = await newSerial(zonecast, ZONE, serial);
    } catch (cause) {
      throw new Error(`No new version after: ${what}`, { cause });
    }
  };
  const allReach = () => Promise.all(secondaries.map((each) => each.reaches(ZONE, serial)));

  await t.step("each gets the zone whole", async () => {
    await allReach();
    assertEquals(await dnspython.fetch(), serial);
    for (const index of [...secondaries.keys(), secondaries.length]) {
      // Its check at the start and our NOTIFY may each have it fetch the zone, at the same time.
      const kinds = new Set(clientOf(index).map(({ kind }) => kind));
      assertEquals([...kinds], ["axfr"], address(index));
    }
  });

  await t.step(
    `${BURSTS * CHANGES} changes come as differences, and nothing but these`,
    async () => {
      const before = sentTransfers(zonecast).length;
      const first = serial;
      for (let burst = 0; burst < BURSTS; burst++) {
        for (let n = 0; n < CHANGES; n++) await change();
        await allReach();
        assertEquals(await dnspython.fetch(burst % 2 === 0 ? "tcp" : "udp"), serial);
      }
      const sent = sentTransfers(zonecast).slice(before);
      // One of the first version, fetched twice, may be logged only now.
      const whole = sent.filter(({ kind, serial }) => kind !== "ixfr" && serial !== first);
      assertEquals(whole, []);
      for (const index of [...secondaries.keys(), secondaries.length]) {
        const count = clientOf(index).length - 1;
        const name = secondaries[index]?.name ?? "dnspython";
        const octets = clientOf(index).slice(1).reduce((sum, { octets }) => sum + octets, 0);
        console.log(`${name}: ${count} IXFR, ${octets} octets`);
        assert(count >= BURSTS, `${name}: ${count} transfers`);
      }
      for (const secondary of secondaries) await assertSameZone(zonecast, secondary, ZONE);
      await assertSameDnspython(zonecast, dnspython);
    },
  );

  await t.step("status tells of it", async () => {
    await untilStatus(
      zonecast,
      "all are live by IXFR",
      ({ secondaries }) =>
        secondaries.every(({ zones: [zone] }) =>
          zone?.state === "live" && zone.serial === serial && zone.transfer?.kind === "ixfr"
        ),
    );
  });

  await t.step(
    `stopped during ${MISSED_CHANGES} changes, each catches up by one IXFR`,
    async () => {
      await Promise.all(secondaries.map((each) => each.stop()));
      const before = secondaries.map((_, index) => clientOf(index).length);
      const missedFrom = serial;
      for (let n = 0; n < MISSED_CHANGES; n++) await change();
      await Promise.all(secondaries.map((each) => each.start()));
      await allReach();
      assertEquals(await dnspython.fetch(), serial);
      for (const [index, secondary] of secondaries.entries()) {
        // One that ended as the secondary was stopped may be logged only now.
        const sent = clientOf(index).slice(before[index])
          .filter((transfer) => transfer.serial !== missedFrom);
        // Its check at the start and our NOTIFY may each have it fetch the same, at the same time.
        const answers = new Set(sent.map(({ kind, from, serial }) => `${kind} ${from} ${serial}`));
        assertEquals([...answers], [`ixfr ${missedFrom} ${serial}`], secondary.name);
        assert(sent[0].reason.startsWith("1 difference:"), sent[0].reason); // condensed
        await assertSameZone(zonecast, secondary, ZONE);
      }
      await assertSameDnspython(zonecast, dnspython);
    },
  );
});

async function assertSameDnspython(
  zonecast: Zonecast,
  dnspython: DnspythonSecondary,
): Promise<void> {
  const lines = await canonicalLines(ZONE, await dnspython.text());
  assertSameLines(lines, await exportLines(zonecast, ZONE));
}
