/**
 * The head of an HTTP request, as far as a server that only shows things needs it. Pure.
 *
 * Specs: RFC 9112 §3 (request line), §3.2 (target), RFC 9110 §7.2 (Host).
 * Limitation: a body is never read; who sends one has the connection closed behind the answer.
 */
import { ZonecastError } from "../dns/mod.ts";
import { readIp } from "./address.ts";

/** Octets of a request's head, its empty line counted: browsers send one or two thousand. */
export const MAX_HEAD_OCTETS = 8 * 1024;

/** A request that is not answered as asked. */
export class HttpError extends ZonecastError {
  override readonly name = "HttpError";

  /** @param status  what to answer, 400 to 599 */
  constructor(readonly status: number, message: string) {
    super(`http-${status}`, message);
  }
}

/** What was asked for. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD";
  /** Decoded, beginning with "/". */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By name in lower case; of those that came twice the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the client speaks HTTP/1.1. */
  readonly chunks: boolean;
}

/** Where a head ends in what has come: the index behind its empty line; undefined while it goes on. */
export function headEnd(octets: Uint8Array): number | undefined {
  for (let at = 0; (at = octets.indexOf(0x0a, at)) >= 0; at++) {
    if (octets[at + 1] === 0x0a) return at + 2;
    if (octets[at + 1] === 0x0d && octets[at + 2] === 0x0a) return at + 3;
  }
  return undefined;
}

/**
 * The request a head makes.
 *
 * @param head  to its end as {@link headEnd} found it
 * @throws {HttpError} 400: it is none; 405, 421, 501
 */
export function readHead(head: Uint8Array): HttpRequest {
  const [first, ...lines] = new TextDecoder().decode(head).trimEnd().split(/\r?\n/);
  const line = /^([A-Z]{1,20}) (\S+) HTTP\/1\.([01])$/.exec(first);
  if (!line) throw new HttpError(400, "no HTTP/1 request");
  const [, method, target, minor] = line;
  const headers = new Map<string, string>();
  for (const each of lines) {
    const colon = each.indexOf(":");
    if (colon < 1 || /\s/.test(each[colon - 1])) throw new HttpError(400, "no header line");
    headers.set(each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim());
  }
  if (headers.has("transfer-encoding")) throw new HttpError(501, "no body is taken");
  if (method !== "GET" && method !== "HEAD") {
    throw new HttpError(405, "everything here is read only: GET and HEAD are answered");
  }
  if (minor === "1") checkHost(headers.get("host"));
  return { method, ...splitTarget(target), headers, chunks: minor === "1" };
}

/**
 * Names are refused: a web page elsewhere could have its own name lead to this address, and its
 * visitor's browser would read here for it (DNS rebinding).
 *
 * @throws {HttpError} 400, 421
 */
function checkHost(host: string | undefined): void {
  if (host === undefined) throw new HttpError(400, "no Host header");
  const name = host.replace(/:[0-9]{0,5}$/, "").replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || readIp(name)) return;
  throw new HttpError(
    421,
    "ask by IP address or as localhost; a reverse proxy must send that as Host (and is the place " +
      "for a name, TLS and a password)",
  );
}

/** @throws {HttpError} 400 */
function splitTarget(target: string): Pick<HttpRequest, "path" | "query"> {
  const absolute = target.startsWith("/") ? `http://localhost${target}` : target;
  if (!URL.canParse(absolute)) throw new HttpError(400, "no request target");
  const { pathname, searchParams } = new URL(absolute);
  return { path: pathname, query: searchParams };
}
