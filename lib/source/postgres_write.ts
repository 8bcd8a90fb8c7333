/**
 * Writing back to Postgres what became of its records, and pruning what was
 * written: on a connection of its own, so that no read waits for it.
 *
 * Owns: one connection, made when there is something to write.
 */
import type { Logger } from "../ops/mod.ts";
import { postgresError, unreachable } from "./errors.ts";
import {
  connectPostgres,
  inline,
  type PostgresClient,
  runAll,
  type Sql,
  transaction,
} from "./postgres_client.ts";
import { jsonb, literal, texts } from "./postgres_literals.ts";
import { writeProblems } from "./postgres_problems.ts";
import { arrayText } from "./postgres_rows.ts";
import { parsePostgresUrl } from "./postgres_url.ts";
import type { WriteBack } from "./write_back.ts";

/** For each of connecting and greeting, in ms. */
const CONNECT_MS = 5000;
/** Longest wait for a lock, in ms. */
const LOCK_TIMEOUT_MS = 5000;
/** Longest silence of the server within a transaction, in ms. */
const SILENCE_MS = 20_000;
/** Other instances remembered as reported. */
const MAX_REPORTED = 1000;

/** How a transaction that writes begins. */
const BEGIN = ["begin", `set local lock_timeout = ${LOCK_TIMEOUT_MS}`] as const;

/** Runs transactions that write, one after the other. */
export class PostgresWriter {
  readonly #description: string;
  #client: PostgresClient | undefined;
  #closed = false;
  /** The transaction before the next one. */
  #before: Promise<unknown> = Promise.resolve();
  /** Zones and instances whose publishing beside this one was reported. */
  readonly #reported = new Set<string>();
  /** Whether what is held can be told; undefined before that was looked at. */
  #holds: boolean | undefined;

  constructor(readonly url: string, readonly log: Logger) {
    this.#description = parsePostgresUrl(url).description;
  }

