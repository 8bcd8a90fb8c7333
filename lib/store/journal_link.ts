/**
 * The main thread's side of the journal's worker.
 *
 * Owns: the worker, started by the first question (most are answered without it, and
 * it takes 14 MB) and again when it died, and the questions it has not answered.
 */
import { errorFields, StateError } from "./errors.ts";
import type {
  DifferenceAnswer,
  DifferenceRequest,
  JournalOrder,
  JournalReply,
} from "./journal_protocol.ts";

/** A worker that died is not started again sooner than this after its death, in ms. */
const RESTART_PAUSE_MS = 1000;

/** How long closing waits for what the worker is doing, in ms; then it is ended. */
const CLOSE_MS = 2000;

/** Questions that may wait; each client that asks has one. */
const MAX_WAITING = 1000;

/** What a link is made of. */
export interface JournalLinkParts {
  readonly path: string;
  readonly condense: boolean;
  /** Told when the worker died. */
  readonly report: (problem: StateError) => void;
  /** Starts a worker; the journal's by default. */
  readonly startWorker?: () => Worker;
  readonly restartPauseMs?: number;
}

/** Questions to a worker. */
export class JournalLink {
  readonly #parts: JournalLinkParts;
  readonly #waiting = new Map<number, (answer: DifferenceAnswer) => void>();
  #worker: Worker | undefined;
  #nextId = 1;
  /** When the worker last died, in ms of the monotonic clock; and of what. */
  #death: { readonly at: number; readonly error: StateError } | undefined;
  #isClosed = false;
  #whenClosed: () => void = () => {};

  constructor(parts: JournalLinkParts) {
    this.#parts = parts;
  }

  /** The worker's answer; "failed" when it cannot be had. Never rejects. */
  ask(request: DifferenceRequest): Promise<DifferenceAnswer> {
    if (this.#isClosed) return Promise.resolve(failed(this.#error("it was closed")));
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.resolve(failed(this.#error(`${MAX_WAITING} requests wait already`)));
    }
    if (!this.#worker) {
      const { restartPauseMs = RESTART_PAUSE_MS } = this.#parts;
      const death = this.#death;
      if (death && performance.now() - death.at < restartPauseMs) {
        return Promise.resolve(failed(death.error));
      }
      this.#start();
    }
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#tell({ kind: "read", id, request });
    });
  }

  /** Lets the worker close the file, and ends it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#worker) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, CLOSE_MS);
        this.#whenClosed = () => {
          clearTimeout(timer);
          resolve();
        };
        this.#tell({ kind: "close" });
      });
    }
    this.#end(this.#error("it was closed"));
  }

  #start(): void {
    const { startWorker = startJournalWorker, path, condense } = this.#parts;
    const worker = startWorker();
    worker.onmessage = ({ data }: MessageEvent<JournalReply>) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault(); // else it ends the process
      this.#died(event.message);
    };
    worker.onmessageerror = () => this.#died("a message was unreadable");
    this.#worker = worker;
    this.#tell({ kind: "start", path, condense });
  }

  #tell(order: JournalOrder): void {
    this.#worker?.postMessage(order);
  }

  #receive(reply: JournalReply): void {
    if (reply.kind === "closed") return this.#whenClosed();
    this.#waiting.get(reply.id)?.(reply.answer);
    this.#waiting.delete(reply.id);
  }

  #died(what: string): void {
    const error = this.#error(`its worker ended (${what}) and is started again`);
    this.#death = { at: performance.now(), error };
    this.#parts.report(error);
    this.#end(error);
    this.#whenClosed();
  }

  #end(error: StateError): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const resolve of this.#waiting.values()) resolve(failed(error));
    this.#waiting.clear();
  }

  #error(what: string): StateError {
    const { path } = this.#parts;
    return new StateError(
      "state-worker",
      `Cannot read the journal in state file "${path}": ${what}`,
      path,
    );
  }
}

function startJournalWorker(): Worker {
  return new Worker(new URL("./journal_worker.ts", import.meta.url).href, {
    type: "module",
    name: "journal",
  });
}

function failed(error: StateError): DifferenceAnswer {
  return { kind: "failed", error: errorFields(error) };
}
