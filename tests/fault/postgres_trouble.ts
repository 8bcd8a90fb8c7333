/** Postgres answers, but not as it should: no place, another password, limits, a wrong clock. */
import type postgres from "postgres";
import { mustZonecast } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import type { Fault } from "./fault.ts";
import { type Ground, NAME, type Night } from "./night.ts";

const ROLE = "zonecast";

/** A source's URL for the role that `schema apply --role` makes. */
async function asRole({ url }: Ground): Promise<string> {
  await mustZonecast(url, ["schema", "apply", "--role", ROLE]);
  return url.replace("//postgres@", `//${ROLE}@`);
}

/** Ends zonecast's sessions, as a restart of Postgres would. */
async function endSessions(sql: postgres.Sql): Promise<void> {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${ROLE}`;
}

/** Connects until nobody else but a superuser can; and again where a place has come free. */
class Crowd {
  readonly #clients: postgres.Sql[] = [];
  #over = false;
  readonly #coming: Promise<void>;

  constructor(readonly night: Night) {
    this.#coming = this.#come();
  }

  async #come(): Promise<void> {
    const { postgres, url, sql } = this.night.ground;
    await sql`create role crowd login`;
    while (!this.#over) {
      const client = postgres.connect(url.replace("//postgres@", "//crowd@"));
      try {
        await client`select`;
        this.#clients.push(client);
      } catch {
        await client.end(); // it is full
        await endSessions(sql);
      }
    }
  }

  async leave(): Promise<void> {
    this.#over = true;
    await this.#coming;
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}

/** Has Postgres ask the role for a password, which stands in a file. */
async function withPassword(ground: Ground): Promise<string> {
  const { sql, running } = ground;
  const [{ hba_file: file }] = await sql`show hba_file`;
  const rules = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, `host all ${ROLE} 127.0.0.1/32 scram-sha-256\n${rules}`);
  await sql`select pg_reload_conf()`;
  const dir = running.use(await tempDir());
  const passfile = `${dir.path}/password`;
  const url = `${await asRole(ground)}?passfile=${passfile}`;
  await setPassword(ground, passfile, "the first");
  return url;
}

async function setPassword({ sql }: Ground, passfile: string, password: string): Promise<void> {
  await sql.unsafe(`alter role ${ROLE} password '${password}'`);
  await Deno.writeTextFile(passfile, `*:*:*:${ROLE}:${password}\n`, { mode: 0o600 });
}

/** Each read of the records takes two seconds, and no statement of the role may take one. */
async function slowAndLimited({ sql, url }: Ground): Promise<void> {
  await sql.unsafe(`alter table zonecast.records rename to own_records;
    create view zonecast.records as select own_records.* from zonecast.own_records,
      (select pg_sleep(2)) as wait`).simple();
  await mustZonecast(url, ["schema", "apply", "--role", ROLE]);
  await sql.unsafe(`alter role ${ROLE} set statement_timeout = '1s';
    alter role ${ROLE} set idle_in_transaction_session_timeout = '1s'`).simple();
  await endSessions(sql);
}

export const POSTGRES_TROUBLE: readonly Fault[] = [
  {
    name: "postgres-connections",
    what: "all connections of Postgres taken by others",
    also: "test",
    night: { settings: { max_connections: "20" }, source: asRole },
    async run(night) {
      const crowd = new Crowd(night);
      await night.breaks(() => {});
      const meanwhile = await night.change();
      await night.says("source down", /connection slots|too many/);
      await night.lasts({ full: 10, short: 0 });
      await night.mends(() => crowd.leave());
      await night.live(meanwhile);
      await night.changeIsLive();
    },
  },
  {
    name: "postgres-password",
    what: "the role's password changed",
    also: "test",
    night: { source: withPassword },
    async run(night) {
      const { ground, source } = night;
      const [, passfile] = source.split("?passfile=");
      await night.breaks(async () => {
        await ground.sql.unsafe(`alter role ${ROLE} password 'the second'`);
        await endSessions(ground.sql);
      });
      const meanwhile = await night.change();
      await night.says("source down", /password authentication failed/);
      await night.mends(() => setPassword(ground, passfile, "the second"));
      await night.live(meanwhile);
      await night.changeIsLive();
    },
  },
  {
    name: "postgres-timeouts",
    what: "each read takes 2 s, and the role's `statement_timeout` is 1 s",
    also: "ci",
    night: { source: asRole },
    async run(night) {
      const { sql } = night.ground;
      await night.breaks(() => slowAndLimited(night.ground));
      await sql`insert into zonecast.own_records (zone, name, type, content)
        values (${NAME}, 'slow', 'A', '198.51.100.1')`;
      await night.live({
        record: `slow.${NAME} 300 A "198.51.100.1"`,
        committedAt: performance.now(),
      });
      await night.mends(() =>
        sql.unsafe(`drop view zonecast.records;
          alter table zonecast.own_records rename to records`).simple()
      );
      await night.changeIsLive();
    },
  },
  {
    name: "postgres-clock",
    what: "the clock of Postgres hours slow, then fast, then right again",
    also: "test",
    needs: ["faketime"],
    night: { hasClock: true },
    async run(night) {
      await night.breaks(() => night.setClock(-5));
      await night.changeIsLive();
      await night.setClock(7);
      await night.changeIsLive();
      await night.zonecast.stop("SIGKILL");
      await night.zonecast.start();
      await night.changeIsLive();
      await night.mends(() => night.setClock(0));
      await night.changeIsLive();
    },
    isAway: true,
  },
];
