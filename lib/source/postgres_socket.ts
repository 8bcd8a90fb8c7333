/**
 * A socket as postgres.js wants it, straight on the runtime's connection: that of
 * `node:net` spends more time on a small message than the message itself takes.
 *
 * Owns: one connection, until it is destroyed or the server closes it.
 *
 * Limitations: no TLS, which needs a socket of `node:net`; no COPY, which needs pauses.
 */
import { Buffer } from "node:buffer";
import { lookup } from "node:dns/promises";
import { EventEmitter } from "node:events";

/** Octets read at once: what the runtime gives a stream of its own. */
const READ_OCTETS = 64 * 1024;

/** Where a server listens. */
export type PostgresPlace = { readonly path: string } | {
  readonly host: string;
  readonly port: number;
};

/**
 * Connects: of a name's addresses, to the first that answers.
 *
 * @throws an error whose code says what the net says, or that there is none in the time
 */
export async function openPostgresSocket(
  place: PostgresPlace,
  timeoutMs: number,
): Promise<PostgresSocket> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`no connection within ${timeoutMs / 1000} s`));
  }, timeoutMs);
  let isLate = false;
  const connecting = connectFirst(place, () => isLate);
  try {
    return new PostgresSocket(await Promise.race([connecting, late.promise]));
  } catch (error) {
    isLate = true;
    connecting.then((conn) => conn.close(), () => {}); // why, is told
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function connectFirst(place: PostgresPlace, isLate: () => boolean): Promise<Deno.Conn> {
  if ("path" in place) return await connect({ transport: "unix", path: place.path }, place.path);
  const { host, port } = place;
  let failure: unknown;
  for (const { address } of await lookup(host, { all: true, verbatim: true })) {
    if (isLate()) break;
    try {
      const conn = await connect({ hostname: address, port }, `${address}:${port}`);
      conn.setNoDelay(true);
      return conn;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function connect(options: Deno.ConnectOptions, where: string): Promise<Deno.TcpConn>;
function connect(options: Deno.UnixConnectOptions, where: string): Promise<Deno.UnixConn>;
async function connect(
  options: Deno.ConnectOptions | Deno.UnixConnectOptions,
  where: string,
): Promise<Deno.Conn> {
  try {
    return await Deno.connect(options as Deno.ConnectOptions);
  } catch (error) {
    // The runtime's message does not say whom it is about.
    if (!(error instanceof Error && "code" in error)) throw error;
    throw Object.assign(new Error(`connect ${error.code} ${where}`), { code: error.code });
  }
}

/** Emits "data" with octets of its own, "error", and at the end "close", once. */
export class PostgresSocket extends EventEmitter {
  readonly #conn: Deno.Conn;
  /** The end of the last write asked for. */
  #writing: Promise<void> | undefined;
  #isClosed = false;

  constructor(conn: Deno.Conn) {
    super();
    this.#conn = conn;
    this.#read();
  }

  /** "closed" says to postgres.js that nobody need be told of the end. */
  get readyState(): "open" | "closed" {
    return this.#isClosed ? "closed" : "open";
  }

  /** Sends octets, after those before. Returns that more may follow: what is asked here is little. */
  write(octets: Uint8Array, written?: () => void): true {
    const writing = this.#writing
      ? this.#writing.then(() => this.#send(octets))
      : this.#send(octets);
    this.#writing = writing;
    writing.then(() => {
      if (this.#writing === writing) this.#writing = undefined;
      written?.();
    }, (error) => this.#close(error));
    return true;
  }

  /** Sends the last octets; the server then closes the connection. */
  end(octets: Uint8Array): void {
    this.write(octets);
  }

  /** Ends the connection at once, answered or not. */
  destroy(): void {
    this.#close();
  }

  /** @param error  why, where nobody wanted it; what waited for a socket closed is told by that */
  #close(error?: unknown): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close(); // ends the pending read
    // Later: postgres.js does not bear it before it has the socket in hand, some microtasks from now.
    setTimeout(() => {
      if (error !== undefined) this.emit("error", error);
      this.emit("close", error !== undefined);
    }, 0);
  }

  async #send(octets: Uint8Array): Promise<void> {
    for (let sent = 0; sent < octets.length;) {
      sent += await this.#conn.write(sent === 0 ? octets : octets.subarray(sent));
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(READ_OCTETS);
    try {
      while (true) {
        const length = await this.#conn.read(buffer);
        if (this.#isClosed) return;
        if (length === null) return this.#close();
        this.emit("data", Buffer.from(buffer.subarray(0, length))); // a copy: parts of it are kept
      }
    } catch (error) {
      this.#close(error);
    }
  }
}
