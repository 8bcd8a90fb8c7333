/**
 * An answer of the HTTP server, and how it is written: each piece in its time.
 *
 * Owns: nothing but the write that is under way. Spec: RFC 9112 §6 (length, chunks).
 */
import { writeAll } from "./control_protocol.ts";

/** What is answered. */
export interface HttpAnswer {
  readonly status: number;
  /** Content-Type. */
  readonly type: string;
  /** All of it, or pieces as they come. */
  readonly body: string | AsyncIterable<string>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the pieces go on for as long as the client stays. */
  readonly endless?: boolean;
}

/** Writes one answer; each piece in time. */
export class AnswerWriter {
  begun = false;
  /** A write that the peer has not taken; it ends when the peer goes. */
  pending: Promise<void> | undefined;

  constructor(
    readonly conn: Deno.Conn,
    readonly writeMs: number,
    readonly gone: AbortController,
  ) {}

  async whole(answer: HttpAnswer, headOnly: boolean): Promise<void> {
    const body = encoder.encode(String(answer.body));
    await this.#write(headText(answer, { "content-length": String(body.length) }));
    if (!headOnly) await this.#writeOctets(body);
  }

  async stream(answer: HttpAnswer, chunks: boolean, headOnly: boolean): Promise<void> {
    await this.#write(headText(answer, chunks ? { "transfer-encoding": "chunked" } : {}));
    if (headOnly) return;
    for await (const piece of answer.body as AsyncIterable<string>) {
      if (this.gone.signal.aborted) return;
      if (piece === "") continue; // an empty chunk would be the last
      const octets = encoder.encode(piece);
      if (chunks) await this.#write(`${octets.length.toString(16)}\r\n`);
      await this.#writeOctets(octets);
      if (chunks) await this.#write("\r\n");
    }
    if (chunks) await this.#write("0\r\n\r\n");
  }

  #write(text: string): Promise<void> {
    return this.#writeOctets(encoder.encode(text));
  }

  /** @throws {Error} the client is gone, or does not take it in time */
  async #writeOctets(octets: Uint8Array): Promise<void> {
    this.begun = true;
    for (let at = 0; at < octets.length; at += PIECE_OCTETS) {
      const written = writeAll(this.conn, octets.subarray(at, at + PIECE_OCTETS));
      const settled = written.then(() => true, () => true);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<false>((resolve) => {
        timer = setTimeout(() => resolve(false), this.writeMs);
      });
      const inTime = await Promise.race([settled, late]);
      clearTimeout(timer);
      if (!inTime) {
        this.pending = settled.then(() => {});
        this.gone.abort();
        throw new Error("the client reads too slowly");
      }
      await written;
    }
  }
}

/** Octets written at a time. */
const PIECE_OCTETS = 64 * 1024;
const encoder = new TextEncoder();

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  304: "Not Modified",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

function headText({ status, type, headers }: HttpAnswer, length: Record<string, string>): string {
  const all = {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    ...headers,
    ...length,
    connection: "close",
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Status"}\r\n${lines.join("")}\r\n`;
}
