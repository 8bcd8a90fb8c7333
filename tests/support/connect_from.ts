/** TCP connections from a chosen address of the loopback, which Deno.connect does not do. */
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { once } from "node:events";
import type { Server } from "./dns_client.ts";

/** As much of a Deno.Conn as tests use. */
export type PlainConn = Pick<Deno.Conn, "read" | "write" | "close" | typeof Symbol.dispose>;

/** A connection to a server whose peer address there is `localAddress`. */
export async function connectFrom(server: Server, localAddress: string): Promise<PlainConn> {
  const socket = connect({ host: server.addr, port: server.port, localAddress });
  await once(socket, "connect");
  const chunks: AsyncIterator<Uint8Array> = socket[Symbol.asyncIterator]();
  let rest = new Uint8Array(0);
  return {
    async read(buffer) {
      if (rest.length === 0) {
        const { value, done } = await chunks.next();
        if (done) return null;
        rest = Uint8Array.from(value);
      }
      const taken = rest.subarray(0, buffer.length);
      buffer.set(taken);
      rest = rest.slice(taken.length);
      return taken.length;
    },
    async write(octets) {
      await new Promise<void>((resolve, reject) =>
        socket.write(Buffer.from(octets), (error) => error ? reject(error) : resolve())
      );
      return octets.length;
    },
    close: () => void socket.destroy(),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
