/**
 * Writing back to Postgres what became of its records, and pruning what was
 * written: on a connection of its own, so that no read waits for it.
 *
 * Owns: one connection, made when there is something to write.
 */
import type { Logger } from "../ops/mod.ts";
import { postgresError, unreachable } from "./errors.ts";
import { connectPostgres, type PostgresClient, type Sql, transaction } from "./postgres_client.ts";
import { arrayText } from "./postgres_rows.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import type { WriteBack } from "./source.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 5000;
/** Longest wait for a lock, in ms. */
const LOCK_TIMEOUT_MS = 5000;
/** Longest silence of the server within a transaction, in ms. */
const SILENCE_MS = 20_000;
/** Other instances remembered as reported. */
const MAX_REPORTED = 1000;

/** Runs transactions that write, one after the other. */
export class PostgresWriter {
  readonly #description: string;
  #client: PostgresClient | undefined;
  #closed = false;
  /** The transaction before the next one. */
  #before: Promise<unknown> = Promise.resolve();
  /** Zones and instances whose publishing beside this one was reported. */
  readonly #reported = new Set<string>();

  constructor(readonly url: string, readonly log: Logger) {
    this.#description = parsePostgresUrl(url).description;
  }

  /** Writes a report. @throws {SourceError} nothing was written */
  async writeBack(report: WriteBack): Promise<void> {
    await this.transaction(async (sql) => {
      if (report.published.length > 0) await writePublished(sql, report);
      if (report.secondaries.length > 0) await writeSecondaries(sql, report);
      if (report.problems) await writeProblems(sql, report.instance, report.problems);
      await writeReader(sql, report);
      if (report.live.length > 0) {
        const entries = report.live.map(({ zone, serial, live, of }) =>
          JSON.stringify({ zone, serial, live, of })
        );
        await sql`select pg_notify('dns_zone_published', entry)
          from unnest(${arrayText(entries)}::text[]) as entry`;
      }
    });
    if (report.published.length > 0) await this.#lookForOthers(report);
  }

