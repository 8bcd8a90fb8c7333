/// <reference lib="deno.worker" />
/**
 * The SQLite source's worker: watches, reads and edits for the main thread,
 * which opens no database. The executable must be built with `--include` of
 * this file.
 */
import { sqliteError } from "./errors.ts";
import { edit } from "./sqlite_edit.ts";
import { errorFields, type Reply, type Request } from "./sqlite_protocol.ts";
import { FileWatch, readEverything } from "./sqlite_read.ts";

/** Batches sent and not yet taken, at most. */
const BATCHES_AHEAD = 2;

let watch: FileWatch | undefined;
/** The reads under way, by id. */
const reads = new Map<number, ReadFlow>();

function post(reply: Reply): void {
  self.postMessage(reply);
}

/** Lets a read run at most {@link BATCHES_AHEAD} batches ahead of its consumer. */
class ReadFlow {
  #credit = BATCHES_AHEAD;
  #stopped = false;
  #go: () => void = () => {};

  more(): void {
    this.#credit++;
    this.#go();
  }

  stop(): void {
    this.#stopped = true;
    this.#go();
  }

  async spend(): Promise<void> {
    while (this.#credit === 0 && !this.#stopped) {
      await new Promise<void>((resolve) => this.#go = resolve);
    }
    if (this.#stopped) throw new Error("the read was given up");
    this.#credit--;
  }
}

async function read(id: number, path: string): Promise<unknown> {
  const flow = new ReadFlow();
  reads.set(id, flow);
  try {
    let first = true;
    return await readEverything(path, async (rows, zones) => {
      await flow.spend();
      post({ kind: "rows", id, rows, zones: first ? zones : undefined });
      first = false;
    });
  } finally {
    reads.delete(id);
  }
}

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "watch":
      watch = new FileWatch(
        request.path,
        request.create,
        (reason) => post({ kind: "wake", reason }),
        (link) => post({ kind: "link", link }),
      );
      return;
    case "read":
      return await read(request.id, request.path);
    case "edit":
      return edit(request.path, request.op, request.args);
    case "close":
      for (const flow of reads.values()) flow.stop();
      watch?.close();
      return;
  }
}

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === "more") return reads.get(request.id)?.more();
  if (request.kind === "stop") return reads.get(request.id)?.stop();
  try {
    post({ kind: "done", id: request.id, answer: await answer(request) });
  } catch (error) {
    const path = "path" in request ? `sqlite file "${request.path}"` : "the source";
    post({ kind: "failed", id: request.id, error: errorFields(sqliteError(error, path)) });
  }
};
