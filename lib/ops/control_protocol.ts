/**
 * What the two ends of the control socket say to each other.
 *
 * The client sends one line, a JSON object with the field `command`. The server
 * answers with lines of JSON: any number of `{"answer": …}`, then `{"end": true}`
 * or `{"error": {"code", "message", "hint"}}`. A stream without its last line
 * was cut. One request per connection.
 *
 * {@link LineReader} owns no connection; it reads from the one given.
 */
import { ZonecastError } from "../dns/mod.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** Longest request, in octets: requests hold names and numbers, never records. */
export const MAX_REQUEST_OCTETS = 64 * 1024;
/** Longest line of an answer, in octets; whole zones come in many lines. */
export const MAX_ANSWER_OCTETS = 16 * 1024 * 1024;
/** How long a request may take to arrive, in ms: it is one short line on one machine. */
export const REQUEST_DEADLINE_MS = 5_000;
/** How long one write may wait for a client that reads slowly, in ms. */
export const WRITE_DEADLINE_MS = 10_000;
/** How long a client waits for the next line, in ms; the server answers from memory. */
export const ANSWER_DEADLINE_MS = 10_000;
/** Connections at once: each is an operator's command. */
export const MAX_CONNECTIONS = 32;
/** Longest path of a unix socket, in octets (sun_path has 108, its NUL included). */
export const MAX_PATH_OCTETS = 107;

/** The control socket cannot be used, or a request on it failed. */
export class ControlError extends ZonecastError {
  override readonly name = "ControlError";
}

/** A request: the command and what it is about. */
export interface ControlRequest extends JsonObject {
  readonly command: string;
}

/** One line of the server's answer. */
export type ControlLine =
  | { readonly answer: JsonValue }
  | { readonly end: true }
  | { readonly error: { readonly code: string; readonly message: string; readonly hint?: string } };

const encoder = new TextEncoder();

/** A line of JSON as octets. */
export function encodeLine(value: JsonObject | ControlLine): Uint8Array {
  return encoder.encode(JSON.stringify(value) + "\n");
}

/** Writes all octets. */
export async function writeAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
}

/** Lines of a connection, each bounded. */
export class LineReader {
  #rest = new Uint8Array(0);

  /**
   * @param maxOctets  of a line, its newline not counted
   */
  constructor(readonly conn: Deno.Conn, readonly maxOctets: number) {}

  /**
   * The next line without its newline; undefined at the end of the stream.
   *
   * @throws {ControlError} "control-too-long"; "control-cut" when the stream ends within a line
   */
  async next(): Promise<string | undefined> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    let piece = this.#rest;
    while (true) {
      const end = piece.indexOf(0x0a);
      const taken = end < 0 ? piece : piece.subarray(0, end);
      length += taken.length;
      if (length > this.maxOctets) {
        throw new ControlError("control-too-long", `A line is over ${this.maxOctets} octets`);
      }
      pieces.push(taken);
      if (end >= 0) {
        this.#rest = piece.slice(end + 1);
        return decodePieces(pieces, length);
      }
      const buffer = new Uint8Array(16 * 1024);
      const count = await this.conn.read(buffer);
      if (count === null) {
        this.#rest = new Uint8Array(0);
        if (length === 0) return undefined;
        throw new ControlError("control-cut", "The stream ended within a line");
      }
      piece = buffer.subarray(0, count);
    }
  }
}

function decodePieces(pieces: Uint8Array[], length: number): string {
  const line = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    line.set(piece, at);
    at += piece.length;
  }
  return new TextDecoder().decode(line);
}
