/**
 * Large transfers handed to the kernel at once: one call for each {@link BULK_OCTETS}, and neither
 * a promise nor a turn of the event loop between two.
 *
 * The connection stays the runtime's: it reads, it writes what the kernel had no room for, it says
 * what fails, and it closes. A descriptor is good as long as the runtime has the connection open,
 * so whoever sends must know that it has, in the same turn of the event loop.
 *
 * Owns: one room for all connections. What is gathered in it is sent in the same turn.
 *
 * Sources: send(2), tcp(7).
 */
import type { SystemCalls } from "../ops/mod.ts";
import { BulkRoom } from "../transfer/mod.ts";
import { BULK_DESCRIPTORS, BULK_OCTETS, BULK_UNSENT_OCTETS } from "./limits.ts";
import { descriptorOf, type NameCalls, SOCKET_TYPE } from "./socket_descriptor.ts";

const MSG_DONTWAIT = 0x40;
/** A peer that is gone is an error, not a signal that ends the process. */
const MSG_NOSIGNAL = 0x4000;

/** Connections accepted one after the other have descriptors in a row. */
const DESCRIPTORS_NEAR = 4;

const IPPROTO_TCP = 6;
const TCP_NOTSENT_LOWAT = 25;

/** What is called. */
export type BulkCalls = NameCalls & Pick<SystemCalls, "send" | "setsockopt">;

const unsent = new Uint8Array(new Uint32Array([BULK_UNSENT_OCTETS]).buffer);

/** One open connection, as bulk is sent over it. */
export interface BulkSocket {
  /** Where to gather what is sent next. */
  readonly room: BulkRoom;
  /**
   * Hands octets to the kernel, after all that was written before. Never to be called once the
   * connection is closed, nor while a write is on its way.
   *
   * @returns how many it took, from the first on; 0 also when it failed: the runtime's own write
   *   then waits, or fails with the reason
   */
  send(octets: Uint8Array<ArrayBuffer>): number;
}

export class BulkSender {
  readonly #calls: BulkCalls;
  readonly #room = new BulkRoom(BULK_OCTETS);
  /** The descriptor last found. */
  #last = 0;

  constructor(calls: BulkCalls) {
    this.#calls = calls;
  }

  /** A connection that is open; undefined when its descriptor is not found. */
  socketOf({ localAddr, remoteAddr }: Pick<Deno.TcpConn, "localAddr" | "remoteAddr">):
    | BulkSocket
    | undefined {
    const calls = this.#calls;
    const find = (from: number, to: number) =>
      descriptorOf(calls, SOCKET_TYPE.stream, localAddr, remoteAddr, [from, to]);
    const near = this.#last + 1;
    const fd = find(near, near + DESCRIPTORS_NEAR) ?? find(0, BULK_DESCRIPTORS);
    if (fd === undefined) return undefined;
    this.#last = fd;
    // Where the kernel cannot (before Linux 3.12) it keeps some megabytes, as for the runtime.
    calls.setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent, unsent.length);
    return {
      room: this.#room,
      send(octets) {
        const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
        return Math.max(0, Number(calls.send(fd, octets, BigInt(octets.length), flags)));
      },
    };
  }
}
