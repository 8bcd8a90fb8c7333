/**
 * The server's end of the control socket.
 *
 * Owns: the socket and its file, which closing removes. Whoever may write to
 * the file may give commands: its mode is 0660, and the directory decides more.
 */
import { ZonecastError } from "../dns/mod.ts";
import {
  ControlError,
  type ControlLine,
  type ControlRequest,
  encodeLine,
  LineReader,
  MAX_CONNECTIONS,
  MAX_PATH_OCTETS,
  MAX_REQUEST_OCTETS,
  REQUEST_DEADLINE_MS,
  WRITE_DEADLINE_MS,
  writeAll,
} from "./control_protocol.ts";
import { isJsonObject, type JsonValue } from "./json.ts";
import type { Logger } from "./log.ts";

/**
 * Carries out one command: gives its answers, or throws a ZonecastError that
 * the client shows.
 *
 * @param signal  aborted when the client is gone
 */
export type ControlCommand = (
  request: ControlRequest,
  signal: AbortSignal,
) => AsyncIterable<JsonValue> | Iterable<JsonValue> | Promise<Iterable<JsonValue>>;

/** A running control socket. */
export class ControlServer {
  readonly #connections = new Set<Deno.Conn>();
  readonly #listener: Deno.UnixListener;
  readonly #accepting: Promise<void>;
  #closed = false;

  private constructor(
    readonly path: string,
    readonly commands: Readonly<Record<string, ControlCommand>>,
    readonly log: Logger,
    group: number | undefined,
  ) {
    this.#listener = bind(path, group);
    this.#accepting = this.#accept();
  }

  /**
   * Binds the socket and begins to answer. A socket file left by a dead server
   * is replaced.
   *
   * @throws {ControlError} another server answers there, the path holds
   *   something else or cannot be bound
   */
  static async start(
    path: string,
    commands: Readonly<Record<string, ControlCommand>>,
    log: Logger,
    group?: string,
  ): Promise<ControlServer> {
    if (new TextEncoder().encode(path).length > MAX_PATH_OCTETS) {
      throw new ControlError(
        "control-path-too-long",
        `Cannot listen on control socket ${path}: a socket's path has at most ${MAX_PATH_OCTETS} octets`,
        "name a shorter path with --control",
      );
    }
    await removeStaleSocket(path);
    return new ControlServer(path, commands, log, await groupNumber(group));
  }

