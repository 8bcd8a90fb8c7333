/** The whole server under test: Postgres, zonecast as a process, and a secondary of the test's own. */
import type postgres from "postgres";
import type { TestPostgres } from "../../support/postgres.ts";
import { mustZonecast } from "../../support/setup.ts";
import { type TempDir, tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";
import { startZonecast, type Zonecast } from "../../support/zonecast.ts";
import { Questions } from "./questions.ts";
import { kindOf, type Row } from "./rows.ts";
import { Secondary } from "./secondary.ts";
import type { BadRows, Settings } from "./verdicts.ts";

/** What differs from run to run. */
export interface Variant {
  readonly serial: "unixtime" | "increment" | "date";
  /** The first serial lies above it; undefined: none. */
  readonly serialFloor: number | undefined;
  readonly minPublishInterval: string;
  readonly condense: "on" | "off";
  /** Until a restart changes it. */
  readonly badRows: BadRows;
  /** Whether `records` is what zonecast made, or a view in its place. */
  readonly records: "table" | "view";
}

/** What may be another with each start. */
export interface Flags {
  readonly journal: "default" | "small";
  readonly guard: "on" | "off";
  readonly badRows: BadRows;
}

/** What wait_live answers. */
export interface LiveAnswer {
  readonly state: string;
  readonly serial: number | null;
  readonly reason: string | null;
}

/** Names this test's connections, among which zonecast's are found by having another. */
const APPLICATION = "model";

/** Ids of rows that commands insert begin here; the model gives its own. */
const COMMAND_IDS = 1_000_000;

/** As the README does with own tables: what writes through the view fires the table's triggers. */
const MAKE_VIEW = `alter table zonecast.records rename to own_records;
  create view zonecast.records as select * from zonecast.own_records`;

/** Nothing the test does should wait for a lock for long, in ms. */
const LOCK_MS = 20_000;

const STATE_SUFFIXES = ["", "-wal", "-shm"];

let databases = 0;

export class World implements AsyncDisposable {
  #zonecast: Zonecast | undefined;
  #sql: postgres.Sql;
  #flags: Flags = { journal: "default", guard: "off", badRows: "keep" };
  #open: { connection: postgres.ReservedSql; xid: string } | undefined;
  readonly questions = new Questions();
  readonly secondary = new Secondary(() => this.zonecast);

  private constructor(
    readonly variant: Variant,
    readonly postgres: TestPostgres,
    readonly url: string,
    readonly dir: TempDir,
  ) {
    this.#sql = this.#connect();
  }

  static async start(postgres: TestPostgres, variant: Variant): Promise<World> {
    const url = await postgres.createDatabase(`model${databases++}`);
    await mustZonecast(url, ["schema", "apply"]);
    const world = new World(variant, postgres, url, await tempDir());
    try {
      await world.sql.unsafe(`alter table zonecast.records alter id restart with ${COMMAND_IDS}`);
      if (variant.records === "view") await world.sql.unsafe(MAKE_VIEW).simple();
      await world.#begin();
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
    return world;
  }

  async #begin(): Promise<void> {
    const { serial, serialFloor, minPublishInterval, condense, badRows } = this.variant;
    await this.setFlags({ badRows });
    this.#zonecast = await startZonecast({
      source: this.url,
      secondaries: [this.secondary.fake],
      args: [
        ...["--serial", serial],
        ...["--min-publish-interval", minPublishInterval],
        ...["--ixfr-condense", condense],
        ...serialFloor === undefined ? [] : ["--serial-floor", String(serialFloor)],
        ...["--flags-file", `${this.dir.path}/flags`],
      ],
    });
  }

  get zonecast(): Zonecast {
    return this.#zonecast!;
  }

  get sql(): postgres.Sql {
    return this.#sql;
  }

  #connect(): postgres.Sql {
    return this.postgres.connect(
      `${this.url}?application_name=${APPLICATION}&lock_timeout=${LOCK_MS}`,
    );
  }

  /** Which flags hold from the next start on; those not given are as they were. */
  async setFlags(flags: Partial<Flags>): Promise<void> {
    this.#flags = { ...this.#flags, ...flags };
    const { journal, guard, badRows } = this.#flags;
    const lines = [
      `bad-rows ${badRows}`,
      ...journal === "small" ? ["journal-max-size 1KiB"] : [],
      ...guard === "off" ? ["max-shrink off", "max-change off"] : [],
    ];
    await this.dir.write("flags", lines.map((line) => `${line}\n`).join(""));
  }

  /** Runs a transaction. Returns its number. */
  async transact(statements: readonly string[], ends: "commit" | "rollback"): Promise<string> {
    const connection = await this.#sql.reserve();
    try {
      const xid = await begin(connection, statements);
      await connection.unsafe(ends);
      return xid;
    } finally {
      connection.release();
    }
  }

  /** Begins a transaction that goes on until {@link close}. */
  async open(statements: readonly string[]): Promise<void> {
    const connection = await this.#sql.reserve();
    this.#open = { connection, xid: await begin(connection, statements) };
  }

  /** Ends what {@link open} began. Returns its number. */
  async close(ends: "commit" | "rollback"): Promise<string> {
    const { connection, xid } = this.#open!;
    this.#open = undefined;
    await connection.unsafe(ends);
    connection.release();
    return xid;
  }

  /** A zone as the tables have it, whoever wrote it. */
  async readZone(zone: string): Promise<{ settings: Settings; rows: Row[] }> {
    const [settings] = await this.#sql<Settings[]>`
      select mname, rname, refresh::float8, minimum::float8, default_ttl::float8,
        soa_ttl::float8, serial_floor::float8
      from zonecast.zones where name = ${zone}`;
    const rows = await this.#sql`
      select id::float8, name, type, content, ttl::float8, disabled
      from zonecast.records where zone = ${zone} order by id`;
    return {
      settings: { ...settings },
      rows: rows.map(({ id, name, type, content, ttl, disabled }) => {
        return { id, name, kind: kindOf(type, content), ttl, disabled };
      }),
    };
  }

  async waitLive(zone: string, xid: string, timeout: string): Promise<LiveAnswer> {
    const [answer] = await this.#sql<LiveAnswer[]>`
      select state, serial::float8 as serial, reason
      from zonecast.wait_live(${zone}, ${xid}::xid8, ${timeout}::interval)`;
    return { ...answer };
  }

  /** Waits until a transaction was read. Returns the zones whose changes wait then. */
  async waitRead(xid: string, isEnough: (pending: string[]) => boolean): Promise<string[]> {
    let seen: unknown;
    return await until(async () => {
      const rows = await this.#sql<{ pending: string[] }[]>`
        select pending from zonecast.readers
        where pg_snapshot_xmax(snapshot) <= pg_snapshot_xmax(pg_current_snapshot())
          and pg_visible_in_snapshot(${xid}::xid8, snapshot)
        order by read_at desc limit 1`;
      seen = rows;
      return rows.length > 0 && isEnough(rows[0].pending) && rows[0].pending;
    }, { what: `zonecast has read transaction ${xid}`, intervalMs: 5, seen: () => seen });
  }

  /** All lines of zonecast.problems. */
  async problems(): Promise<{ readonly zone: string; readonly line: string }[]> {
    const rows = await this.#sql`select zone, name, type, content, code from zonecast.problems`;
    return rows.map(({ zone, name, type, content, code }) => ({
      zone,
      line: JSON.stringify([zone, name, type, content, code]),
    }));
  }

  /** Waits until something of a zone is held. Returns its id. */
  async heldId(zone: string): Promise<string> {
    const [{ id }] = await until(async () => {
      const rows = await this.#sql<{ id: string }[]>`
        select id from zonecast.held where zone = ${zone}`;
      return rows.length > 0 && rows;
    }, { what: `something of ${zone} is held`, seen: () => this.zonecast.log().slice(-3000) });
    return id;
  }

  /** All that is held. */
  async held(): Promise<readonly { readonly zone: string; readonly id: string }[]> {
    return await this.#sql<{ zone: string; id: string }[]>`select zone, id from zonecast.held`;
  }

  async isHeld(zone: string): Promise<boolean> {
    return (await this.#sql`select from zonecast.held where zone = ${zone}`).length > 0;
  }

  /** Ends zonecast's sessions in Postgres. */
  async terminateConnections(): Promise<void> {
    await this.#sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name <> ${APPLICATION}`;
  }

  async stopPostgres(how: "immediate" | "fast" | "kill9"): Promise<void> {
    const left = this.#open?.connection;
    this.#open = undefined;
    if (how === "kill9") await this.postgres.kill9();
    else await this.postgres.stop(how);
    left?.release();
    await this.#sql.end({ timeout: 0 });
  }

  async startPostgres(): Promise<void> {
    await this.postgres.start();
    this.#sql = this.#connect();
  }

  async stopZonecast(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.zonecast.stop(signal);
  }

  /** Keeps a copy of the state file of a zonecast that is stopped. */
  async copyState(): Promise<void> {
    await this.#removeFiles(`${this.dir.path}/copy.db`);
    await this.#copyFiles(this.zonecast.stateFile, `${this.dir.path}/copy.db`);
  }

  /** Puts the copy in its place. */
  async restoreState(): Promise<void> {
    await this.removeState();
    await this.#copyFiles(`${this.dir.path}/copy.db`, this.zonecast.stateFile);
  }

  removeState(): Promise<void> {
    return this.#removeFiles(this.zonecast.stateFile);
  }

  async #copyFiles(from: string, to: string): Promise<void> {
    for (const suffix of STATE_SUFFIXES) {
      await Deno.copyFile(from + suffix, to + suffix).catch(ignoreMissing);
    }
  }

  async #removeFiles(path: string): Promise<void> {
    for (const suffix of STATE_SUFFIXES) await Deno.remove(path + suffix).catch(ignoreMissing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zonecast?.[Symbol.asyncDispose]();
    await this.secondary[Symbol.asyncDispose]();
    await this.#sql.end({ timeout: 0 });
    await this.dir[Symbol.asyncDispose]();
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** Returns the transaction's number. */
async function begin(
  connection: postgres.ReservedSql,
  statements: readonly string[],
): Promise<string> {
  await connection.unsafe("begin");
  for (const statement of statements) await connection.unsafe(statement);
  const [{ xid }] = await connection.unsafe("select pg_current_xact_id()::text as xid");
  return xid;
}