  /**
   * Writes a report, in one transaction and one round trip; of very many problems in more.
   *
   * @throws {SourceError} nothing was written
   */
  async writeBack(report: WriteBack): Promise<void> {
    const tellsOthers = report.published.length > 0;
    const mayHold = report.held !== undefined && await this.#canHold();
    const results = await this.#inTurn(async ({ sql }) => {
      let begin: readonly string[] = BEGIN;
      const problems = report.problems &&
        await writeProblems(report.instance, report.problems, async (statement) => {
          // A lone result is no list of results: the limit is set before each.
          const [rows] = await runAll(sql, [...begin, BEGIN[1], statement]);
          begin = [];
          return rows ?? [];
        });
      return await runAll(sql, [
        ...begin,
        ...tellsOthers ? [writePublished(report)] : [],
        ...report.secondaries.length > 0 ? [writeSecondaries(report)] : [],
        ...problems ? [problems] : [],
        ...mayHold ? writeHeld(report.instance, report.held!) : [],
        ...report.covered ? [writeReader(report, report.covered)] : [],
        ...report.live.length > 0 ? [notifyLive(report)] : [],
        "commit",
        ...tellsOthers ? [findOthers(report)] : [], // what another has committed meanwhile, too
      ]);
    });
    if (tellsOthers) this.#sayOthers(report, results[results.length - 1] as unknown as Other[]);
  }

  /** Whether what is held can be told; that it cannot is said once. */
  async #canHold(): Promise<boolean> {
    if (this.#holds) return true;
    const [row] = await this.#inTurn((client) =>
      client.sql<{ can: boolean | null }[]>`
        select has_table_privilege(to_regclass('zonecast.held'), 'insert')
          and has_table_privilege(to_regclass('zonecast.approvals'), 'delete') as can`
    );
    const can = row.can ?? false;
    if (!can && this.#holds === undefined) {
      this.log.warn("what is held cannot be written back, nor approved in Postgres", {
        reason: row.can === null ? "the schema is of an older zonecast" : "the role may not",
        hint: "`zonecast schema apply`, with --role for the role that serves",
      });
    }
    this.#holds = can;
    return can;
  }

  /** Runs the body in one transaction, after those begun before it. */
  transaction<T>(body: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#inTurn((client) =>
      transaction(client, "", async (sql) => {
        await sql.unsafe(BEGIN[1]);
        return await body(sql);
      })
    );
  }

  #inTurn<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const result = this.#before.then(() => this.#run(work));
    this.#before = result.catch(() => {}); // whoever waits for it is told
    return result;
  }

  close(): void {
    this.#closed = true;
    this.#client?.destroy();
  }

  /** @param work  a whole transaction: where it fails, its connection is ended */
  async #run<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
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
      return await Promise.race([work(client), silence]);
    } catch (error) {
      this.#client = undefined;
      client.destroy(); // whatever state it is in, the next one is good
      throw postgresError(error, this.#description);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says once of each zone that another zonecast publishes it too. */
  #sayOthers({ instance }: WriteBack, others: readonly Other[]): void {
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

/** Who publishes a zone beside us. */
interface Other {
  readonly zone: string;
  readonly instance: string;
}

/** ms since the epoch as Postgres' timestamp functions take it; null stays null. */
function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1000;
}

function writePublished({ instance, published }: WriteBack): string {
  const rows = published.map((one) => ({
    zone: one.zone,
    serial: one.serial,
    published_at: seconds(one.publishedAt),
    added: one.added,
    removed: one.removed,
    changed_at: seconds(one.changedAt),
    snapshot: one.snapshot ?? null,
  }));
  return `
    insert into zonecast.published as known
      (zone, serial, published_at, added, removed, changed_at, snapshot, instance)
    select distinct on (zone, serial) zone, serial, to_timestamp(published_at), added, removed,
      to_timestamp(changed_at), snapshot::pg_snapshot, ${literal(instance)}
    from jsonb_to_recordset(${jsonb(rows)}) as one (zone text, serial bigint,
      published_at float8, added bigint, removed bigint, changed_at float8, snapshot text)
    order by zone, serial, published_at desc
    on conflict (zone, serial, instance) do update set published_at = excluded.published_at,
      added = excluded.added, removed = excluded.removed, changed_at = excluded.changed_at,
      snapshot = excluded.snapshot`;
}

function writeSecondaries({ instance, secondaries }: WriteBack): string {
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
  return `
    insert into zonecast.secondaries as known
      (zone, secondary, serial, seen_at, last_notify, last_transfer, kind, state, instance)
    select zone, secondary, serial, to_timestamp(seen_at), to_timestamp(last_notify),
      to_timestamp(last_transfer), kind, state, ${literal(instance)}
    from jsonb_to_recordset(${jsonb(rows)}) as one (zone text, secondary text, serial bigint,
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

/** All that this instance holds; and approvals go that are of nothing held. */
function writeHeld(instance: string, held: NonNullable<WriteBack["held"]>): string[] {
  const rows = held.map(({ since, ownerCount, ...one }) => ({
    ...one,
    since: seconds(since),
    owner_count: ownerCount,
  }));
  return [
    `with now_held as (
      select distinct on (zone) * from jsonb_to_recordset(${jsonb(rows)}) as one (zone text,
        id text, since float8, reason text, owners text[], owner_count bigint, removed bigint,
        added bigint, servable boolean)
    ), over as (
      delete from zonecast.held where instance = ${literal(instance)}
        and zone not in (select zone from now_held)
    )
    insert into zonecast.held
      (zone, id, since, reason, owners, owner_count, removed, added, servable, instance)
    select zone, id, to_timestamp(since), reason, owners, owner_count, removed, added, servable,
      ${literal(instance)} from now_held order by zone
    on conflict (zone, instance) do update set id = excluded.id, since = excluded.since,
      reason = excluded.reason, owners = excluded.owners, owner_count = excluded.owner_count,
      removed = excluded.removed, added = excluded.added, servable = excluded.servable`,
    `delete from zonecast.approvals as old where not exists (
      select from zonecast.held as hold where hold.zone = old.zone and hold.id = old.id)`,
  ];
}

function writeReader(
  { instance, configured }: WriteBack,
  { snapshot, pending }: NonNullable<WriteBack["covered"]>,
): string {
  const secondaries = configured ? texts(configured) : "null";
  return `
    insert into zonecast.readers as known (instance, snapshot, read_at, pending, secondaries)
    values (${literal(instance)}, ${literal(snapshot)}::pg_snapshot, clock_timestamp(),
      ${texts(pending)}, ${secondaries})
    on conflict (instance) do update set snapshot = excluded.snapshot,
      read_at = excluded.read_at, pending = excluded.pending, secondaries = excluded.secondaries`;
}

function notifyLive({ live }: WriteBack): string {
  const entries = live.map(({ zone, serial, live, of }) =>
    JSON.stringify({ zone, serial, live, of })
  );
  return `select pg_notify('dns_zone_published', entry) from unnest(${texts(entries)}) as entry`;
}

/** The others that published one of these zones since this instance first did. */
function findOthers({ instance, published }: WriteBack): string {
  return inline(
    `select distinct other.zone, other.instance from zonecast.published as other
    where other.zone = any ($1::text[]) and other.instance <> $2
      and other.published_at > (
        select min(own.published_at) from zonecast.published as own
        where own.zone = other.zone and own.instance = $2)`,
    [arrayText([...new Set(published.map(({ zone }) => zone))]), instance],
  );
}
