/** A real Postgres for one test: started, stopped, crashed, frozen, and gone afterwards. */
import { Socket } from "node:net";
import postgres from "postgres";
import { freePort } from "./ports.ts";
import {
  DEFAULT_POSTGRES,
  postgresFiles,
  postgresUser,
  type PostgresVersion,
} from "./postgres_files.ts";
import { childrenOf, killQuietly, mustRun, type Running, spawn } from "./processes.ts";
import { tempDir } from "./tempdir.ts";
import { until } from "./wait.ts";

// postgres.js takes all listeners off a closed socket: a write that fails later, as when Postgres
// stops on a busy machine, was heard by nobody, and ended the whole test file.
const { removeAllListeners } = Socket.prototype;
Socket.prototype.removeAllListeners = function (this: Socket, ...events: [] | [string | symbol]) {
  removeAllListeners.apply(this, events);
  return this.on("error", () => {});
};

export interface PostgresOptions {
  readonly version?: PostgresVersion;
  /** postgresql.conf settings, as `{ max_prepared_transactions: "10" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of its processes, beside the tests' own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Fills its directory; it starts as a fresh cluster without. */
  readonly fill?: (directory: string) => Promise<void>;
}

/** How Postgres stops: waiting for clients, ending their sessions, or at once without a checkpoint. */
export type StopMode = "smart" | "fast" | "immediate";

const STOP_SIGNALS = { smart: "SIGTERM", fast: "SIGINT", immediate: "SIGQUIT" } as const;

/** Durability is not what these tests test; a killed process loses nothing all the same. */
const SETTINGS = {
  fsync: "off",
  listen_addresses: "127.0.0.1",
  max_prepared_transactions: "10",
  log_statement: "none",
};

export interface TestPostgres extends AsyncDisposable {
  readonly port: number;
  /** Of the database "postgres", as its superuser. */
  readonly url: string;
  /** A client of that database; it connects at the first query, and again after a restart. */
  readonly sql: postgres.Sql;
  readonly alive: boolean;
  /** Its data directory; removed with it. */
  readonly directory: string;
  /** Makes a database. Returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** A further client, closed with the server. */
  connect(url?: string): postgres.Sql;
  /** Default "fast". */
  stop(mode?: StopMode): Promise<void>;
  /** Starts it again, with its data, on the same port. */
  start(): Promise<void>;
  /** Makes a standby a primary; returns when it is one. */
  promote(): Promise<void>;
  /** SIGKILL to all its processes: a crash. */
  kill9(): Promise<void>;
  /** SIGSTOP to all its processes: connections stay, nothing answers. */
  freeze(): void;
  thaw(): void;
  log(): string;
}

class Cluster implements TestPostgres {
  readonly port = freePort();
  readonly url = this.#urlOf("postgres");
  readonly #clients: postgres.Sql[] = [];
  readonly sql = this.connect();
  #process: Running | undefined;
  #frozen: number[] = [];

  constructor(
    private readonly bin: string,
    private readonly dir: AsyncDisposable & { readonly path: string },
    private readonly settings: Readonly<Record<string, string>>,
    private readonly env: Record<string, string> | undefined,
  ) {}

  get directory(): string {
    return `${this.dir.path}/cluster`;
  }

  get alive(): boolean {
    return this.#process?.alive ?? false;
  }

  #urlOf(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  connect(url = this.url): postgres.Sql {
    const client = postgres(url, {
      max: 4,
      backoff: () => 0.05,
      connect_timeout: 60,
      onnotice: () => {},
    });
    this.#clients.push(client);
    return client;
  }

  async createDatabase(name: string): Promise<string> {
    await this.sql`create database ${this.sql(name)}`;
    return this.#urlOf(name);
  }

  async start(): Promise<void> {
    if (this.alive) throw new Error("Postgres runs already");
    const settings = { ...SETTINGS, unix_socket_directories: this.dir.path, ...this.settings };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    this.#process = spawn(
      `${this.bin}/postgres`,
      ["-D", this.directory, "-p", String(this.port), ...args],
      { name: "postgres", cwd: "/", env: this.env, ...postgresUser() },
    );
    await this.#process.logged(/database system is ready to accept (read-only )?connections/);
  }

  /** The postmaster and its children; the postmaster first, so that it starts no more of them. */
  #pids(): number[] {
    const pid = this.#process?.alive ? this.#process.pid : undefined;
    return pid === undefined ? [] : [pid, ...childrenOf(pid)];
  }

  freeze(): void {
    const [postmaster] = this.#pids();
    if (postmaster === undefined) throw new Error("Postgres does not run: nothing to freeze");
    killQuietly(postmaster, "SIGSTOP");
    this.#frozen = this.#pids();
    for (const pid of this.#frozen) killQuietly(pid, "SIGSTOP");
  }

  thaw(): void {
    for (const pid of this.#frozen) killQuietly(pid, "SIGCONT");
    this.#frozen = [];
  }

  async stop(mode: StopMode = "fast"): Promise<void> {
    const process = this.#process;
    if (!process) return;
    this.thaw();
    await process.stop(STOP_SIGNALS[mode]);
  }

  async promote(): Promise<void> {
    await mustRun(`${this.bin}/pg_ctl`, ["promote", "-w", "-D", this.directory], {
      cwd: "/",
      ...postgresUser(),
    });
  }

  async kill9(): Promise<void> {
    const pids = this.#pids();
    for (const pid of pids) killQuietly(pid, "SIGKILL");
    await this.#process?.stop("SIGKILL");
    // A starting postmaster refuses while one of the old processes still holds shared memory.
    await until(() => pids.every((pid) => !runs(pid)), { what: "all Postgres processes are gone" });
  }

  log(): string {
    return this.#process?.log() ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await Promise.all(this.#clients.map((client) => client.end({ timeout: 0 })));
    await this.stop("immediate");
    await this.dir[Symbol.asyncDispose]();
  }
}

/** Whether a process still runs; one that only awaits reaping does not. */
function runs(pid: number): boolean {
  try {
    const state = /\) (\w)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))?.[1];
    return state !== "Z" && state !== "X";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Gives transactions so many numbers: a server's may then be those another one gave before. */
export async function passNumbers({ sql }: TestPostgres, count: number): Promise<void> {
  await sql.unsafe(`do $$ begin
    for i in 1..${count} loop perform pg_current_xact_id(); commit; end loop; end $$`);
}

/** Starts a fresh Postgres on a free port of 127.0.0.1, ready for queries. */
export async function startPostgres(options: PostgresOptions = {}): Promise<TestPostgres> {
  const { bin, template } = await postgresFiles(options.version ?? DEFAULT_POSTGRES);
  const dir = await tempDir("zonecast-pg-");
  const { uid, gid } = postgresUser();
  if (uid !== undefined && gid !== undefined) await Deno.chown(dir.path, uid, gid);
  const directory = `${dir.path}/cluster`;
  await (options.fill?.(directory) ?? mustRun("cp", ["-a", template, directory]));
  const cluster = new Cluster(bin, dir, options.settings ?? {}, options.env);
  try {
    await cluster.start();
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
  return cluster;
}
