/**
 * A small HTTP server that shows things: GET and HEAD, one request a connection.
 *
 * Deno.serve has no bound on connections, nor on the time a head may take, and whoever opened some
 * hundred would leave DNS without descriptors. Here all is bounded, and answering takes at most a
 * tenth of the event loop ({@link WorkPace}).
 *
 * Owns: the socket and its connections. Specs: RFC 9110, RFC 9112.
 * Limitations: no TLS, no keep-alive, no compression: a reverse proxy has them.
 */
import { ZonecastError } from "../dns/mod.ts";
import { formatSocketAddress, normalIp, type SocketAddress } from "./address.ts";
import { AnswerWriter, type HttpAnswer } from "./http_answer.ts";
import { headEnd, HttpError, type HttpRequest, MAX_HEAD_OCTETS, readHead } from "./http_request.ts";
import type { Logger } from "./log.ts";
import { WorkPace } from "./work_pace.ts";

/** Who asks, and until when. */
export interface HttpContext {
  /** Aborted when the client is gone, its time is up, or the server ends. */
  readonly signal: AbortSignal;
  readonly pace: WorkPace;
}

/** Answers a request for one path; runs within the pace, so it should not take long before it returns. */
export type HttpRoute = (
  request: HttpRequest,
  context: HttpContext,
) => HttpAnswer | Promise<HttpAnswer>;

/** Bounds; {@link HTTP_LIMITS} has the defaults. */
export interface HttpLimits {
  /** Connections at once; each is a scraper's or a browser's. A descriptor each. */
  readonly connections: number;
  /** Of one address: one that opens many leaves some to others. */
  readonly connectionsPerAddress: number;
  /** Answers without an end at once: a browser window has one. */
  readonly endless: number;
  /** Time for a request's head, ms. */
  readonly headMs: number;
  /** Time for each piece of an answer to be taken, ms. */
  readonly writeMs: number;
  /** Time for all of an answer that has an end, ms: the largest status takes a few seconds. */
  readonly answerMs: number;
}

export const HTTP_LIMITS: HttpLimits = {
  connections: 64,
  connectionsPerAddress: 48,
  endless: 24,
  headMs: 5_000,
  writeMs: 10_000,
  answerMs: 60_000,
};

/** Pause after accept() failed (no file descriptor left), ms. */
const ACCEPT_PAUSE_MS = 100;

/** Totals since the start. */
export interface HttpCounts {
  /** Requests answered, by status. */
  readonly answered: ReadonlyMap<number, number>;
  /** Connections closed because there were too many. */
  readonly refused: number;
}

/** The address cannot be had. */
export class HttpServerError extends ZonecastError {
  override readonly name = "HttpServerError";
}

export class HttpServer {
  /** With the port the system chose, if 0 was asked for. */
  readonly address: SocketAddress;
  readonly #routes: Readonly<Record<string, HttpRoute>>;
  readonly #log: Logger;
  readonly #limits: HttpLimits;
  readonly #listener: Deno.TcpListener;
  readonly #pace: WorkPace;
  /** Connections by their peer's address; one closed with a write pending stays. */
  readonly #byAddress = new Map<string, number>();
  readonly #open = new Map<Deno.Conn, AbortController>();
  readonly #answered = new Map<number, number>();
  readonly #accepting: Promise<void>;
  #connections = 0;
  #endless = 0;
  #refused = 0;
  #closed = false;

