/** Answers on their way out together: pipelined queries cost one write. Owns: the answers. */
import { frame } from "../wire/mod.ts";

export class AnswerBatch {
  #frames: Uint8Array[] = [];
  #octets = 0;

  /** Octets gathered. */
  get octets(): number {
    return this.#octets;
  }

  /** Adds a message, behind its length. */
  add(message: Uint8Array): void {
    const framed = frame(message);
    this.#frames.push(framed);
    this.#octets += framed.length;
  }

  /** All that was gathered, in order; undefined when there is nothing. Empties the batch. */
  take(): Uint8Array | undefined {
    const frames = this.#frames;
    if (frames.length === 0) return undefined;
    const all = frames.length === 1 ? frames[0] : new Uint8Array(this.#octets);
    if (frames.length > 1) {
      let at = 0;
      for (const framed of frames) {
        all.set(framed, at);
        at += framed.length;
      }
    }
    this.#frames = [];
    this.#octets = 0;
    return all;
  }
}
