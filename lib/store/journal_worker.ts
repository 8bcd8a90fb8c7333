/// <reference lib="deno.worker" />
/**
 * The journal's worker: reads and condenses differences for IXFR, one request at
 * a time, so that neither serving nor publishing waits for it.
 *
 * Owns: a {@link JournalFile}. The executable must be built with `--include` of
 * this file.
 */
import { JournalFile } from "./journal_file.ts";
import type { JournalOrder, JournalReply } from "./journal_protocol.ts";
import { diffBuffers } from "./protocol.ts";

let file: JournalFile | undefined;

function post(reply: JournalReply, transfer: ArrayBufferLike[] = []): void {
  self.postMessage(reply, transfer as ArrayBuffer[]);
}

self.onmessage = ({ data: order }: MessageEvent<JournalOrder>) => {
  switch (order.kind) {
    case "start":
      file = new JournalFile(order.path, order.condense);
      break;
    case "read": {
      if (!file) throw new Error("it was not started");
      const answer = file.read(order.request);
      post(
        { kind: "answer", id: order.id, answer },
        answer.kind === "kept" ? diffBuffers(answer.sequences) : [],
      );
      break;
    }
    case "close":
      file?.close();
      post({ kind: "closed" });
  }
};
