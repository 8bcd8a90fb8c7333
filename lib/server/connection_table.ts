/**
 * How many connections there are, in all and from each address.
 *
 * Owns: the counts. A zombie (closed, but its last write never ended, so the
 * kernel still holds its socket) keeps its place until the peer goes.
 */
import type { ServerLimits } from "./limits.ts";

/** A connection's place in the table. */
export interface Place {
  /** Marks the connection as closed with a write pending. */
  becameZombie(): void;
  /** Gives the place back; at most once. */
  leave(): void;
}

export class ConnectionTable {
  readonly #byAddress = new Map<string, number>();
  #connections = 0;
  #strangers = 0;
  #zombies = 0;

  constructor(readonly limits: ServerLimits) {}

  get connections(): number {
    return this.#connections;
  }

  get zombies(): number {
    return this.#zombies;
  }

  /**
   * A place for a connection, or undefined when there is none left for it.
   *
   * @param ip  the peer's address, normalised
   * @param isTrusted  it may transfer
   */
  enter(ip: string, isTrusted: boolean): Place | undefined {
    const { limits } = this;
    const here = this.#byAddress.get(ip) ?? 0;
    if (this.#connections >= limits.connections) return undefined;
    if (!isTrusted && this.#strangers >= limits.strangerConnections) return undefined;
    const perAddress = isTrusted ? limits.connectionsPerSecondary : limits.connectionsPerStranger;
    if (here >= perAddress) return undefined;
    this.#byAddress.set(ip, here + 1);
    this.#connections++;
    if (!isTrusted) this.#strangers++;
    let isZombie = false;
    return {
      becameZombie: () => {
        isZombie = true;
        this.#zombies++;
      },
      leave: () => {
        if (isZombie) this.#zombies--;
        this.#connections--;
        if (!isTrusted) this.#strangers--;
        const left = this.#byAddress.get(ip)! - 1;
        if (left === 0) this.#byAddress.delete(ip);
        else this.#byAddress.set(ip, left);
      },
    };
  }
}
