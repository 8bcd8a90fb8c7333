/**
 * From which address a server's answers over UDP leave.
 *
 * A server that listens on every address answers from the one that the system chooses; who asked
 * another does not believe it (RFC 5452 §9.1). Owns: one socket, while it waits.
 */
import type { SocketAddress } from "../ops/mod.ts";
import { isResponse, readHeader } from "../wire/mod.ts";
import { type AskedQuestion, queryFor } from "./ask_request.ts";
import { freeId } from "./message_ids.ts";
import { anyLocalIp, openUdpSocket } from "./udp_socket.ts";

/** Times the question is sent, and the time between, ms. */
const TRIES = 3;
const TRY_MS = 500;

/**
 * Where the answer to a question came from; undefined when none came.
 *
 * @param server  where the question goes
 */
export async function answerSource(
  server: SocketAddress,
  question: AskedQuestion,
): Promise<SocketAddress | undefined> {
  const id = freeId(new Set());
  const message = queryFor(question).message(id);
  const { promise, resolve } = Promise.withResolvers<SocketAddress | undefined>();
  const socket = openUdpSocket(anyLocalIp(server.ip), (received, from) => {
    const header = readHeader(received);
    if (header?.id === id && isResponse(header)) resolve(from);
  });
  let tries = 0;
  const send = () => {
    if (tries++ === TRIES) resolve(undefined);
    else socket.send(message, server, () => {});
  };
  const timer = setInterval(send, TRY_MS);
  try {
    send();
    return await promise;
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
