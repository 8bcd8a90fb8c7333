/**
 * Signed requests for transfers that were here before.
 *
 * A recorded request can be sent again, with its signature, for as long as its time is
 * near ours: ten minutes at the very most. Over UDP a repeated datagram is normal, and
 * its answer goes to the address the request came from; over TCP no client sends the
 * same octets twice, since each request has an ID and a time of its own. So of requests
 * for transfers over TCP each MAC is good once. RFC 8945 §5.2.3 lets a server remember
 * what it has seen, and answer BADTIME.
 *
 * Owns: the MACs seen, {@link MAX_MACS} at most, the older half forgotten first. Only
 * requests that were rightly signed and in time get in, so a stranger cannot fill it.
 *
 * Limitation: a restart forgets them.
 */
import { TSIG_FUDGE_SECONDS } from "../wire/mod.ts";

/**
 * MACs remembered: ten thousand zones of six secondaries that all transfer within ten
 * minutes. About 8 MB when full.
 */
export const MAX_MACS = 1 << 16;

/**
 * Seconds a MAC is remembered at least: a request whose clock is ahead by the fudge is in time
 * until ours is ahead by as much.
 */
const REMEMBERED_SECONDS = 2 * TSIG_FUDGE_SECONDS;

export class ReplayGuard {
  // Two sets, of which the older goes as a whole: nothing is searched for what is old.
  #young = new Set<string>();
  #old = new Set<string>();
  /** When the young one was begun, seconds since the epoch. */
  #begun = 0;

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Whether a request may be answered: notes its MAC, and is false when it was noted before. */
  admit(mac: Uint8Array, nowSeconds: number): boolean {
    const age = Math.abs(nowSeconds - this.#begun); // also where the clock was set back
    if (age > REMEMBERED_SECONDS || this.#young.size >= MAX_MACS / 2) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#begun = nowSeconds;
    }
    const key = mac.toHex();
    if (this.#young.has(key) || this.#old.has(key)) return false;
    this.#young.add(key);
    return true;
  }
}
