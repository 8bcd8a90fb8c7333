/**
 * Single Postgres connections through postgres.js, made so that ending one ends
 * it at once, also when the server is frozen or behind a dead route.
 *
 * postgres.js ends a connection by asking the server; a socket of our own can
 * be destroyed. Each client here is one connection that is never reconnected:
 * who holds it makes a new one.
 */
import net from "node:net";
import postgres from "postgres";
import { openPostgresSocket, PostgresSocket } from "./postgres_socket.ts";
import { parsePostgresUrl } from "./postgres_url.ts";

/** Queries, bigint as number. */
export type Sql = postgres.Sql<{ bigint: number }>;

/** One connection. */
export interface PostgresClient {
  readonly sql: Sql;
  /** Whether the connection, once made, is gone. */
  readonly closed: boolean;
  /** Ends it; queries under way are rejected. Also good for one that is gone. */
  destroy(): void;
}

/** What {@link connectPostgres} takes beside the URL. */
export interface ClientOptions {
  /** Longest wait for the TCP connection and for the server's greeting, each, in ms. */
  readonly connectMs: number;
  readonly onNotice?: (notice: postgres.Notice) => void;
  readonly onNotification?: (channel: string, payload: string) => void;
  /** Called once the connection, having been made or not, is gone. */
  readonly onClose?: () => void;
}

/** Options postgres.js 3.4.9 takes that its type declarations leave out. */
interface UndeclaredOptions {
  host: string | string[];
  port: number | number[];
  ssl?: { readonly ca: string | undefined; readonly host: string | undefined };
  socket: (options: ParsedAddress) => Promise<net.Socket | PostgresSocket>;
  onnotify?: (channel: string, payload: string) => void;
}

/** The part of postgres.js' own, parsed options that says where to connect. */
interface ParsedAddress {
  readonly host: string[];
  readonly port: readonly number[];
  /** Unix socket; false without. */
  readonly path: string | false;
  /** Whether, and how, TLS is asked for. */
  readonly ssl: unknown;
}

/** bigint columns as numbers: TTLs, timers and counts all lie below 2^53. */
const BIGINT: postgres.PostgresType<number> = {
  to: 20,
  from: [20],
  serialize: (value) => String(value),
  parse: (text: string) => Number(text),
};

/**
 * Gives postgres.js its sockets: the first of the hosts that answers, from
 * `next` on. postgres.js asks again only while a host does not suit
 * (`target_session_attrs`) or broke off before its greeting.
 */
class SocketMaker {
  socket: net.Socket | PostgresSocket | undefined;
  /** The host that {@link socket} is connected to, or to be. */
  host: string | undefined;
  #next = 0;
  #ended = false;

  constructor(readonly timeoutMs: number) {}

