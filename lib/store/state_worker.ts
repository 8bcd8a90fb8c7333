/// <reference lib="deno.worker" />
/**
 * The store's worker: answers the requests of {@link StateFile} one at a time.
 *
 * Owns: the state file's database. Nothing is decided here; see
 * `state_database.ts`. The executable must be built with `--include` of this file.
 */
import { errorFields, StateError, toStateError } from "./errors.ts";
import { type Answer, diffBuffers, pageBuffers, type Reply, type Request } from "./protocol.ts";
import { StateDatabase } from "./state_database.ts";

let database: StateDatabase | undefined;

function post(reply: Reply, transfer: ArrayBufferLike[] = []): void {
  self.postMessage(reply, transfer as ArrayBuffer[]);
}

function report(problem: StateError): void {
  post({ kind: "problem", error: errorFields(problem) });
}

/** The open database. */
function open(): StateDatabase {
  if (database) return database;
  throw new StateError("state-closed", "Cannot use state file: it is not open", "");
}

function answer(request: Request): { answer: Answer; transfer?: ArrayBufferLike[] } {
  switch (request.op) {
    case "open":
      database = new StateDatabase({ ...request.body, report });
      return { answer: undefined };
    case "load":
      return {
        answer: open().load((zone, pages) =>
          post({ id: request.id, kind: "pages", batch: { zone, pages } }, pageBuffers(pages))
        ),
      };
    case "publish":
      try {
        const { publications, progress, buffer } = request.body;
        open().publish(publications, progress, buffer.byteLength);
      } finally {
        request.body.buffer.transfer(0); // now: when it is found to be garbage may be much later
      }
      return { answer: undefined };
    case "keepProgress":
      open().keepProgress(request.body.progress);
      return { answer: undefined };
    case "keepGuard":
      open().keepGuard(request.body.notes);
      return { answer: undefined };
    case "removeZone":
      open().removeZone(request.body.apexKey);
      return { answer: undefined };
    case "journal":
      return { answer: open().journal(request.body.apexKey, request.body.newest) };
    case "journalFigures":
      return { answer: open().journalFigures() };
    case "differences": {
      const { apexKey, fromSerial, toSerial } = request.body;
      const diffs = open().differences(apexKey, fromSerial, toSerial);
      return { answer: diffs, transfer: diffBuffers(diffs ?? []) };
    }
    case "repairJournal":
      open().repairJournal(request.body.apexKey);
      return { answer: undefined };
    case "close":
      open().close();
      database = undefined;
      return { answer: undefined };
  }
}

self.onmessage = ({ data: request }: MessageEvent<Request>) => {
  try {
    const result = answer(request);
    post({ id: request.id, kind: "done", answer: result.answer }, result.transfer);
  } catch (error) {
    const failed = toStateError(error, database?.path ?? "", request.op);
    post({ id: request.id, kind: "failed", error: errorFields(failed) });
  }
  try {
    database?.tidy(); // after the answer: nobody waits for it
  } catch (error) {
    report(toStateError(error, database?.path ?? "", "tidy"));
  }
};
