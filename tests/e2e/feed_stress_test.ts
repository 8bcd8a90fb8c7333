/** The change feed under load: what is served ends as the table is, without one read of everything. */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import {
  connectPostgres,
  type PostgresClient,
  type Sql,
  transaction,
} from "../../lib/source/postgres_client.ts";
import { axfr, query, type Server } from "../support/dns_client.ts";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { serveZones, sourceDatabase } from "../support/setup.ts";
import { statusOf } from "../support/status.ts";
import { sleep, TimeoutError, until, within } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";

/** Two zones, so that rows can move between them. */
const ZONES = ["one.stress.example", "two.stress.example"];
const WRITERS = 8;
/** Rows inserted, updated and deleted in all; those rolled back not counted. */
const CHANGES = 20_000;
/** Owners that all writers share: transactions overlap in them all the time. */
const OWNERS = 150;
/** Rows a statement touches at most. */
const ROWS = 8;
/** Longest pause before a transaction ends, in seconds. */
const PAUSE_S = 0.02;
/** After this a transaction counts as cut off, in ms: postgres.js may not notice that it was. */
const TRANSACTION_MS = 5_000;

const below = (n: number) => Math.floor(Math.random() * n);
const oneOf = <T>(values: readonly T[]): T => values[below(values.length)];

/** One of the spellings an owner has. */
function spelling(zone: string): string {
  const name = `o${below(OWNERS)}`;
  return oneOf([name, name, name.toUpperCase(), `${name}.${zone}.`]);
}

/** What ends a transaction on purpose. */
class RolledBack extends Error {}

function connect(url: string): PostgresClient {
  return connectPostgres(url, { connectMs: 5_000 });
}

/** A session that changes rows of its own, at owners shared with the others. */
class Writer {
  /** Rows changed by transactions that were committed, as far as it knows. */
  changed = 0;
  committed = 0;
  rolledBack = 0;
  /** Transactions cut off by a restart of Postgres. */
  cutOff = 0;
  #made = 0;
  #client: PostgresClient;

  constructor(readonly url: string, readonly number: number) {
    this.#client = connect(url);
  }

  async work(isEnough: () => boolean): Promise<void> {
    try {
      while (!isEnough()) await this.#try();
    } finally {
      this.#client.destroy();
    }
  }

  async #try(): Promise<void> {
    try {
      const work = transaction(this.#client, "", (sql) => this.#change(sql));
      this.changed += await within(work, TRANSACTION_MS, "a transaction's end");
      this.committed++;
    } catch (error) {
      if (error instanceof RolledBack) this.rolledBack++;
      else if (!this.#client.closed && !isConnectionError(error)) throw error;
      else {
        this.cutOff++;
        this.#client.destroy();
        await sleep(20);
        this.#client = connect(this.url);
      }
    }
  }

  /** Some statements, within a transaction. Returns how many rows they changed. */
  async #change(sql: Sql): Promise<number> {
    let changed = 0;
    const statements = 1 + below(3);
    for (let n = 0; n < statements; n++) changed += await this.#statement(sql);
    if (below(5) === 0) {
      // A subtransaction that comes to nothing.
      await sql`savepoint here`;
      await this.#statement(sql);
      await sql`rollback to savepoint here`;
    }
    await sql`select pg_sleep(${Math.random() * PAUSE_S})`;
    if (below(6) === 0) throw new RolledBack();
    return changed;
  }

  /** Returns how many rows it changed. */
  async #statement(sql: Sql): Promise<number> {
    const mine =
      sql`select id from zonecast.records where type <> 'NS' and content like ${`"${this.number} %`} order by random() limit ${
        1 + below(ROWS)
      }`;
    const zone = oneOf(ZONES);
    switch (below(6)) {
      case 0:
        return (await sql`update zonecast.records set content = content || ' "."'
          where id in (${mine}) and length(content) < 60`).count;
      case 1:
        return (await sql`update zonecast.records set zone = ${zone}, name = ${spelling(zone)}
          where id in (${mine})`).count;
      case 2:
        return (await sql`delete from zonecast.records where id in (${mine})`).count;
      default:
        return (await sql`insert into zonecast.records ${sql(this.#rows())}`).count;
    }
  }

  #rows() {
    return Array.from({ length: 1 + below(ROWS) }, () => {
      const zone = oneOf(ZONES);
      const content = `"${this.number} ${++this.#made}"`;
      return { zone, name: spelling(zone), type: "TXT", content };
    });
  }
}

/** Whether Postgres was gone, going (57P01) or coming (57P03). */
function isConnectionError(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // UNKNOWN is what this runtime calls a write to a socket that has just closed.
  return /^(57P0\d|08\d\d\d|CONNECTION_|ECONN|EPIPE|UNKNOWN$)/.test(code);
}

/** All that the table says, as {@link servedLines} has it. */
async function tableLines(sql: postgres.Sql): Promise<Set<string>> {
  const rows = await sql<{ owner: string; content: string }[]>`
    select owner, content from zonecast.records where type = 'TXT'`;
  return new Set(rows.map(({ owner, content }) => `${owner} ${content}`));
}

