/**
 * The octets that all connections hold in buffers, kept below a ceiling.
 *
 * Owns: one number. Those who may transfer have the last part of it to themselves.
 */
import { STRANGERS_BUFFER_SHARE } from "./limits.ts";

export class BufferAccount {
  #octets = 0;

  /** @param limit  octets */
  constructor(readonly limit: number) {}

  /** Octets held now. */
  get octets(): number {
    return this.#octets;
  }

  /**
   * Notes that a holder's octets have become more or fewer.
   *
   * @returns false when there is no room for more: then nothing is noted
   */
  change(from: number, to: number, isTrusted: boolean): boolean {
    const limit = isTrusted ? this.limit : this.limit * STRANGERS_BUFFER_SHARE;
    if (to > from && this.#octets + to - from > limit) return false;
    this.#octets += to - from;
    return true;
  }
}
