/**
 * Several datagrams at a time: received and answered with one call of the kernel each.
 *
 * Owns: the memory the kernel reads and writes, one batch for all sockets, for a batch is taken,
 * answered and sent within one turn of the event loop. The sockets stay the runtime's: it waits
 * for the first datagram, reports what fails, and closes them.
 *
 * Source: recvmmsg(2), sendmmsg(2); the structures are glibc's on 64-bit Linux, little-endian.
 */
import type { SystemCalls } from "../ops/mod.ts";
import { BATCH_MS, UDP_QUERY_OCTETS, VERDICTS_REMEMBERED } from "./limits.ts";
import {
  descriptorOf,
  ipIn,
  isIPv4,
  NAME_OCTETS,
  portIn,
  SOCKET_TYPE,
} from "./socket_descriptor.ts";

/** Datagrams of a batch. */
export const BATCH = 64;

/** struct mmsghdr: name 0, its length 8, iov 16, their number 24, flags 48, octets received 56. */
const HEADER_OCTETS = 64;
/** struct iovec: base 0, length 8. */
const VECTOR_OCTETS = 16;
const HEADER_WORDS = HEADER_OCTETS / 4;
const VECTOR_WORDS = VECTOR_OCTETS / 4;

const VECTORS_AT = BATCH * HEADER_OCTETS;
const NAMES_AT = VECTORS_AT + BATCH * VECTOR_OCTETS;
const MESSAGES_AT = NAMES_AT + BATCH * NAME_OCTETS;
const BATCH_OCTETS = MESSAGES_AT + BATCH * UDP_QUERY_OCTETS;

const MSG_DONTWAIT = 0x40;

/**
 * How many datagrams to take next: half as many when those last taken took longer than
 * {@link BATCH_MS}, else up to twice as many. Pure.
 */
export function nextBatch(most: number, tookMs: number): number {
  return tookMs > BATCH_MS ? Math.max(1, most >> 1) : Math.min(BATCH, 2 * most);
}

export class DatagramBatch {
  /** Where each datagram stands at the beginning, and may be answered. */
  readonly rooms: readonly Uint8Array[];
  readonly #calls: SystemCalls;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** IPv4 addresses as text, by their octets as a number. */
  readonly #texts = new Map<number, string>();
  /** 1 for each datagram of the batch that has its answer. */
  readonly #answered = new Uint8Array(BATCH);

  constructor(calls: SystemCalls) {
    if (calls.memory.length < BATCH_OCTETS) {
      throw new RangeError(
        `a batch takes ${BATCH_OCTETS} octets; the kernel would write past them`,
      );
    }
    this.#calls = calls;
    this.#memory = calls.memory;
    this.#words = new Uint32Array(calls.memory.buffer);
    this.rooms = Array.from({ length: BATCH }, (_, i) => {
      const at = MESSAGES_AT + i * UDP_QUERY_OCTETS;
      return calls.memory.subarray(at, at + UDP_QUERY_OCTETS);
    });
    const view = new DataView(calls.memory.buffer);
    for (let i = 0; i < BATCH; i++) {
      const header = i * HEADER_OCTETS;
      const vector = VECTORS_AT + i * VECTOR_OCTETS;
      const at = (offset: number) => calls.address + BigInt(offset);
      view.setBigUint64(header, at(NAMES_AT + i * NAME_OCTETS), true);
      view.setBigUint64(header + 16, at(vector), true);
      view.setBigUint64(header + 24, 1n, true);
      view.setBigUint64(vector, at(MESSAGES_AT + i * UDP_QUERY_OCTETS), true);
    }
  }

  /** The file descriptor of the datagram socket bound to an address; undefined when there is none. */
  descriptorOf(bound: Deno.NetAddr): number | undefined {
    return descriptorOf(this.#calls, SOCKET_TYPE.datagram, bound);
  }

  /**
   * Receives what waits at a socket; the last batch is forgotten.
   *
   * @param most  datagrams, at most {@link BATCH}
   * @returns how many; 0 also when it failed: the runtime then fails with the reason
   */
  receive(fd: number, most = BATCH): number {
    for (let i = 0; i < BATCH; i++) {
      this.#words[i * HEADER_WORDS + 2] = NAME_OCTETS;
      this.#words[VECTORS_AT / 4 + i * VECTOR_WORDS + 2] = UDP_QUERY_OCTETS;
    }
    this.#answered.fill(0);
    const received = this.#calls.recvmmsg(
      fd,
      this.#memory,
      Math.min(most, BATCH),
      MSG_DONTWAIT,
      null,
    );
    return Math.max(0, received);
  }

  /** Octets of a datagram. */
  octets(index: number): number {
    return this.#words[index * HEADER_WORDS + 14];
  }

  /** A datagram: a view, overwritten by its answer and by the next batch. */
  message(index: number): Uint8Array {
    return this.rooms[index].subarray(0, this.octets(index));
  }

  /** Whose it is: the address as the runtime's sockets write it, mapped IPv4 as `::ffff:1.2.3.4`. */
  ip(index: number): string {
    const at = NAMES_AT + index * NAME_OCTETS;
    const memory = this.#memory;
    if (!isIPv4(memory, at)) return ipIn(memory, at);
    const number = this.#words[(at + 4) / 4];
    let text = this.#texts.get(number);
    if (text === undefined) {
      text = ipIn(memory, at);
      if (this.#texts.size >= VERDICTS_REMEMBERED) this.#texts.clear();
      this.#texts.set(number, text);
    }
    return text;
  }

  /** Whose it is, as the runtime's sockets take it. */
  sender(index: number): Deno.NetAddr {
    const port = portIn(this.#memory, NAMES_AT + index * NAME_OCTETS);
    return { transport: "udp", hostname: this.ip(index), port };
  }

  /** Puts an answer in a datagram's place; false when it is too long for that. */
  answer(index: number, octets: Uint8Array): boolean {
    if (octets.length > UDP_QUERY_OCTETS) return false;
    this.rooms[index].set(octets);
    this.answered(index, octets.length);
    return true;
  }

  /** The answer stands in a datagram's place, by so many octets. */
  answered(index: number, octets: number): void {
    this.#words[VECTORS_AT / 4 + index * VECTOR_WORDS + 2] = octets;
    this.#answered[index] = 1;
  }

  /**
   * Sends the answers, each to whom its datagram came from.
   *
   * @param received  as {@link receive} has it
   * @param unsent  told of each that the kernel did not take: its buffer is full, or there is no
   *   way; with a copy of the octets
   */
  send(fd: number, received: number, unsent: (octets: Uint8Array, to: Deno.NetAddr) => void): void {
    let from = 0;
    while (from < received) {
      if (!this.#answered[from]) {
        from++;
        continue;
      }
      let end = from + 1;
      while (end < received && this.#answered[end]) end++;
      const headers = this.#memory.subarray(from * HEADER_OCTETS, end * HEADER_OCTETS);
      const sent = this.#calls.sendmmsg(fd, headers, end - from, MSG_DONTWAIT);
      from += Math.max(0, sent);
      if (from < end) unsent(this.#octetsOf(from), this.sender(from++));
    }
  }

  #octetsOf(index: number): Uint8Array {
    return this.rooms[index].slice(0, this.#words[VECTORS_AT / 4 + index * VECTOR_WORDS + 2]);
  }
}
