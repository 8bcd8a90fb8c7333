/** A DNS client over TLS. */
import { FrameReader } from "../../lib/wire/mod.ts";
import type { Server } from "./dns_client.ts";

export interface TlsClient extends Disposable {
  readonly conn: Deno.TlsConn;
  /** Sends messages, each behind its length. */
  send(...messages: Uint8Array[]): Promise<void>;
  /** The next message; undefined when the server has closed the connection. */
  receive(): Promise<Uint8Array | undefined>;
}

/** Connects, handshake included. @param ca  the authority's certificate, in PEM */
export async function connectTls(
  server: Server,
  ca: string,
  alpnProtocols = ["dot"],
): Promise<TlsClient> {
  const { addr: hostname, port } = server;
  const conn = await Deno.connectTls({ hostname, port, caCerts: [ca], alpnProtocols });
  await conn.handshake();
  const reader = new FrameReader();
  const received: Uint8Array[] = [];
  const buffer = new Uint8Array(256 * 1024);
  return {
    conn,
    async send(...messages) {
      for (const message of messages) {
        const framed = new Uint8Array(2 + message.length);
        new DataView(framed.buffer).setUint16(0, message.length);
        framed.set(message, 2);
        for (let at = 0; at < framed.length;) at += await conn.write(framed.subarray(at));
      }
    },
    async receive() {
      while (received.length === 0) {
        const length = await conn.read(buffer);
        if (length === null) return undefined;
        for (const message of reader.feed(buffer.subarray(0, length))) {
          received.push(message.slice());
        }
      }
      return received.shift();
    },
    [Symbol.dispose]: () => conn.close(),
  };
}
