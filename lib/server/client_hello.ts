/**
 * The first message of a TLS client, as far as it is looked at before any is answered: which
 * versions of TLS and which application protocols the client offers.
 *
 * Pure. Specs: RFC 8446 §4.1.2 (ClientHello), §4.2.1 (supported_versions), §5.1 (records),
 * RFC 7301 §3.1 (ALPN).
 */

/** What a client offers. */
export interface ClientHello {
  /** As in supported_versions; empty when it says nothing of them, as before TLS 1.3. */
  readonly versions: readonly number[];
  /** Application protocols; empty when it names none. */
  readonly protocols: readonly string[];
}

/** Octets that do not begin a TLS connection. */
export class HelloError extends Error {}

/** The longest ClientHello, octets, with the headers of its records: far above any there is. */
export const MAX_HELLO_OCTETS = 16 * 1024;

const RECORD_HANDSHAKE = 22;
const RECORD_HEADER_OCTETS = 5;
const HANDSHAKE_HEADER_OCTETS = 4;
const CLIENT_HELLO = 1;
const EXTENSION = { ALPN: 16, SUPPORTED_VERSIONS: 43 } as const;

/**
 * What a client offers that has sent these octets so far; undefined while there are too few.
 *
 * @throws {HelloError} they are no ClientHello, or too long for one
 */
export function readClientHello(octets: Uint8Array): ClientHello | undefined {
  const handshake = handshakeOctets(octets);
  if (handshake.length < HANDSHAKE_HEADER_OCTETS) return undefined;
  if (handshake[0] !== CLIENT_HELLO) throw new HelloError("not a ClientHello");
  const length = handshake[1] << 16 | handshake[2] << 8 | handshake[3];
  if (length > MAX_HELLO_OCTETS) throw new HelloError("the ClientHello is too long");
  const end = HANDSHAKE_HEADER_OCTETS + length;
  if (handshake.length < end) {
    if (octets.length >= MAX_HELLO_OCTETS) throw new HelloError("the ClientHello is too long");
    return undefined;
  }
  return readBody(new Reader(handshake.subarray(HANDSHAKE_HEADER_OCTETS, end)));
}

/** What the whole records among the octets carry, joined. */
function handshakeOctets(octets: Uint8Array): Uint8Array {
  const out = new Uint8Array(octets.length);
  let filled = 0;
  for (let at = 0; at < octets.length;) {
    if (octets[at] !== RECORD_HANDSHAKE) throw new HelloError("not TLS");
    if (octets.length - at < RECORD_HEADER_OCTETS) break;
    if (octets[at + 1] !== 3) throw new HelloError("not TLS");
    const length = octets[at + 3] << 8 | octets[at + 4];
    if (length === 0 || length > MAX_HELLO_OCTETS) throw new HelloError("not TLS");
    const begin = at + RECORD_HEADER_OCTETS;
    if (octets.length < begin + length) break;
    out.set(octets.subarray(begin, begin + length), filled);
    filled += length;
    at = begin + length;
  }
  return out.subarray(0, filled);
}

function readBody(body: Reader): ClientHello {
  body.take(2 + 32); // legacy_version, random
  body.vector(1); // legacy_session_id
  body.vector(2); // cipher_suites
  body.vector(1); // legacy_compression_methods
  const versions: number[] = [];
  const protocols: string[] = [];
  if (body.isAtEnd) return { versions, protocols };
  const extensions = new Reader(body.vector(2));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const data = new Reader(extensions.vector(2));
    if (type === EXTENSION.SUPPORTED_VERSIONS) {
      const list = new Reader(data.vector(1));
      while (!list.isAtEnd) versions.push(list.number(2));
    } else if (type === EXTENSION.ALPN) {
      const list = new Reader(data.vector(2));
      while (!list.isAtEnd) protocols.push(String.fromCharCode(...list.vector(1)));
    }
  }
  return { versions, protocols };
}

/** Reads within its octets and never beyond. */
class Reader {
  #at = 0;

  constructor(readonly octets: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.#at === this.octets.length;
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.octets.length) throw new HelloError("the ClientHello is malformed");
    const taken = this.octets.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  number(octets: 1 | 2): number {
    return this.take(octets).reduce((value, octet) => value << 8 | octet, 0);
  }

  /** As many octets as the number before them says. */
  vector(lengthOctets: 1 | 2): Uint8Array {
    return this.take(this.number(lengthOctets));
  }
}
