/**
 * Connections over TLS to a server that we speak to, as a client.
 *
 * Who the server is, its certificate must show, to an authority of the runtime's or of the
 * caller's. Specs: RFC 7858 §3, RFC 8310 §8.1 (names and addresses in certificates).
 */
import { TLS_CONNECT_MS } from "./limits.ts";
import type { TlsPeer } from "./secondary.ts";
import { ALPN_DOT, closeOnce } from "./tls_relay.ts";

/** Where a connection goes, and whose certificate is believed. */
export interface TlsTarget {
  readonly ip: string;
  readonly port: number;
  readonly tls: TlsPeer | undefined;
}

/**
 * A connection whose handshake is done.
 *
 * @param ca  certificates of authorities, in PEM, beside the runtime's own
 * @param connectMs  time for each step
 * @throws {Error} no connection in time, or a certificate that is not believed
 */
export async function connectTls(
  { ip, port, tls }: TlsTarget,
  ca: readonly string[],
  connectMs = TLS_CONNECT_MS,
): Promise<Deno.TlsConn> {
  const tooLate = `no connection over TLS within ${connectMs / 1000} s`;
  const plain = await inTime(
    Deno.connect({ hostname: ip, port }),
    connectMs,
    tooLate,
    closeOnce,
  );
  try {
    const conn = await inTime(
      Deno.startTls(plain, {
        hostname: tls?.hostname ?? ip,
        caCerts: [...ca],
        alpnProtocols: [ALPN_DOT],
      }),
      connectMs,
      tooLate,
      closeOnce,
    );
    // Whether it agrees on ALPN matters to transfers; older servers of DNS over TLS know none.
    await inTime(conn.handshake(), connectMs, tooLate, () => {}).catch((error) => {
      closeOnce(conn);
      throw error;
    });
    return conn;
  } catch (error) {
    closeOnce(plain);
    throw error;
  }
}

/**
 * What a promise gives, if that is soon.
 *
 * @param tooLate  what the error says when it is not
 * @param late  is given what comes too late
 */
export async function inTime<T>(
  promise: Promise<T>,
  ms: number,
  tooLate: string,
  late: (value: T) => void,
): Promise<T> {
  let timer: number | undefined;
  let isLate = false;
  promise.then((value) => isLate && late(value), () => {});
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new Error(tooLate));
    }, ms);
  });
  try {
    return await Promise.race([promise, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
