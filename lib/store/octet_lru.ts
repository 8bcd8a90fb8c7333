/**
 * A cache bounded by octets: what was used longest ago goes first.
 *
 * Owns: its entries.
 */

/** Values by key. */
export class OctetLru<V> {
  /** In the order of their last use. */
  readonly #entries = new Map<string, { readonly value: V; readonly octets: number }>();
  #octets = 0;

  /** @param maxOctets  of all entries together */
  constructor(readonly maxOctets: number) {}

  /** Octets held. */
  get octets(): number {
    return this.#octets;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value, unless it is larger than the whole cache. */
  set(key: string, value: V, octets: number): void {
    this.delete(key);
    if (octets > this.maxOctets) return;
    this.#entries.set(key, { value, octets });
    this.#octets += octets;
    for (const oldest of this.#entries.keys()) {
      if (this.#octets <= this.maxOctets) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#octets -= entry.octets;
  }
}
