/**
 * The sockets that what we ask leaves from (NOTIFY, SOA): one for each local address in use.
 *
 * Owns: the sockets and their receive loops.
 */
import { normalIp, type SocketAddress } from "../ops/mod.ts";
import { RECEIVE_PAUSE_MS, UDP_REPLY_OCTETS } from "./limits.ts";
import { bindError } from "./server_error.ts";

/** One UDP socket, reduced to what asking needs. */
export interface UdpSocket {
  /** Never throws; `failed` is told when the datagram could not leave. */
  send(message: Uint8Array, to: SocketAddress, failed: (error: unknown) => void): void;
  close(): void;
}

/** Opens a socket. `received` gets each datagram with its sender, the address normalised. */
export type OpenUdpSocket = (
  localIp: string,
  received: (message: Uint8Array, from: SocketAddress) => void,
) => UdpSocket;

/**
 * A socket on a local address and a port the system chooses.
 *
 * @throws {ServerError} it cannot be bound
 */
export const openUdpSocket: OpenUdpSocket = (localIp, received) => {
  let socket: Deno.DatagramConn;
  try {
    socket = Deno.listenDatagram({ transport: "udp", hostname: localIp, port: 0 });
  } catch (error) {
    throw bindError("send from", localIp, error);
  }
  let open = true;
  const receive = async () => {
    const buffer = new Uint8Array(UDP_REPLY_OCTETS);
    while (open) {
      try {
        const [message, from] = await socket.receive(buffer);
        if (from.transport !== "udp") continue;
        received(message, { ip: normalIp(from.hostname), port: from.port });
      } catch {
        // Closed, or the network's trouble: then the retries of what was sent carry on.
        if (open) await new Promise((resume) => setTimeout(resume, RECEIVE_PAUSE_MS));
      }
    }
  };
  receive();
  return {
    send(message, to, failed) {
      const target = { transport: "udp", hostname: to.ip, port: to.port } as const;
      socket.send(message, target).catch((error) => open && failed(error));
    },
    close() {
      open = false;
      socket.close();
    },
  };
};

/** The local address that messages to a target leave from when none is set: any of its family. */
export function anyLocalIp(target: string): string {
  return target.includes(":") ? "::" : "0.0.0.0";
}
