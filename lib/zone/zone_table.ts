/**
 * The current version of every zone, by name.
 *
 * Owns: the map from apex to current version. The primary is the only writer;
 * servers and commands read. A reader that keeps a version keeps it whole.
 */
import { canonicalKey, type Name, NameKey } from "../dns/mod.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** Where apexes are hashed. */
const apexKey = new NameKey();

export class ZoneTable {
  readonly #versions = new Map<string, ZoneVersion>();
  /** The same by the hash of the apex ({@link NameKey}); a few may share one. */
  readonly #byHash = new Map<number, ZoneVersion[]>();

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

  /** As {@link closest}, of the name whose key this is; makes no string. */
  closestTo(key: NameKey): ZoneVersion | undefined {
    for (let labels = key.labels; labels >= 0; labels--) {
      const versions = this.#byHash.get(key.hashes[labels]);
      if (versions === undefined) continue;
      for (const version of versions) {
        if (key.isPrefix(version.apexKey, key.ends[labels])) return version;
      }
    }
    return undefined;
  }

  /** Makes a version the current one of its zone. */
  set(version: ZoneVersion): void {
    this.#versions.set(version.apexKey, version);
    this.#hash(version.apex, version);
  }

  /** Stops serving a zone. */
  delete(apex: Name): void {
    this.#versions.delete(canonicalKey(apex));
    this.#hash(apex, undefined);
  }

  /** Puts a version in the place of the one that the table by hash has. */
  #hash(apex: Name, version: ZoneVersion | undefined): void {
    apexKey.read(apex, 0);
    const hash = apexKey.hashes[apexKey.labels];
    const others = (this.#byHash.get(hash) ?? [])
      .filter((other) => !apexKey.isPrefix(other.apexKey, apexKey.length));
    if (version) others.push(version);
    if (others.length > 0) this.#byHash.set(hash, others);
    else this.#byHash.delete(hash);
  }

  /** All current versions, in no particular order. */
  all(): IterableIterator<ZoneVersion> {
    return this.#versions.values();
  }

  get size(): number {
    return this.#versions.size;
  }
}
