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
 * Owns: the MACs seen, {@link MAX_MACS} at most, the oldest forgotten first. Only
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
 * Seconds a MAC is remembered: a request whose clock is ahead by the fudge is in time
 * until ours is ahead by as much.
 */
const REMEMBERED_SECONDS = 2 * TSIG_FUDGE_SECONDS;

export class ReplayGuard {
  /** When each was seen, seconds since the epoch; the oldest first. */
  readonly #seen = new Map<string, number>();

  get size(): number {
    return this.#seen.size;
  }

  /** Whether a request may be answered: notes its MAC, and is false when it was noted before. */
  admit(mac: Uint8Array, nowSeconds: number): boolean {
    for (const [old, at] of this.#seen) {
      // A clock set back by more than the fudge has made them untimely, too.
      const isTimely = Math.abs(nowSeconds - at) <= REMEMBERED_SECONDS;
      if (isTimely && this.#seen.size < MAX_MACS) break;
      this.#seen.delete(old);
    }
    const key = mac.toHex();
    if (this.#seen.has(key)) return false;
    this.#seen.set(key, nowSeconds);
    return true;
  }
}