  /**
   * Binds the address and begins to answer.
   *
   * @param routes  by path
   * @param pace  shared where several servers have one
   * @throws {HttpServerError} the address cannot be bound
   */
  constructor(
    address: SocketAddress,
    routes: Readonly<Record<string, HttpRoute>>,
    log: Logger,
    pace: WorkPace = new WorkPace(),
    limits: HttpLimits = HTTP_LIMITS,
  ) {
    this.#routes = routes;
    this.#log = log;
    this.#pace = pace;
    this.#limits = limits;
    this.#listener = bind(address);
    this.address = { ip: address.ip, port: this.#listener.addr.port };
    this.#accepting = this.#accept();
  }

  get counts(): HttpCounts {
    return { answered: this.#answered, refused: this.#refused };
  }

  get connections(): number {
    return this.#connections;
  }

  /** Stops listening and drops the connections. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
    for (const [conn, gone] of this.#open) {
      gone.abort();
      closeQuietly(conn);
    }
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#admit(await this.#listener.accept());
        // Accepting costs, too: a flood of connections waits its turn.
        await this.#pace.run(() => {});
      } catch (error) {
        if (this.#closed) return;
        this.#log.warn("HTTP cannot accept", { error: asError(error) });
        await new Promise((resume) => setTimeout(resume, ACCEPT_PAUSE_MS));
      }
    }
  }

  #admit(conn: Deno.TcpConn): void {
    const ip = normalIp(conn.remoteAddr.hostname);
    const ofAddress = this.#byAddress.get(ip) ?? 0;
    const { connections, connectionsPerAddress } = this.#limits;
    if (this.#connections >= connections || ofAddress >= connectionsPerAddress) {
      this.#refused++;
      return closeQuietly(conn);
    }
    this.#connections++;
    this.#byAddress.set(ip, ofAddress + 1);
    const gone = new AbortController();
    this.#open.set(conn, gone);
    this.#serve(conn, gone).then((pending) => {
      this.#open.delete(conn);
      closeQuietly(conn);
      // close() does not end a write the peer does not take: the place is free when it goes.
      (pending ?? Promise.resolve()).then(() => this.#leave(ip));
    });
  }

  #leave(ip: string): void {
    this.#connections--;
    const left = this.#byAddress.get(ip)! - 1;
    if (left === 0) this.#byAddress.delete(ip);
    else this.#byAddress.set(ip, left);
  }

  /** Serves one request; never rejects. Returns the write that the peer does not take, if there is one. */
  async #serve(conn: Deno.Conn, gone: AbortController): Promise<Promise<void> | undefined> {
    const writer = new AnswerWriter(conn, this.#limits.writeMs, gone);
    try {
      const request = await this.#readRequest(conn);
      if (!request) return undefined;
      abortWhenGone(conn, gone);
      await this.#answer(request, writer, gone);
    } catch (error) {
      await this.#fail(error, writer, gone.signal);
    } finally {
      gone.abort();
    }
    return writer.pending;
  }

  async #fail(error: unknown, writer: AnswerWriter, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return;
    if (writer.begun || !(error instanceof HttpError)) {
      this.#log.error("HTTP request failed", { error: asError(error) });
      if (writer.begun) return; // an answer cut short shows by its missing last chunk
    }
    const { status, message } = error instanceof HttpError
      ? error
      : new HttpError(500, "this failed, which is zonecast's fault: see its log");
    this.#count(status);
    const headers: Record<string, string> = status === 405 ? { allow: "GET, HEAD" } : {};
    const answer = { status, type: "text/plain; charset=utf-8", body: `${message}\n`, headers };
    await writer.whole(answer, false).catch(() => {}); // the client is gone
  }

  /** @throws {HttpError} */
  async #readRequest(conn: Deno.Conn): Promise<HttpRequest | undefined> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      closeQuietly(conn); // ends the pending read
    }, this.#limits.headMs);
    const buffer = new Uint8Array(MAX_HEAD_OCTETS);
    let length = 0;
    try {
      while (true) {
        const read = await conn.read(buffer.subarray(length));
        if (read === null) return undefined;
        length += read;
        const end = headEnd(buffer.subarray(0, length));
        if (end !== undefined) return readHead(buffer.subarray(0, end));
        if (length === buffer.length) throw new HttpError(431, "the request's head is too long");
      }
    } catch (error) {
      if (late || !(error instanceof HttpError)) return undefined; // slow, or gone
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(request: HttpRequest, writer: AnswerWriter, gone: AbortController): Promise<void> {
    const route = Object.hasOwn(this.#routes, request.path)
      ? this.#routes[request.path]
      : undefined;
    if (!route) throw new HttpError(404, "there is nothing here; / has the status page");
    const timer = setTimeout(() => gone.abort(), this.#limits.answerMs);
    try {
      const context = { signal: gone.signal, pace: this.#pace };
      const answer = await this.#pace.run(() => route(request, context));
      this.#count(answer.status);
      const isHead = request.method === "HEAD";
      if (typeof answer.body === "string") return await writer.whole(answer, isHead);
      if (!answer.endless || isHead) return await writer.stream(answer, request.chunks, isHead);
      if (this.#endless >= this.#limits.endless) throw new HttpError(503, "too many are watching");
      clearTimeout(timer);
      this.#endless++;
      try {
        await writer.stream(answer, request.chunks, false);
      } finally {
        this.#endless--;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #count(status: number): void {
    this.#answered.set(status, (this.#answered.get(status) ?? 0) + 1);
  }
}

/** @throws {HttpServerError} */
function bind(address: SocketAddress): Deno.TcpListener {
  try {
    return Deno.listen({ transport: "tcp", hostname: address.ip, port: address.port });
  } catch (error) {
    throw new HttpServerError(
      "http-bind",
      `Cannot listen for HTTP on ${formatSocketAddress(address)}: ${asError(error).message}`,
      "another program has the address, or this machine does not: --http names another",
      { cause: error },
    );
  }
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
