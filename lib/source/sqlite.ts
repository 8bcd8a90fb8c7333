/**
 * The embedded source and its editor, as the main thread has them: everything is
 * asked of a worker, which has the database.
 *
 * Owns: the worker.
 */
import { SourceError } from "./errors.ts";
import {
  type EditOperation,
  errorFromFields,
  type ReadAnswer,
  type Reply,
  type Request,
} from "./sqlite_protocol.ts";
import type {
  Deliver,
  Reading,
  ReadRequest,
  Source,
  SourceEditor,
  SourceLink,
  WakeReason,
  ZoneSettings,
} from "./source.ts";

/** How long closing waits for the worker, in ms. */
const CLOSE_MS = 2000;

/** A request without its id. */
type Question = Request extends infer R ? R extends { kind: string } ? Omit<R, "id"> : never
  : never;

/** A question the worker has not answered yet. */
interface Pending {
  readonly rows: (reply: Reply & { kind: "rows" }) => void;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

class SqliteWorker {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  /** Why nothing more can be asked. */
  #ended: Error | undefined;

  constructor(readonly tell: (event: Reply & { kind: "wake" | "link" }) => void = () => {}) {
    this.#worker = new Worker(new URL("./sqlite_worker.ts", import.meta.url).href, {
      type: "module",
      name: "source",
    });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // else it ends the process
      this.#end(new SourceError("source-query-failed", `The source's worker: ${event.message}`));
    };
  }

  ask(question: Question, rows: Pending["rows"] = () => {}): Promise<unknown> & { id: number } {
    const id = this.#nextId++;
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#ended) return reject(this.#ended);
      this.#pending.set(id, { rows, resolve, reject });
      this.#worker.postMessage({ ...question, id } as Request);
    });
    return Object.assign(answer, { id });
  }

  say(kind: "more" | "stop", id: number): void {
    if (!this.#ended) this.#worker.postMessage({ kind, id } satisfies Request);
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([this.ask({ kind: "close" }), late]);
    clearTimeout(timer);
    this.#end(new SourceError("source-unreachable", "The source is closed"));
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
    this.tell({ kind: "link", link: { up: false, since: Date.now(), reason: reason.message } });
  }

  #receive(reply: Reply): void {
    if (reply.kind === "wake" || reply.kind === "link") {
      if (!this.#ended) this.tell(reply);
      return;
    }
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if (reply.kind === "rows") return pending.rows(reply);
    this.#pending.delete(reply.id);
    if (reply.kind === "done") pending.resolve(reply.answer);
    else pending.reject(errorFromFields(reply.error));
  }
}

/** Zones and records in a SQLite file. A new file gets its tables by itself. */
export class SqliteSource implements Source {
  readonly description: string;
  link: SourceLink = { up: false, since: Date.now(), reason: "not opened yet" };
  readonly #worker: SqliteWorker;
  #wake: (reason: WakeReason) => void = () => {};
  #changed: (link: SourceLink) => void = () => {};
  #reading = false;

  /** @param create  make the file when it is not there at the start; else it is waited for */
  constructor(readonly path: string, readonly create = true) {
    this.description = `sqlite ${path}`;
    this.#worker = new SqliteWorker((event) => {
      if (event.kind === "wake") return this.#wake(event.reason);
      this.link = event.link;
      this.#changed(event.link);
    });
  }

  start(wake: (reason: WakeReason) => void, linkChanged: (link: SourceLink) => void): void {
    this.#wake = wake;
    this.#changed = linkChanged;
    // A failure shows in the link: the worker tells of it, or its end does.
    this.#worker.ask({ kind: "watch", path: this.path, create: this.create }).catch(() => {});
  }

  async read(_request: ReadRequest, deliver: Deliver): Promise<Reading> {
    if (this.#reading) throw new Error("a read is under way: one at a time");
    this.#reading = true;
    let delivered = Promise.resolve();
    let failure: { error: unknown } | undefined;
    let zones: readonly ZoneSettings[] = [];
    const answer = this.#worker.ask({ kind: "read", path: this.path }, (batch) => {
      zones = batch.zones ?? zones;
      delivered = delivered.then(async () => {
        if (failure) return;
        try {
          await deliver(batch.rows, zones, true);
          this.#worker.say("more", answer.id);
        } catch (error) {
          failure = { error }; // the consumer's own: the read is given up, and it gets it back
          this.#worker.say("stop", answer.id);
        }
      });
    });
    try {
      const reading = await answer.catch((error) => {
        failure ??= { error };
      });
      await delivered;
      if (failure) throw failure.error;
      return reading as ReadAnswer;
    } finally {
      this.#reading = false;
    }
  }

  close(): Promise<void> {
    return this.#worker.close();
  }
}

/** Edits a SQLite source through a worker of its own. */
export class SqliteEditor implements SourceEditor {
  readonly #worker = new SqliteWorker();

  constructor(readonly path: string) {}

  zones = this.#operation("zones");
  rows = this.#operation("rows");
  addZone = this.#operation("addZone");
  setZone = this.#operation("setZone");
  removeZone = this.#operation("removeZone");
  setRecord = this.#operation("setRecord");
  unsetRecords = this.#operation("unsetRecords");
  replaceZone = this.#operation("replaceZone");
  restoreZone = this.#operation("restoreZone");

  close(): Promise<void> {
    return this.#worker.close();
  }

  #operation<O extends EditOperation>(op: O): SourceEditor[O] {
    const ask = (...args: readonly unknown[]) =>
      this.#worker.ask({ kind: "edit", path: this.path, op, args });
    return ask as SourceEditor[O];
  }
}
