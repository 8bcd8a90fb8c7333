/** Many questions to one server over UDP, some hundred on their way at a time. */
import type { Server } from "./dns_client.ts";
import { until } from "./wait.ts";

/** Questions on their way: no socket's buffer runs over with their answers. */
const IN_FLIGHT = 50;
/** A question not answered for so long is asked again, ms. */
const AGAIN_MS = 1_000;
/** Tries of one question. */
const MAX_TRIES = 20;

interface Asked {
  readonly index: number;
  at: number;
  tries: number;
}

/**
 * The answers to messages, in their order. Their IDs are overwritten.
 *
 * @throws {Error} one got no answer, or the server took too long
 */
export async function askMany(
  server: Server,
  messages: readonly Uint8Array[],
  timeoutMs: number,
): Promise<Uint8Array[]> {
  using socket = new Asking(server, messages);
  await until(() => Promise.resolve(socket.step()), {
    what: `${server.addr}:${server.port} answers ${messages.length} questions`,
    timeoutMs,
    seen: () => `${socket.answered} answered`,
  });
  return socket.answers;
}

class Asking {
  readonly answers: Uint8Array[];
  answered = 0;
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #asked = new Map<number, Asked>();
  #next = 0;
  #failure: Error | undefined;

  constructor(readonly server: Server, readonly messages: readonly Uint8Array[]) {
    this.answers = new Array(messages.length);
    this.#receive();
    this.#fill();
  }

  /** Whether all is answered; asks again what is late. */
  step(): boolean {
    if (this.#failure) throw this.#failure;
    const now = performance.now();
    for (const asked of this.#asked.values()) {
      if (now - asked.at < AGAIN_MS) continue;
      if (asked.tries === MAX_TRIES) throw new Error(`no answer to question ${asked.index}`);
      this.#send(asked);
    }
    return this.answered === this.messages.length;
  }

  #fill(): void {
    while (this.#asked.size < IN_FLIGHT && this.#next < this.messages.length) {
      const index = this.#next++;
      const asked = { index, at: 0, tries: 0 };
      this.#asked.set(index & 0xffff, asked);
      this.#send(asked);
    }
  }

  #send(asked: Asked): void {
    const message = this.messages[asked.index];
    message[0] = asked.index >> 8;
    message[1] = asked.index;
    asked.at = performance.now();
    asked.tries++;
    const to = { transport: "udp", hostname: this.server.addr, port: this.server.port } as const;
    this.#socket.send(message, to).catch((error) => this.#failure = error);
  }

  async #receive(): Promise<void> {
    try {
      while (true) {
        const [answer] = await this.#socket.receive(new Uint8Array(4_096));
        const id = answer[0] << 8 | answer[1];
        const asked = this.#asked.get(id);
        if (!asked) continue;
        this.#asked.delete(id);
        this.answers[asked.index] = answer;
        this.answered++;
        this.#fill();
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) this.#failure = error as Error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
