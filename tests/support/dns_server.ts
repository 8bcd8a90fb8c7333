/** What all launched DNS servers have in common: a directory, a port, start, stop, logs. */
import { exchange, serialOf, type Server } from "./dns_client.ts";
import { freePort } from "./ports.ts";
import {
  childrenOf,
  killQuietly,
  type Running,
  spawn,
  type SpawnOptions,
  which,
} from "./processes.ts";
import { tempDir } from "./tempdir.ts";
import { DEADLINE_MS, until } from "./wait.ts";

export type SecondaryKind = "nsd" | "knot" | "bind" | "pdns";

export interface SecondaryOptions {
  /** Zone names, absolute ("demo.example."). */
  readonly zones: readonly string[];
  /** Transfers come over TLS (BIND and NSD): who the primary is, and the file that vouches for it. */
  readonly tls?: {
    readonly hostname: string;
    readonly ca: string;
    /** Where it speaks TLS itself, for NOTIFY. */
    readonly listen: { readonly port: number; readonly cert: string; readonly key: string };
    /** Signs beside, by hmac-sha256; the secret in base64. */
    readonly tsig: { readonly name: string; readonly secret: string };
  };
  /** Where the zones are transferred from; NOTIFY is taken from all of 127.0.0.1. */
  readonly primary: Server;
  /** Default: a free one. Give it when the primary must know it first. */
  readonly port?: number;
  /** IP address to listen on; default 127.0.0.1, and BIND takes no other of the loopback's. */
  readonly addr?: string;
  /** IP address to transfer from; default 127.0.0.1. */
  readonly transferFrom?: string;
  /** Whether PowerDNS asks for differences; the others always do. Default: no, which is its own. */
  readonly ixfr?: boolean;
  /** Whether NSD and Knot write each new version into a file, whole. Default: they do. */
  readonly writesFiles?: boolean;
}

/** A running server; disposing stops it and removes its directory. */
export interface DnsServer extends Server, AsyncDisposable {
  readonly name: string;
  /** Of its first process; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Its directory: configuration and data, kept over stop and start. */
  readonly dir: string;
  /** The SOA serial it shows; undefined when it has none. */
  serial(zone: string): Promise<number | undefined>;
  /** Waits until it shows exactly `serial`. */
  reaches(zone: string, serial: number, timeoutMs?: number): Promise<void>;
  /** Starts it again after {@link stop}, with the data it had, on the same port. */
  start(): Promise<void>;
  /** Ends it; by SIGKILL as a crash. */
  stop(signal?: Deno.Signal): Promise<void>;
  signal(signal: Deno.Signal): void;
  log(): string;
}

export interface LaunchSpec {
  readonly name: string;
  readonly program: string;
  readonly addr?: string;
  readonly port?: number;
  /** Writes configuration and first data. Returns the program's arguments. */
  configure(place: { dir: string; addr: string; port: number }): Promise<string[]>;
  readonly env?: Record<string, string>;
  /** How long it may take until it answers, in ms; default 15,000. */
  readonly listeningMs?: number;
}

/** Any answer at all, over UDP: the server listens. */
async function answers(server: Server): Promise<boolean> {
  const soaOfRoot = new Uint8Array([0x5a, 0x43, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1]);
  await exchange(server, soaOfRoot, { timeoutMs: 1_000, resendMs: 20 });
  return true;
}

/** Waits until `server` answers any query; fails with the log when the process ends first. */
export async function untilListening(
  server: Server,
  process: Running,
  timeoutMs = DEADLINE_MS,
): Promise<void> {
  const state = await until(
    async () => !process.alive ? "ended" : await answers(server) && "listening",
    {
      what: `${process.name} answers on ${server.addr}:${server.port}`,
      timeoutMs,
      seen: () => process.log().slice(-4000),
    },
  );
  if (state === "ended") throw new Error(`${process.name} did not start:\n${process.log()}`);
}

class LaunchedServer implements DnsServer {
  #process: Running | undefined;
  #earlierLogs = "";

  constructor(
    readonly name: string,
    readonly addr: string,
    readonly port: number,
    readonly dir: string,
    private readonly command: { path: string; args: string[]; options: SpawnOptions },
    private readonly removeDir: () => PromiseLike<void>,
    private readonly listeningMs: number | undefined,
  ) {}

  get pid(): number | undefined {
    return this.#process?.alive ? this.#process.pid : undefined;
  }

  async start(): Promise<void> {
    if (this.#process?.alive) throw new Error(`${this.name} runs already`);
    const { path, args, options } = this.command;
    this.#process = spawn(path, args, options);
    await untilListening(this, this.#process, this.listeningMs);
  }

  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const process = this.#process;
    if (!process) return;
    this.#process = undefined;
    const children = signal === "SIGKILL" ? childrenOf(process.pid) : [];
    await process.stop(signal);
    for (const pid of children) killQuietly(pid, "SIGKILL");
    this.#earlierLogs += process.log();
  }

  signal(signal: Deno.Signal): void {
    this.#process?.signal(signal);
  }

  log(): string {
    return this.#earlierLogs + (this.#process?.log() ?? "");
  }

  serial(zone: string): Promise<number | undefined> {
    return serialOf(this, zone);
  }

  async reaches(zone: string, serial: number, timeoutMs = DEADLINE_MS): Promise<void> {
    let shown: number | undefined;
    await until(async () => (shown = await this.serial(zone)) === serial, {
      what: `${this.name} has ${zone} at serial ${serial}`,
      timeoutMs,
      seen: () => shown,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.removeDir();
  }
}

/** Starts a server in a directory of its own and waits until it answers. */
export async function launch(spec: LaunchSpec): Promise<DnsServer> {
  const path = which(spec.program);
  if (!path) throw new Error(`${spec.program} is not installed`);
  const dir = await tempDir(`zonecast-${spec.name}-`);
  const { addr = "127.0.0.1", port = freePort() } = spec;
  const args = await spec.configure({ dir: dir.path, addr, port });
  const options = { name: spec.name, cwd: dir.path, env: spec.env };
  const server = new LaunchedServer(
    spec.name,
    addr,
    port,
    dir.path,
    { path, args, options },
    () => dir[Symbol.asyncDispose](),
    spec.listeningMs,
  );
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}
