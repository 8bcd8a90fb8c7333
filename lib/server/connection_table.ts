/**
 * How many connections there are, in all and from each address, and which of them wait.
 *
 * When none is left for a newcomer, the one that has waited longest for its client's next
 * message is closed for it (RFC 7766 §6.2.3: a server short of resources may): whoever holds
 * connections open and says nothing shuts nobody out.
 *
 * Owns: the counts. A zombie (closed, but its last write never ended, so the
 * kernel still holds its socket) keeps its place until the peer goes.
 */
import { formatIp, readIp } from "../ops/mod.ts";
import type { ServerLimits } from "./limits.ts";

/** A connection's place in the table; each descriptor it takes counts as a connection. */
export interface Place {
  /** Its client may transfer. */
  readonly isTrusted: boolean;
  /** The connection waits for its client; `end` closes it, should another need the place. */
  waits(end: () => void): void;
  /** It is busy: nobody takes its place. */
  works(): void;
  /** Marks the connection as closed with a write pending. */
  becameZombie(): void;
  /** Gives the place back; at most once. */
  leave(): void;
}

/** Connections that wait, the longest first. */
type Waiting = Map<Place, { readonly end: () => void; readonly since: number }>;

export class ConnectionTable {
  readonly #byAddress = new Map<string, number>();
  readonly #waitingStrangers: Waiting = new Map();
  readonly #waitingTrusted: Waiting = new Map();
  /** Connections, as often as they take descriptors. */
  #connections = 0;
  #open = 0;
  #strangers = 0;
  #zombies = 0;
  #evicted = 0;
  #refused = 0;

  /**
   * @param limits  may be lowered later; who is in stays
   * @param now  ms, never set back
   */
  constructor(public limits: ServerLimits, readonly now = () => performance.now()) {}

  get connections(): number {
    return this.#open;
  }

  get zombies(): number {
    return this.#zombies;
  }

  /** Waiting connections closed for others, since the start. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Connections for which there was no place, since the start. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * A place for a connection, or undefined when there is none left for it.
   *
   * Effects: may close a connection that waits.
   *
   * @param ip  the peer's address, normalised
   * @param isTrusted  it may transfer
   * @param descriptors  how many the connection takes
   */
  enter(ip: string, isTrusted: boolean, descriptors = 1): Place | undefined {
    const place = this.#enter(ip, isTrusted, descriptors);
    if (!place) this.#refused++;
    return place;
  }

  #enter(ip: string, isTrusted: boolean, descriptors: number): Place | undefined {
    const { limits } = this;
    const key = isTrusted ? ip : strangerKey(ip);
    const perAddress = isTrusted ? limits.connectionsPerSecondary : limits.connectionsPerStranger;
    // A limit below what one connection takes still lets one in.
    const isFull = (count: number, limit: number) => count > 0 && count + descriptors > limit;
    if (isFull(this.#byAddress.get(key) ?? 0, perAddress)) return undefined;
    while (!isTrusted && isFull(this.#strangers, limits.strangerConnections)) {
      if (!this.#evict(this.#waitingStrangers)) return undefined;
    }
    while (isFull(this.#connections, limits.connections)) {
      if (!this.evict()) return undefined;
    }
    this.#byAddress.set(key, (this.#byAddress.get(key) ?? 0) + descriptors);
    this.#connections += descriptors;
    if (!isTrusted) this.#strangers += descriptors;
    this.#open++;
    return this.#place(key, isTrusted, descriptors);
  }

  /**
   * Closes the connection that has waited longest, a stranger's first; false when none waits.
   *
   * @param atLeastMs  how long it must have waited: the question of one that has just come may be on
   *   its way
   */
  evict(atLeastMs = 0): boolean {
    return this.#evict(
      this.#waitingStrangers.size > 0 ? this.#waitingStrangers : this.#waitingTrusted,
      atLeastMs,
    );
  }

  #evict(waiting: Waiting, atLeastMs = 0): boolean {
    const [longest] = waiting;
    if (!longest) return false;
    const [place, { end, since }] = longest;
    if (this.now() - since < atLeastMs) return false;
    end();
    place.leave();
    this.#evicted++;
    return true;
  }

  #place(key: string, isTrusted: boolean, descriptors: number): Place {
    const waiting = isTrusted ? this.#waitingTrusted : this.#waitingStrangers;
    let isHere = true;
    let isZombie = false;
    const place: Place = {
      isTrusted,
      waits: (end) => {
        if (isHere) waiting.set(place, { end, since: this.now() });
      },
      works() {
        waiting.delete(place);
      },
      becameZombie: () => {
        isZombie = true;
        this.#zombies++;
      },
      leave: () => {
        if (!isHere) return; // another has taken the place already
        isHere = false;
        waiting.delete(place);
        if (isZombie) this.#zombies--;
        this.#open--;
        this.#connections -= descriptors;
        if (!isTrusted) this.#strangers -= descriptors;
        const left = this.#byAddress.get(key)! - descriptors;
        if (left === 0) this.#byAddress.delete(key);
        else this.#byAddress.set(key, left);
      },
    };
    return place;
  }
}

/** What strangers' connections are counted by: the address, of IPv6 the /64. */
function strangerKey(ip: string): string {
  const octets = ip.includes(":") ? readIp(ip) : undefined;
  return octets?.length === 16 ? formatIp(octets.map((octet, i) => i < 8 ? octet : 0)) : ip;
}
