/** What the soak runs on: Postgres, zonecast as it is built, and real secondaries. */
import type postgres from "postgres";
import { RandomChanges } from "../interop/random_changes.ts";
import type { DnsServer } from "../support/dns_server.ts";
import { serveFollowed } from "../support/followed.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { assertSameLines, exportLines, secondaryLines } from "../support/same_zone.ts";
import { sourceDatabase } from "../support/setup.ts";
import { until } from "../support/wait.ts";
import { canonicalLines } from "../support/zone_text.ts";
import type { Zonecast } from "../support/zonecast.ts";
import { addressOf } from "./changes.ts";
import { STEADY_ROWS, STEADY_ZONE } from "./questions.ts";

/** The zone of most changes. */
export const BUSY_ZONE = "soak.example";
/** The zone whose settings change. */
export const SETTINGS_ZONE = "settings.example";
const ZONES = [BUSY_ZONE, STEADY_ZONE, SETTINGS_ZONE];

/** Rows of {@link BUSY_ZONE} that change all at once; that change one by one, about; that stay. */
const BULK_ROWS = 1_000;
const OTHER_ROWS = 1_200;
/** So many that a difference of all bulk rows is smaller than the zone, and is sent. */
const STAYING_ROWS = 4_000;
const SETTINGS_ROWS = 200;

export interface World extends AsyncDisposable {
  readonly postgres: TestPostgres;
  readonly sql: postgres.Sql;
  readonly changes: RandomChanges;
  readonly zonecast: Zonecast;
  readonly secondaries: readonly DnsServer[];
}

/** @param random  from 0 up to 1 */
export async function startWorld(random: () => number): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const postgres = starting.use(await startPostgres());
  const zones = ZONES.map((zone) => `${zone}.`);
  const { url, sql } = await sourceDatabase(postgres, zones);
  const changes = new RandomChanges(sql, BUSY_ZONE, random);
  await changes.fill(OTHER_ROWS);
  await sql`insert into zonecast.records (zone, name, type, content)
    select ${BUSY_ZONE}, 'bulk' || n, 'TXT', '"generation 0"'
    from generate_series(1, ${BULK_ROWS}) as n`;
  await sql`insert into zonecast.records (zone, name, type, content)
    select ${BUSY_ZONE}, 'stays' || n, 'A', '192.0.2.1'
    from generate_series(1, ${STAYING_ROWS}) as n`;
  await sql`insert into zonecast.records (zone, name, type, content)
    select ${SETTINGS_ZONE}, 'r' || n, 'A', '192.0.2.1'
    from generate_series(1, ${SETTINGS_ROWS}) as n`;
  const rows = [
    [BUSY_ZONE, "counter", "A", addressOf(0)],
    ...STEADY_ROWS.map((row) => [STEADY_ZONE, ...row]),
  ].map(([zone, name, type, content]) => ({ zone, name, type, content }));
  await sql`insert into zonecast.records ${sql(rows)}`;
  const { zonecast, secondaries, ...followed } = await serveFollowed(["nsd", "knot"], {
    unguarded: true, // zones come and go
    source: url,
    binary: true,
    zones,
    args: ["--allow-transfer", "127.0.0.1"],
  });
  starting.use(followed);
  const running = starting.move();
  return {
    postgres,
    sql,
    changes,
    zonecast,
    secondaries,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/**
 * Waits until zonecast serves what stands in the tables, then compares each secondary with it.
 *
 * @returns the number of records compared
 * @throws {Error} a zone never came to be the table's, or a secondary holds another
 */
export async function compareAll({ sql, zonecast, secondaries }: World): Promise<number> {
  let compared = 0;
  for (const zone of ZONES) {
    const table = await tableLines(sql, zone);
    let ours: string[] = [];
    const withoutSoa = () => ours.filter((line) => !/ \d+ SOA /.test(line));
    await until(async () => {
      ours = await exportLines(zonecast, `${zone}.`);
      return withoutSoa().join("\n") === table.join("\n");
    }, { what: `${zone} is the table's`, intervalMs: 500 })
      .catch(() => assertSameLines(withoutSoa(), table));
    for (const secondary of secondaries) {
      const theirs = await secondaryLines(secondary, `${zone}.`, ours);
      assertSameLines(theirs.map(folded), ours.map(folded));
      compared += theirs.length;
    }
  }
  return compared;
}

/** The records of a zone as its rows say, in the spelling of {@link canonicalLines}; no SOA. */
async function tableLines(sql: postgres.Sql, zone: string): Promise<string[]> {
  // An RRset has one TTL, the lowest of its rows.
  const rows = await sql<{ line: string }[]>`
    select record.owner || ' ' || min(coalesce(record.ttl, zone.default_ttl))
        over (partition by record.owner, record.type) || ' IN ' || record.type || ' ' ||
      record.content as line
    from zonecast.records as record join zonecast.zones as zone on zone.name = record.zone
    where record.zone = ${zone} and not record.disabled`;
  const soa = `${zone}. 300 IN SOA . . 1 1 1 1 1`;
  const text = [`$ORIGIN ${zone}.`, soa, ...rows.map(({ line }) => line)].join("\n");
  const lines = await canonicalLines(`${zone}.`, `${text}\n`);
  return lines.filter((line) => !/ \d+ SOA /.test(line));
}

/** Knot folds the case of names in RDATA (RFC 4343 §3 lets it). */
function folded(line: string): string {
  return / \d+ (?:NS|CNAME|DNAME|MX|SRV|SOA) /.test(line) ? line.toLowerCase() : line;
}
