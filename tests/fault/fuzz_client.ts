/**
 * The fuzzer's two ways to the server: UDP with a window, TCP in pipelined batches. Each message
 * that must be answered is waited for; what an answer must have is checked.
 */
import type { Server } from "../support/dns_client.ts";
import type { FuzzMessage } from "../support/fuzz_messages.ts";
import { until, within } from "../support/wait.ts";

/** Messages over UDP not yet answered. */
const WINDOW = 64;
/** Time for an answer, ms; generous, for a loaded machine. */
const ANSWER_MS = 5_000;
/** Times a message is sent over UDP, which may lose it. */
const TRIES = 3;

/** Whether a message is answered at all: all but responses and those without a whole header. */
export function isAnswered(octets: Uint8Array): boolean {
  return octets.length >= 12 && (octets[2] & 0x80) === 0;
}

const hex = (octets: Uint8Array) =>
  Array.from(octets.subarray(0, 600), (octet) => octet.toString(16).padStart(2, "0")).join("");

/** A failure that shows the message it came with. */
export function fuzzFailure(what: string, { octets, kind }: FuzzMessage): Error {
  return new Error(`${what}; ${kind}, ${octets.length} octets: ${hex(octets)}`);
}

/** What is wrong with an answer; undefined when nothing is. */
function objection(answer: Uint8Array, asked: Uint8Array, maxOctets: number): string | undefined {
  if (answer.length < 12) return "an answer has no whole header";
  if (answer.length > maxOctets) return `an answer has ${answer.length} octets`;
  if ((answer[2] & 0x80) === 0) return "an answer is no response";
  if ((answer[2] >> 3 & 0xf) !== (asked[2] >> 3 & 0xf)) return "an answer has another opcode";
  return undefined;
}

interface Outstanding {
  readonly message: FuzzMessage;
  sentAt: number;
  tries: number;
  readonly answered?: (octets: Uint8Array, ms: number) => void;
}

/** UDP with so many messages on their way at a time, told apart by their IDs. */
export class UdpFuzzer implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #to: Deno.NetAddr;
  readonly #outstanding = new Map<number, Outstanding>();
  #id = 0;
  #open = true;
  #failure: Error | undefined;

  constructor(server: Server) {
    this.#to = { transport: "udp", hostname: server.addr, port: server.port };
    this.#receive();
  }

  /** Sends a message when there is room. @throws an earlier one was answered wrongly, or not */
  async send(message: FuzzMessage, answered?: Outstanding["answered"]): Promise<void> {
    while (this.#outstanding.size >= WINDOW) await this.#turn();
    if (this.#failure) throw this.#failure;
    const { octets } = message;
    this.#id = this.#id + 1 & 0xffff;
    while (this.#outstanding.has(this.#id)) this.#id = this.#id + 1 & 0xffff;
    if (octets.length >= 2) [octets[0], octets[1]] = [this.#id >> 8, this.#id & 0xff];
    if (isAnswered(octets)) {
      this.#outstanding.set(this.#id, { message, sentAt: performance.now(), tries: 1, answered });
    }
    await this.#socket.send(octets, this.#to);
  }

  /** Waits until all are answered. */
  async settle(): Promise<void> {
    while (this.#outstanding.size > 0) await this.#turn();
    if (this.#failure) throw this.#failure;
  }

  [Symbol.dispose](): void {
    this.#open = false;
    this.#socket.close();
  }

  /** Lets answers come in; sends again what was lost. */
  async #turn(): Promise<void> {
    await new Promise((resume) => setTimeout(resume, 0));
    if (this.#failure) throw this.#failure;
    const now = performance.now();
    for (const entry of this.#outstanding.values()) {
      if (now - entry.sentAt < ANSWER_MS) return; // the others were sent later
      if (entry.tries++ >= TRIES) throw fuzzFailure("no answer over UDP", entry.message);
      entry.sentAt = now;
      await this.#socket.send(entry.message.octets, this.#to);
    }
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(65_535);
    while (this.#open) {
      try {
        const [answer] = await this.#socket.receive(buffer);
        this.#take(answer);
      } catch (error) {
        if (this.#open) this.#failure ??= error as Error;
        return;
      }
    }
  }

  #take(answer: Uint8Array): void {
    const id = answer[0] << 8 | answer[1];
    const entry = this.#outstanding.get(id);
    if (!entry) return; // the answer to a message sent twice
    this.#outstanding.delete(id);
    const wrong = objection(answer, entry.message.octets, 1_232);
    if (wrong) this.#failure ??= fuzzFailure(wrong, entry.message);
    entry.answered?.(answer, performance.now() - entry.sentAt);
  }
}

/** Sends messages pipelined on one connection and waits until each has its answer. */
export async function fuzzTcp(
  server: Server,
  messages: readonly FuzzMessage[],
  tail: Uint8Array,
): Promise<void> {
  const sent = messages.filter(({ octets }) => octets.length >= 12);
  const missing = new Map<number, FuzzMessage>();
  const stream: number[] = [];
  sent.forEach((message, id) => {
    const { octets } = message;
    [octets[0], octets[1]] = [id >> 8, id & 0xff];
    if (isAnswered(octets)) missing.set(id, message);
    stream.push(octets.length >> 8, octets.length & 0xff, ...octets);
  });
  using conn = await Deno.connect({ hostname: server.addr, port: server.port });
  const octets = Uint8Array.from(stream);
  const writing = (async () => {
    for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
  })();
  await readAnswers(conn, missing, sent);
  await writing;
  // What follows the last good message may be anything: the connection may end under it.
  if (tail.length > 0) await conn.write(tail).catch(() => {});
}

async function readAnswers(
  conn: Deno.Conn,
  missing: Map<number, FuzzMessage>,
  sent: readonly FuzzMessage[],
): Promise<void> {
  let buffered = new Uint8Array(0);
  const buffer = new Uint8Array(65_536);
  while (missing.size > 0) {
    const [first] = missing.values();
    const length = await within(conn.read(buffer), 3 * ANSWER_MS, "answer over TCP")
      .catch((error) => {
        throw fuzzFailure(`no answer over TCP: ${error}`, first);
      });
    if (length === null) throw fuzzFailure("the connection ended before the answer", first);
    const joined = new Uint8Array(buffered.length + length);
    joined.set(buffered);
    joined.set(buffer.subarray(0, length), buffered.length);
    buffered = joined;
    while (buffered.length >= 2) {
      const end = 2 + (buffered[0] << 8 | buffered[1]);
      if (buffered.length < end) break;
      const answer = buffered.subarray(2, end);
      const id = answer[0] << 8 | answer[1];
      const wrong = id < sent.length ? objection(answer, sent[id].octets, 65_535) : "an unknown ID";
      if (wrong) throw fuzzFailure(wrong, sent[id] ?? first);
      missing.delete(id);
      buffered = buffered.slice(end);
    }
  }
}

/** Waits for a number to come down to a bound, as the server closes what its peers have left. */
export async function comesDownTo(bound: number, what: string, value: () => number): Promise<void> {
  await until(() => value() <= bound, {
    what: `${what} at most ${bound}`,
    timeoutMs: 45_000,
    seen: value,
  });
}
