/**
 * The current version of every zone, by name.
 *
 * Owns: the map from apex to current version. The primary is the only writer;
 * servers and commands read. A reader that keeps a version keeps it whole.
 */
import { canonicalKey, type Name } from "../dns/mod.ts";
import type { ZoneVersion } from "./zone_version.ts";

export class ZoneTable {
  readonly #versions = new Map<string, ZoneVersion>();

  /** The zone with exactly this apex. */
  get(apex: Name): ZoneVersion | undefined {
    return this.#versions.get(canonicalKey(apex));
  }

  /** The zone with the longest apex at or above a name: the one to answer from. */
  closest(name: Name): ZoneVersion | undefined {
    let key = canonicalKey(name);
    while (true) {
      const found = this.#versions.get(key);
      if (found || key === "") return found;
      // Each label in a key ends in U+0000; the last label is the first of the name.
      key = key.slice(0, key.lastIndexOf("\x00", key.length - 2) + 1);
    }
  }

  /** Makes a version the current one of its zone. */
  set(version: ZoneVersion): void {
    this.#versions.set(version.apexKey, version);
  }

  /** Stops serving a zone. */
  delete(apex: Name): void {
    this.#versions.delete(canonicalKey(apex));
  }

  /** All current versions, in no particular order. */
  all(): IterableIterator<ZoneVersion> {
    return this.#versions.values();
  }

  get size(): number {
    return this.#versions.size;
  }
}