  /** Stops listening, drops the connections and removes the socket's file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close(); // removes the file too
    for (const conn of this.#connections) closeQuietly(conn);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const conn = await this.#listener.accept();
        this.#connections.add(conn);
        this.#serve(conn).finally(() => {
          this.#connections.delete(conn);
          closeQuietly(conn);
        });
      } catch (error) {
        if (this.#closed) return;
        // Out of file descriptors, say: listening goes on when there are some again.
        this.log.warn("control socket cannot accept", { error: asError(error) });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async #serve(conn: Deno.Conn): Promise<void> {
    const gone = new AbortController();
    try {
      if (this.#connections.size > MAX_CONNECTIONS) {
        const busy = `The server has ${MAX_CONNECTIONS} commands in hand`;
        throw new ControlError("control-busy", busy, "try again");
      }
      const request = await readRequest(conn);
      abortWhenGone(conn, gone);
      const command = Object.hasOwn(this.commands, request.command)
        ? this.commands[request.command]
        : undefined;
      if (!command) {
        throw new ControlError(
          "control-unknown-command",
          `The running server does not know the command "${request.command}"`,
          "it may be older than this zonecast: compare `zonecast version` with `zonecast status`",
        );
      }
      for await (const answer of await command(request, gone.signal)) {
        await send(conn, { answer });
      }
      await send(conn, { end: true });
    } catch (error) {
      const isGone = error instanceof ControlError && error.code === "control-gone";
      if (isGone || gone.signal.aborted || this.#closed) return;
      await this.#sendError(conn, asError(error));
    } finally {
      gone.abort();
    }
  }

  async #sendError(conn: Deno.Conn, error: Error): Promise<void> {
    const known = error instanceof ZonecastError;
    if (!known) this.log.error("control command failed", { error });
    try {
      await send(conn, {
        error: {
          code: known ? error.code : "internal",
          message: error.message,
          hint: known ? error.hint : "see the server's log",
        },
      });
    } catch (sendError) {
      // The client is gone or reads nothing; its command has no other effect to undo.
      this.log.debug("control client gone", { error: asError(sendError) });
    }
  }
}

/**
 * A group's number.
 *
 * @throws {ControlError} there is no such group
 */
async function groupNumber(group: string | undefined): Promise<number | undefined> {
  if (group === undefined) return undefined;
  if (/^[0-9]+$/.test(group)) return Number(group);
  const lines = (await Deno.readTextFile("/etc/group")).split("\n");
  const line = lines.find((each) => each.startsWith(`${group}:`));
  if (line) return Number(line.split(":")[2]);
  throw new ControlError(
    "control-group",
    `Cannot give the control socket to group ${group}: /etc/group has none of this name`,
    "make it with groupadd, or give its number with --control-group",
  );
}

function bind(path: string, group: number | undefined): Deno.UnixListener {
  let listener: Deno.UnixListener | undefined;
  try {
    listener = Deno.listen({ transport: "unix", path });
    if (group !== undefined) Deno.chownSync(path, null, group);
    // Between the calls the mode is what the umask left, never wider for the group.
    Deno.chmodSync(path, 0o660);
    return listener;
  } catch (error) {
    listener?.close();
    throw new ControlError(
      "control-bind",
      `Cannot listen on control socket ${path}: ${asError(error).message}`,
      group !== undefined && listener
        ? "the user zonecast runs as must be of the group (SupplementaryGroups in a unit)"
        : "its directory must exist and be writable; --control names another path",
      { cause: error },
    );
  }
}

/** Removes a socket nobody answers on. */
async function removeStaleSocket(path: string): Promise<void> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new ControlError(
      "control-bind",
      `Cannot look at control socket ${path}: ${asError(error).message}`,
      "--control names another path",
      { cause: error },
    );
  }
  if (!info.isSocket) {
    throw new ControlError(
      "control-path-taken",
      `Cannot listen on control socket ${path}: something that is no socket lies there`,
      "move it away, or name another path with --control",
    );
  }
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) {
      throw new ControlError(
        "control-bind",
        `Cannot tell whether a server answers on ${path}: ${asError(error).message}`,
        "--control names another path",
        { cause: error },
      );
    }
    await Deno.remove(path);
    return;
  }
  throw new ControlError(
    "control-in-use",
    `Another server answers on control socket ${path}`,
    "stop it first, or name another path with --control",
  );
}

async function readRequest(conn: Deno.Conn): Promise<ControlRequest> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    closeQuietly(conn); // ends the pending read
  }, REQUEST_DEADLINE_MS);
  try {
    const line = await new LineReader(conn, MAX_REQUEST_OCTETS).next();
    if (line === undefined) throw new ControlError("control-cut", "No request came");
    return parseRequest(line);
  } catch (error) {
    if (!late) throw error;
    throw new ControlError("control-late", `No request came in ${REQUEST_DEADLINE_MS} ms`);
  } finally {
    clearTimeout(timer);
  }
}

function parseRequest(line: string): ControlRequest {
  let value: JsonValue;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new ControlError("control-malformed", "The request is no JSON", undefined, {
      cause: error,
    });
  }
  if (!isJsonObject(value) || typeof value.command !== "string") {
    throw new ControlError("control-malformed", `The request is no object with a "command"`);
  }
  return { ...value, command: value.command };
}

/** Nothing more is to be read: a read that ends means that the client is gone. */
async function abortWhenGone(conn: Deno.Conn, gone: AbortController): Promise<void> {
  const octets = new Uint8Array(256);
  try {
    while (await conn.read(octets) !== null); // what a client adds to its request is ignored
  } catch {
    // Closed at either end: gone all the same.
  }
  gone.abort();
}

async function send(conn: Deno.Conn, line: ControlLine): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ControlError("control-late", "The client reads too slowly")),
      WRITE_DEADLINE_MS,
    );
  });
  const written = writeAll(conn, encodeLine(line));
  // close() does not end a pending write: when the deadline wins, the write fails
  // unseen whenever the client goes.
  written.catch(() => {});
  try {
    await Promise.race([written, late]);
  } catch (error) {
    if (error instanceof ControlError) throw error;
    throw new ControlError("control-gone", "The client is gone", undefined, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Already closed.
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