  async make(address: ParsedAddress): Promise<net.Socket | PostgresSocket> {
    const hosts = address.path ? [""] : address.host;
    let failure: unknown = new Error("the connection broke off, or no host suits");
    while (!this.#ended && this.#next < hosts.length) {
      const [host, port] = [hosts[this.#next], address.port[this.#next]];
      this.#next++;
      this.host = host;
      try {
        const to = address.path ? { path: address.path } : { host, port };
        const open = address.ssl ? openSocket : openPostgresSocket;
        this.socket = await open(to, this.timeoutMs);
        if (this.#ended) this.socket.destroy();
        return Object.assign(this.socket, { host, port }); // read by postgres.js for TLS
      } catch (error) {
        failure = error;
      }
    }
    // postgres.js drops an error, and never settles, while it believes in a further host.
    address.host.length = 1;
    throw failure;
  }

  end(): void {
    this.#ended = true;
    this.socket?.destroy();
  }
}

/** A socket that TLS can be spoken over. */
function openSocket(
  to: { path: string } | { host: string; port: number },
  timeoutMs: number,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(to);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no connection within ${timeoutMs / 1000} s`));
    }, timeoutMs);
    socket.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once("connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      hearLateErrors(socket);
      resolve(socket);
    });
  });
}

/**
 * Lets a write that fails after its socket has closed do no harm.
 *
 * postgres.js takes all listeners off a closed socket; an error that nobody hears ends the process.
 */
function hearLateErrors(socket: net.Socket): void {
  const removeAllListeners = socket.removeAllListeners.bind(socket);
  socket.removeAllListeners = (...events: [] | [string | symbol]) => {
    removeAllListeners(...events); // one that is undefined would take none off
    return socket.on("error", () => {});
  };
}

/**
 * A client that connects with its first query.
 *
 * Owns: one socket, until {@link PostgresClient.destroy}.
 *
 * @throws {SourceError} code "source-url"
 */
export function connectPostgres(url: string, options: ClientOptions): PostgresClient {
  const address = parsePostgresUrl(url);
  const sockets = new SocketMaker(options.connectMs);
  const { verify } = address;
  let closed = false;
  const all:
    & Omit<postgres.Options<{ bigint: postgres.PostgresType<number> }>, keyof UndeclaredOptions>
    & UndeclaredOptions = {
      ...address.options,
      // postgres.js reads it when the socket is there. Without a name an address is not verified.
      ...(verify && {
        ssl: {
          ...verify,
          get host() {
            return sockets.host;
          },
        },
      }),
      max: 1,
      prepare: false, // a transaction pooler knows no prepared statements
      fetch_types: false,
      connect_timeout: options.connectMs / 1000,
      max_lifetime: null,
      backoff: false,
      types: { bigint: BIGINT },
      connection: { application_name: "zonecast" },
      onnotice: (notice) => options.onNotice?.(notice),
      onnotify: options.onNotification,
      onclose: () => {
        closed = true;
        options.onClose?.();
      },
      socket: (parsed) => sockets.make(parsed),
    };
  const sql = postgres(
    address.url,
    all as postgres.Options<{ bigint: postgres.PostgresType<number> }>,
  );
  return {
    sql,
    get closed() {
      return closed;
    },
    destroy: () => {
      sql.end({ timeout: 0 }).catch(() => {}); // rejects what waits; nobody is left to be told
      sockets.end();
    },
  };
}

/**
 * Runs the body in one transaction: committed when it succeeds, else rolled back.
 *
 * Not `sql.begin` of postgres.js: when the server closes the connection during a
 * query, that rolls back on a socket which is no more, and the TypeError ends
 * the whole process. One at a time on a client.
 *
 * @param mode  what follows BEGIN, such as "read only"
 */
export async function transaction<T>(
  client: PostgresClient,
  mode: string,
  body: (sql: Sql) => Promise<T>,
): Promise<T> {
  const { sql } = client;
  await sql.unsafe(`begin ${mode}`);
  let result: T;
  try {
    result = await body(sql);
  } catch (error) {
    // A rollback that fails leaves nothing either: the connection is gone, and the work with it.
    if (!client.closed) await sql`rollback`.catch(() => {});
    throw error;
  }
  await sql`commit`;
  return result;
}

/** A string literal of SQL that means this text whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  if (text.includes("\0")) throw new RangeError("Postgres knows no text with NUL in it");
  return ` E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/**
 * A query with its parameters as literals. postgres.js, without prepared statements, asks
 * for the types of parameters first: that is a round trip more.
 */
export function inline(query: string, parameters: readonly string[]): string {
  return query.replace(/\$(\d+)/g, (_, number) => literal(parameters[number - 1]));
}

/**
 * The rows of those statements that return rows, in order: all in one message, one round trip.
 *
 * A statement that fails ends the message; a transaction begun in it is left to be rolled back.
 *
 * @param statements  the first returns no rows, as BEGIN does
 * @param minOctets  the message is filled up to these
 */
export async function runAll(
  sql: Sql,
  statements: readonly string[],
  minOctets = 0,
): Promise<(readonly Record<string, unknown>[])[]> {
  const results: unknown = await sql.unsafe(statements.join(";\n").padEnd(minOctets))
    .simple();
  // One result for all before the first rows; a lone result is no list of them.
  return Array.isArray(results) && Array.isArray(results[0]) ? results.slice(1) : [];
}
