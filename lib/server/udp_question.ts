/**
 * One question on its way over UDP: settled by the first answer that is believed, by time, or
 * because it could not be sent.
 *
 * Owns: a timer, until it is settled.
 */
import type { Response } from "../wire/mod.ts";
import { AskError, silent } from "./ask_error.ts";

/** How long a better answer is waited for after one that is not believed, ms. */
const DOUBT_MS = 300;

export class UdpQuestion {
  /** Rejected with an {@link AskError}. */
  readonly answer: Promise<Response>;
  readonly #peer: string;
  readonly #ms: number;
  readonly #judge: (octets: Uint8Array) => Response | undefined;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  #timer: number;
  /** Why what came so far is not believed. */
  #doubt: AskError | undefined;

  /**
   * @param ms  time for an answer
   * @param judge  the response that octets of the right ID, address and port are; undefined for
   *   none to this question; throws an AskError for one that is not to be believed
   */
  constructor(peer: string, ms: number, judge: (octets: Uint8Array) => Response | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#peer = peer;
    this.#ms = ms;
    this.#judge = judge;
    this.#timer = setTimeout(() => this.#giveUp(), ms);
  }

  /** Takes octets that came for it. */
  received(octets: Uint8Array): void {
    try {
      const response = this.#judge(octets);
      if (!response) return;
      clearTimeout(this.#timer);
      this.#resolve(response);
    } catch (error) {
      if (error instanceof AskError) this.#doubtIt(error);
      else this.#end(error);
    }
  }

  /** It could not be sent. */
  failed(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `${this.#peer} cannot be sent to: ${why}`;
    this.#end(new AskError("ask-unreachable", text, undefined, { cause }));
  }

  /** Where a forger was faster, the right answer follows; else none will. */
  #doubtIt(error: AskError): void {
    if (!this.#doubt) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#giveUp(), Math.min(this.#ms, DOUBT_MS));
    }
    this.#doubt = error;
  }

  #giveUp(): void {
    this.#end(this.#doubt ?? silent(this.#peer));
  }

  #end(error: unknown): void {
    clearTimeout(this.#timer);
    this.#reject(error);
  }
}
