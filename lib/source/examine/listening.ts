/**
 * Whether notifications arrive, and whether a pooler stands between.
 *
 * Effects: a notification on a channel that nobody else knows.
 */
import type { Finding } from "../../ops/mod.ts";
import { type ClientOptions, connectPostgres, type PostgresClient } from "../postgres_client.ts";
import { type Examined, found } from "./examination.ts";

/** A notification that takes longer is not coming, ms. */
const ECHO_MS = 3_000;

const STRAIGHT = "connect straight to Postgres' primary server, or to a pooler in session mode; " +
  "without notifications changes are found by looking every 200 ms";

/** @param connectMs  for each further connection */
export async function* examineListening(
  { sql, standby }: Examined,
  url: string,
  connectMs: number,
): AsyncGenerator<Finding> {
  const channel = `zonecast_${crypto.randomUUID().replaceAll("-", "")}`;
  const { promise: heard, resolve } = Promise.withResolvers<true>();
  const connect = (options: Partial<ClientOptions> = {}) =>
    connectPostgres(url, { connectMs, ...options });
  const listener = connect({ onNotification: (where) => where === channel && resolve(true) });
  try {
    yield await aboutPooler(sql, listener);
    if (standby) {
      yield found(
        "listener",
        "warning",
        "the server is a standby: it cannot notify, and zonecast looks every 200 ms",
        "connect to the primary server; from a standby nothing is written back either",
      );
      return;
    }
    await listener.sql`listen ${listener.sql(channel)}`;
    const sentAt = performance.now();
    await sql`select pg_notify(${channel}, '')`;
    let timer: number | undefined;
    const late = new Promise<false>((resume) => timer = setTimeout(() => resume(false), ECHO_MS));
    const isHeard = await Promise.race([heard, late]);
    clearTimeout(timer);
    const ms = Math.round(performance.now() - sentAt);
    yield isHeard
      ? found("listener", "good", `a notification arrived after ${ms} ms`)
      : found("listener", "bad", `no notification arrived within ${ECHO_MS / 1000} s`, STRAIGHT);
  } finally {
    listener.destroy();
  }
}

/** Two connections of ours that are one of the server's: somebody shares them out. */
async function aboutPooler(
  sql: Examined["sql"],
  listener: PostgresClient,
): Promise<Finding> {
  const pid = async (of: Examined["sql"]) =>
    (await of<{ pid: number }[]>`select pg_backend_pid() as pid`)[0].pid;
  const pids = [await pid(sql), await pid(listener.sql), await pid(sql)];
  return new Set(pids).size === 2 && pids[0] === pids[2]
    ? found("pooler", "good", "each connection has a server process of its own")
    : found(
      "pooler",
      "bad",
      "a pooler in transaction mode stands between: two connections share a server process",
      STRAIGHT,
    );
}