  /** Runs the body in one transaction, after those begun before it. */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    const result = this.#before.then(() => this.#transact(body));
    this.#before = result.catch(() => {}); // whoever waits for it is told
    return result;
  }

  close(): void {
    this.#closed = true;
    this.#client?.destroy();
  }

  async #transact<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    if (this.#closed) throw unreachable(this.#description, "closed");
    if (this.#client?.closed) this.#client = undefined;
    const client = this.#client ??= connectPostgres(this.url, { connectMs: CONNECT_MS });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(unreachable(this.#description, `no answer for ${SILENCE_MS / 1000} s`)),
        SILENCE_MS,
      );
    });
    try {
      const done = transaction(client, "", async (sql) => {
        await sql.unsafe(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
        return await body(sql);
      });
      return await Promise.race([done, silence]);
    } catch (error) {
      this.#client = undefined;
      client.destroy(); // whatever state it is in, the next one is good
      throw postgresError(error, this.#description);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says once of each zone that another zonecast publishes it too. */
  async #lookForOthers({ instance, published }: WriteBack): Promise<void> {
    const zones = [...new Set(published.map(({ zone }) => zone))];
    const others = await this.transaction((sql) =>
      sql<{ zone: string; instance: string }[]>`
        select distinct other.zone, other.instance from zonecast.published as other
        where other.zone in ${sql(zones)} and other.instance <> ${instance}
          and other.published_at > (
            select min(own.published_at) from zonecast.published as own
            where own.zone = other.zone and own.instance = ${instance})`
    );
    for (const other of others) {
      const key = `${other.instance} ${other.zone}`;
      if (this.#reported.has(key) || this.#reported.size >= MAX_REPORTED) continue;
      this.#reported.add(key);
      this.log.error("another zonecast publishes this zone too", {
        zone: other.zone,
        instance: instance,
        other: other.instance,
        hint: "their serials do not agree: stop one of them, or divide the zones with --zone",
      });
    }
  }
}

/** ms since the epoch as Postgres' timestamp functions take it; null stays null. */
function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1000;
}

async function writePublished(sql: Sql, { instance, published }: WriteBack): Promise<void> {
  const rows = published.map((one) => ({
    zone: one.zone,
    serial: one.serial,
    published_at: seconds(one.publishedAt),
    added: one.added,
    removed: one.removed,
    changed_at: seconds(one.changedAt),
    snapshot: one.snapshot ?? null,
  }));
  await sql`
    insert into zonecast.published as known
      (zone, serial, published_at, added, removed, changed_at, snapshot, instance)
    select distinct on (zone, serial) zone, serial, to_timestamp(published_at), added, removed,
      to_timestamp(changed_at), snapshot::pg_snapshot, ${instance}
    from jsonb_to_recordset(${sql.json(rows)}) as one (zone text, serial bigint,
      published_at float8, added bigint, removed bigint, changed_at float8, snapshot text)
    order by zone, serial, published_at desc
    on conflict (zone, serial, instance) do update set published_at = excluded.published_at,
      added = excluded.added, removed = excluded.removed, changed_at = excluded.changed_at,
      snapshot = excluded.snapshot`;
}

async function writeSecondaries(sql: Sql, { instance, secondaries }: WriteBack): Promise<void> {
  const rows = secondaries.map((one) => ({
    zone: one.zone,
    secondary: one.secondary,
    serial: one.serial ?? null,
    seen_at: seconds(one.seenAt),
    last_notify: seconds(one.lastNotifyAt),
    last_transfer: seconds(one.lastTransferAt),
    kind: one.kind ?? null,
    state: one.state,
  }));
  // In one order always, so that two instances cannot wait for each other.
  await sql`
    insert into zonecast.secondaries as known
      (zone, secondary, serial, seen_at, last_notify, last_transfer, kind, state, instance)
    select zone, secondary, serial, to_timestamp(seen_at), to_timestamp(last_notify),
      to_timestamp(last_transfer), kind, state, ${instance}
    from jsonb_to_recordset(${sql.json(rows)}) as one (zone text, secondary text, serial bigint,
      seen_at float8, last_notify float8, last_transfer float8, kind text, state text)
    order by zone, secondary
    on conflict (zone, secondary) do update set
      serial = coalesce(excluded.serial, known.serial),
      seen_at = coalesce(excluded.seen_at, known.seen_at),
      last_notify = coalesce(excluded.last_notify, known.last_notify),
      last_transfer = coalesce(excluded.last_transfer, known.last_transfer),
      kind = coalesce(excluded.kind, known.kind),
      state = excluded.state, instance = excluded.instance`;
}

async function writeProblems(
  sql: Sql,
  instance: string,
  problems: NonNullable<WriteBack["problems"]>,
): Promise<void> {
  const rows = problems.map((one) => ({ ...one }));
  // Those of zones that another zonecast publishes are its own to solve.
  await sql`
    with now_open as (
      select distinct on (id) * from (
        select md5(concat_ws(chr(1), zone, owner, name, type, content, code)) as id, one.*
        from jsonb_to_recordset(${sql.json(rows)}) as one (zone text, owner text, name text,
          type text, content text, code text, reason text)) as each
    ), solved as (
      delete from zonecast.problems as old
      where id not in (select id from now_open) and ${instance} = coalesce((
        select newest.instance from zonecast.published as newest where newest.zone = old.zone
        order by newest.published_at desc limit 1), ${instance})
    )
    insert into zonecast.problems as known (id, zone, owner, name, type, content, code, reason)
    select id, zone, owner, name, type, content, code, reason from now_open order by id
    on conflict (id) do update set reason = excluded.reason
      where known.reason <> excluded.reason`;
}

async function writeReader(sql: Sql, report: WriteBack): Promise<void> {
  const { instance, covered, configured } = report;
  if (!covered) return;
  const pending = JSON.stringify(covered.pending);
  const secondaries = configured ? JSON.stringify(configured) : null;
  await sql`
    insert into zonecast.readers as known (instance, snapshot, read_at, pending, secondaries)
    values (${instance}, ${covered.snapshot}::text::pg_snapshot, clock_timestamp(),
      array(select jsonb_array_elements_text(${pending}::text::jsonb)),
      case when ${secondaries}::text is not null
        then array(select jsonb_array_elements_text(${secondaries}::text::jsonb)) end)
    on conflict (instance) do update set snapshot = excluded.snapshot,
      read_at = excluded.read_at, pending = excluded.pending, secondaries = excluded.secondaries`;
}
