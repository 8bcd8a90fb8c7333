/**
 * The server as a service: tells the service manager how it is, and feeds its watchdog
 * only while our own listener answers.
 *
 * Owns: the notifier's socket and a timer.
 */
import {
  type Logger,
  openServiceNotifier,
  type ServiceManager,
  type ServiceNotifier,
  type SocketAddress,
} from "../ops/mod.ts";

/** Between two looks where no watchdog asks for them, ms. */
const LOOK_MS = 10_000;
/** How often the watchdog is fed within its time. */
const FED = 3;
/** How long our own answer may take, ms, and how often it is asked for. */
const ANSWER_MS = 500;
const TRIES = 3;

/** What is told of. */
export interface Serving {
  readonly addresses: readonly SocketAddress[];
  /** One line: what is served. */
  readonly summary: string;
}

export class Service {
  readonly #notifier: ServiceNotifier;
  #timer: ReturnType<typeof setInterval> | undefined;
  #told = "";
  #looking = false;

  /** @param ownPath  where the notifier's own socket may lie */
  constructor(readonly manager: ServiceManager, ownPath: string, readonly log: Logger) {
    this.#notifier = openServiceNotifier(manager, ownPath, log);
  }

  /** Serving has begun. */
  async ready(serving: Serving): Promise<void> {
    await this.#notifier.ready(this.#told = serving.summary);
    const { notifySocket, watchdogMs } = this.manager;
    if (!notifySocket) return;
    const everyMs = watchdogMs === undefined ? LOOK_MS : watchdogMs / FED;
    this.#timer = setInterval(() => this.#look(serving), everyMs);
  }

  /** Says that a reload is under way until the work is done. */
  async reloading(serving: Serving, work: () => Promise<void>): Promise<void> {
    await this.#notifier.reloading();
    await work();
    await this.#notifier.ready(this.#told = serving.summary);
  }

  async stopping(): Promise<void> {
    clearInterval(this.#timer);
    await this.#notifier.stopping("ending: running transfers have their time");
  }

  /** Whether a look at ourselves is under way; after {@link stopping} no other begins. */
  get isLooking(): boolean {
    return this.#looking;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#notifier.close();
  }

  async #look(serving: Serving): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      if (this.#told !== serving.summary) {
        await this.#notifier.status(this.#told = serving.summary);
      }
      if (this.manager.watchdogMs === undefined) return;
      if (await answers(serving.addresses[0])) await this.#notifier.alive();
      else this.log.error("our own listener does not answer: the watchdog is not fed");
    } finally {
      this.#looking = false;
    }
  }
}

/** A question for the root's SOA: refused where there is none, and that is an answer. */
const QUESTION = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1];

/** Whether a UDP listener of ours answers a question. */
async function answers({ ip, port }: SocketAddress): Promise<boolean> {
  const isV6 = ip.includes(":");
  const hostname = ip === "0.0.0.0" ? "127.0.0.1" : ip === "::" ? "::1" : ip;
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: isV6 ? "::" : "0.0.0.0",
    port: 0,
  });
  const question = new Uint8Array(QUESTION);
  const id = crypto.getRandomValues(question.subarray(0, 2));
  try {
    const heard = listen(socket, id.slice());
    for (let tries = 0; tries < TRIES; tries++) {
      await socket.send(question, { transport: "udp", hostname, port });
      const late = Promise.withResolvers<false>();
      const timer = setTimeout(() => late.resolve(false), ANSWER_MS);
      const isHeard = await Promise.race([heard, late.promise]);
      clearTimeout(timer);
      if (isHeard) return true;
    }
    return false;
  } catch {
    return false; // the network refuses: nobody else is answered either
  } finally {
    socket.close();
  }
}

/** True when an answer with this ID comes; false when the socket is closed. */
async function listen(socket: Deno.DatagramConn, id: Uint8Array): Promise<boolean> {
  try {
    while (true) {
      const [message] = await socket.receive();
      if (message[0] === id[0] && message[1] === id[1] && (message[2] & 0x80) !== 0) return true;
    }
  } catch {
    return false;
  }
}