/** All TXT records served, one line each. */
async function servedLines(server: Server): Promise<Set<string>> {
  const lines = new Set<string>();
  for (const zone of ZONES) {
    const { records } = await axfr(server, zone);
    for (const record of records) {
      if (record.type !== "TXT") continue;
      const strings = Array.isArray(record.data) ? record.data : [record.data];
      const content = strings.map((string) => `"${string}"`).join(" ");
      lines.add(`${record.name.toLowerCase()}. ${content}`);
    }
  }
  return lines;
}

async function readsOf(zonecast: Zonecast): Promise<{ full: number; feed: number }> {
  const { server } = await statusOf(zonecast);
  return server!.source.reads;
}

/** How often Postgres is restarted meanwhile: stopped once, killed once. */
const RESTARTS = 2;

systemTest(
  `${WRITERS} writers make ${CHANGES} changes while Postgres is restarted twice: served is what the table says`,
  async () => {
    await using postgres = await startPostgres({ settings: { max_connections: "50" } });
    const { url, sql } = await sourceDatabase(postgres, ZONES);
    await using zonecast = await serveZones({ source: url, zones: ZONES, unguarded: true });
    const before = await readsOf(zonecast);
    const began = performance.now();

    const writers = Array.from(
      { length: WRITERS },
      (_, number) => new Writer(url, number),
    );
    const changed = () => writers.reduce((sum, writer) => sum + writer.changed, 0);
    const working = Promise.all(
      writers.map((writer) => writer.work(() => changed() >= CHANGES)),
    );
    const restarts = async () => {
      const reached = (share: number) =>
        until(() => changed() >= CHANGES * share, { what: "more changes", timeoutMs: 120_000 });
      await reached(1 / 3);
      await postgres.stop("fast");
      await postgres.start();
      await reached(2 / 3);
      await postgres.kill9();
      await postgres.start();
    };
    await Promise.all([working, restarts()]);

    let [wanted, served] = [new Set<string>(), new Set<string>()];
    await until(async () => {
      wanted = await tableLines(sql);
      served = await servedLines(zonecast);
      return served.symmetricDifference(wanted).size === 0;
    }, {
      what: "the zones served are what the table says",
      intervalMs: 100,
      seen: () => ({
        rows: wanted.size,
        missing: [...wanted.difference(served)].slice(0, 5),
        unexpected: [...served.difference(wanted)].slice(0, 5),
      }),
    });
    const reads = await readsOf(zonecast);
    const sum = (count: (writer: Writer) => number) =>
      writers.reduce((total, writer) => total + count(writer), 0);
    console.log(
      `${changed()} changes in ${sum(({ committed }) => committed)} transactions, ` +
        `${sum(({ rolledBack }) => rolledBack)} rolled back, ${
          sum(({ cutOff }) => cutOff)
        } cut off, ` +
        `in ${Math.round((performance.now() - began) / 1000)} s; ${wanted.size} rows; ` +
        `reads of everything: ${reads.full} (${before.full} before), of the feed: ${reads.feed}`,
    );
    assertEquals(before.full, 1, "the first read is of everything");
    assert(reads.full <= 1 + RESTARTS, "one after each restart of Postgres, and no other");
    assert(sum(({ rolledBack }) => rolledBack) > 100);
    assertEquals((await statusOf(zonecast)).problems, []);
  },
);

systemTest(
  "10,000 quick commits: no read of everything, at most one read of the feed per --min-publish-interval",
  async () => {
    const [commits, intervalMs] = [10_000, 200];
    const [zone] = ZONES;
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [zone]);
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${zone}, 'a', 'TXT', '0'), (${zone}, 'b', 'TXT', '0')`;
    await using zonecast = await serveZones({
      source: url,
      zones: [zone],
      args: ["--min-publish-interval", `${intervalMs}ms`, "--allow-transfer", "127.0.0.1"],
    });
    const began = performance.now();
    const before = await readsOf(zonecast);
    // Two sessions, each with its own commits, as fast as Postgres goes.
    await Promise.all(["a", "b"].map((name) =>
      sql.unsafe(`do $$ begin
        for n in 1..${commits / 2} loop
          update zonecast.records set content = n::text where zone = '${zone}' and name = '${name}';
          commit;
        end loop;
      end $$`)
    ));
    const committed = performance.now();
    for (const name of ["a", "b"]) {
      await until(async () => {
        const { answers } = await query(zonecast, `${name}.${zone}`, "TXT");
        return answers?.some((answer) =>
          answer.type === "TXT" && String(answer.data) === String(commits / 2)
        );
      }, { what: `the last change of ${name} is served` });
    }
    const served = performance.now();
    const after = await readsOf(zonecast);
    const elapsedMs = performance.now() - began;
    const feed = after.feed - before.feed;
    console.log(
      `${commits} commits in ${Math.round(committed - began)} ms, the last served ` +
        `${Math.round(served - committed)} ms later; reads of everything: ` +
        `${after.full - before.full}, of the feed: ${feed} in ${Math.round(elapsedMs)} ms`,
    );
    assertEquals(after.full, before.full);
    assert(feed > 1 && feed <= Math.ceil(elapsedMs / intervalMs) + 1, `${feed} reads of the feed`);
  },
);
