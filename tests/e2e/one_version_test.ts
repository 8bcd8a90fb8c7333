/** Each transfer is of exactly one version of the zone, whatever is published while it runs. */
import { assert, assertEquals } from "@std/assert";
import type { Answer } from "dns-packet";
import type postgres from "postgres";
import { axfr, axfrMessages, wholeTransfer } from "../support/dns_client.ts";
import { systemTest } from "../support/interop.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { until } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";

const NAME = "versions.example";
const ZONE = `${NAME}.`;

/**
 * A database with a zone whose every TXT record begins with the number of the last change.
 *
 * @param strings  how many strings of 200 octets follow in each record
 */
async function zoneOfText(postgres: TestPostgres, records: number, strings: number) {
  const source = await sourceDatabase(postgres, [ZONE]);
  await source.sql`insert into zonecast.records (zone, name, type, content)
    select ${NAME}, 'text' || n, 'TXT', '"1"' || repeat(' "' || repeat('x', 200) || '"', ${strings})
    from generate_series(1, ${records}) as n`;
  return source;
}

/** Change number `n`: every record in one transaction. */
function change(sql: postgres.Sql, n: number) {
  return sql`update zonecast.records
    set content = regexp_replace(content, '^"[0-9]+"', ${`"${n}"`}) where type = 'TXT'`;
}

interface Version {
  readonly serial: number;
  /** The change that all records show. */
  readonly change: number;
}

/** The one version a transfer is of. @throws {Error} it mixes versions or misses records */
function versionOf(records: readonly Answer[], texts: number): Version {
  const [first, last] = [records[0], records[records.length - 1]];
  assert(first.type === "SOA" && last.type === "SOA");
  const { serial = NaN } = first.data;
  assertEquals(last.data.serial, serial);
  const changes = new Set<number>();
  const owners = new Set<string>();
  for (const record of records) {
    if (record.type !== "TXT") continue;
    owners.add(record.name);
    changes.add(Number(String(Array.isArray(record.data) ? record.data[0] : record.data)));
  }
  assertEquals(owners.size, texts);
  assertEquals(changes.size, 1, `one transfer mixes the changes ${[...changes]}`);
  return { serial, change: [...changes][0] };
}

/** Where in zonecast's log an event with a serial stands; -1 for nowhere. */
function logPosition(zonecast: Zonecast, event: string, serial: number): number {
  return zonecast.log().search(new RegExp(`event="${event}".* serial=${serial}\\b`));
}

systemTest(
  "a slow transfer ends as the version it began with, while newer ones are served",
  async () => {
    // 15 MB: more than the kernel keeps for a client that does not read.
    const texts = 10_000;
    await using postgres = await startPostgres();
    const { url, sql } = await zoneOfText(postgres, texts, 7);
    await using zonecast = await serveZones({
      source: url,
      zones: [ZONE],
      unguarded: true,
      // Slow by our will, however long the others take on a busy machine.
      args: ["--allow-transfer", "127.0.0.1", "--tcp-stall-timeout", "10m"],
    });
    const serial = await newSerial(zonecast, ZONE, undefined);

    const slow = axfrMessages(zonecast, ZONE);
    const { value: begun } = await slow.next();
    await change(sql, 2);
    const newer = await newSerial(zonecast, ZONE, serial);
    const quick = await axfr(zonecast, ZONE);
    assertEquals(versionOf(quick.records, texts), { serial: newer, change: 2 });

    const { records } = await wholeTransfer(slow, "the slow AXFR", begun?.answers);
    assertEquals(versionOf(records, texts), { serial, change: 1 });
    // It was no slow transfer if it had been sent before the change.
    await until(() => logPosition(zonecast, "transfer sent", serial) > 0, { what: "it is logged" });
    assert(
      logPosition(zonecast, "transfer sent", serial) >
        logPosition(zonecast, "zone published", newer),
    );
  },
);

systemTest("transfers side by side during changes are each of one version", async () => {
  const [texts, clients, changes] = [2000, 6, 12];
  await using postgres = await startPostgres();
  const { url, sql } = await zoneOfText(postgres, texts, 1);
  await using zonecast = await serveZones({ source: url, zones: [ZONE], unguarded: true });
  let serial = await newSerial(zonecast, ZONE, undefined);
  const published = new Map([[serial, 1]]);

  const seen: Version[] = [];
  let over = false;
  const transferring = Array.from({ length: clients }, async () => {
    do {
      const { records } = await axfr(zonecast, ZONE);
      seen.push(versionOf(records, texts));
    } while (!over);
  });
  try {
    for (let n = 2; n <= changes; n++) {
      await change(sql, n);
      serial = await newSerial(zonecast, ZONE, serial);
      published.set(serial, n);
    }
  } finally {
    over = true;
    await Promise.all(transferring);
  }
  for (const version of seen) assertEquals(published.get(version.serial), version.change);
  const different = new Set(seen.map((version) => version.serial)).size;
  assert(different >= 3, `the transfers saw only ${different} versions`);
});
