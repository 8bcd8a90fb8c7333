/**
 * What zonecast serves the bench's zones from: Postgres databases, and state files with the last
 * known zone.
 *
 * Owns: one Postgres, started when first asked for, and the prepared databases in it.
 */
import type postgres from "postgres";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import {
  startZonecast,
  type Zonecast,
  zonecastCli,
  type ZonecastOptions,
} from "../support/zonecast.ts";
import { NS, SQL, TTL, ZONE, ZONE_NAME } from "./zones.ts";

/** How long the first full read of a zone may take, in ms. */
const FULL_READ_MS = 180_000;

/** A database whose schema is applied and that holds a zone. */
export interface BenchDatabase {
  readonly url: string;
  /** A client of it, closed with the bench. */
  readonly sql: postgres.Sql;
}

export interface Sources extends AsyncDisposable {
  /** The Postgres of this run. */
  postgres(): Promise<TestPostgres>;
  /** A fresh database with the zone of `size` address records: its own, to be changed at will. */
  database(size: number): Promise<BenchDatabase>;
  /**
   * A running zonecast, restarted from its state file: it serves the last known zone of `size`
   * records, and its Postgres runs. Each call gives another one; all of a size share a database,
   * which nobody changes.
   */
  restarted(size: number, options?: Partial<ZonecastOptions>): Promise<Zonecast>;
  /** A file with the zone as last published, and the source it belongs to: to start from. */
  stateFile(size: number): Promise<{ readonly file: string; readonly source: string }>;
}

async function mustCli(source: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await zonecastCli(args, {
    binary: true,
    env: { ZONECAST_SOURCE: source },
  });
  if (code !== 0) throw new Error(`zonecast ${args.join(" ")} exited with ${code}:\n${stderr}`);
}

/** Fills a database. The triggers are off: whoever reads it for the first time reads everything. */
async function fill(sql: postgres.Sql, size: number): Promise<void> {
  await sql`insert into zonecast.zones ${
    sql({ name: ZONE_NAME, mname: NS[0], rname: "hostmaster.servers.example.", default_ttl: TTL })
  }`;
  await sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    // An index made at the end takes a third less time than one kept meanwhile.
    const [{ index }] = await sql<{ index: string }[]>`
      select pg_get_indexdef('zonecast.records_owner'::regclass) as index`;
    await sql`drop index zonecast.records_owner`;
    await sql`insert into zonecast.records (zone, name, type, content)
      select ${ZONE_NAME}, '@', 'NS', ns from unnest(${[...NS]}::text[]) as ns`;
    await sql`insert into zonecast.records (zone, name, type, content)
      select ${ZONE_NAME}, ${sql.unsafe(SQL.label)}, type, content
      from generate_series(0, ${size / 2 - 1}::integer) as n,
        lateral (values ('A', ${sql.unsafe(SQL.ipv4)}), ('AAAA', ${sql.unsafe(SQL.ipv6)}))
          as record (type, content)`;
    await sql.unsafe(index);
  });
  await sql`vacuum analyze zonecast.records`;
}

class PostgresSources implements Sources {
  #postgres: Promise<TestPostgres> | undefined;
  readonly #templates = new Map<number, Promise<string>>();
  readonly #states = new Map<number, Promise<{ file: string; source: string }>>();
  readonly #dirs: AsyncDisposable[] = [];
  #clones = 0;

  constructor(private readonly progress: (text: string) => void) {}

  postgres(): Promise<TestPostgres> {
    return this.#postgres ??= startPostgres({
      // Room as a server of this size would be given; else the defaults.
      settings: { fsync: "on", shared_buffers: "1GB", max_wal_size: "4GB", max_connections: "200" },
    });
  }

  /** The name of a database that holds the zone, and that nobody is connected to. */
  #template(size: number): Promise<string> {
    const made = this.#templates.get(size) ?? this.#makeTemplate(size);
    this.#templates.set(size, made);
    return made;
  }

  async #makeTemplate(size: number): Promise<string> {
    this.progress(`filling a database with ${size} records`);
    const server = await this.postgres();
    const name = `zone${size}`;
    const url = await server.createDatabase(name);
    await mustCli(url, ["schema", "apply"]);
    const sql = server.connect(url);
    await fill(sql, size);
    await sql.end();
    return name;
  }

  async database(size: number): Promise<BenchDatabase> {
    const server = await this.postgres();
    const template = await this.#template(size);
    const name = `bench${this.#clones++}`;
    await server.sql`create database ${server.sql(name)} template ${server.sql(template)}`;
    const url = server.url.replace(/[^/]*$/, name);
    return { url, sql: server.connect(url) };
  }

  stateFile(size: number): Promise<{ file: string; source: string }> {
    const made = this.#states.get(size) ?? this.#makeState(size);
    this.#states.set(size, made);
    return made;
  }

  async #makeState(size: number): Promise<{ file: string; source: string }> {
    const { url } = await this.database(size);
    this.progress(`publishing the zone of ${size} records for the first time`);
    const server = await startZonecast({ source: url, binary: true });
    try {
      await newSerial(server, ZONE, undefined, FULL_READ_MS);
      await server.stop();
      const dir = await tempDir("zonecast-bench-state-");
      this.#dirs.push(dir);
      const file = `${dir.path}/state.db`;
      await Deno.copyFile(server.stateFile, file);
      return { file, source: url };
    } finally {
      await server[Symbol.asyncDispose]();
    }
  }

  async restarted(size: number, options: Partial<ZonecastOptions> = {}): Promise<Zonecast> {
    const { file, source } = await this.stateFile(size);
    const server = await startZonecast({
      source,
      binary: true,
      args: ["--allow-transfer", "127.0.0.1"],
      stateFrom: file,
      ...options,
    });
    await newSerial(server, ZONE, undefined, FULL_READ_MS);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#postgres)?.[Symbol.asyncDispose]();
    for (const dir of this.#dirs) await dir[Symbol.asyncDispose]();
  }
}

/** @param progress  told what takes long */
export function openSources(progress: (text: string) => void): Sources {
  return new PostgresSources(progress);
}
