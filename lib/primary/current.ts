/**
 * The versions that are current: made visible, announced, and taken away again.
 *
 * What comes here is durable already.
 *
 * Owns: when each was published. Effects: the zone table, announcements.
 */
import type { Publication, StoredZone } from "../store/mod.ts";
import type { ZoneTable, ZoneVersion } from "../zone/mod.ts";
import type { Announcer, ZoneStatus } from "./parts.ts";
import type { SerialGuard } from "./serials.ts";

export class Current {
  /** By apex key, ms since the epoch. */
  readonly #publishedAt = new Map<string, number>();

  constructor(
    readonly zones: ZoneTable,
    readonly announcer: Announcer,
    readonly serials: SerialGuard,
  ) {}

  /** Takes a version that the state file kept; it is announced at the start. */
  restore({ version, publishedAt }: StoredZone): void {
    this.zones.set(version);
    this.#publishedAt.set(version.apexKey, publishedAt);
    this.serials.restored(version);
  }

  /** Visible, then announced. */
  publish(publications: readonly Publication[]): void {
    for (const { version, publishedAt } of publications) {
      this.zones.set(version);
      this.#publishedAt.set(version.apexKey, publishedAt);
      this.serials.published(version);
    }
    for (const { version } of publications) this.announcer.announce(version);
  }

  /** A zone is served no longer. */
  retire(version: ZoneVersion): void {
    this.zones.delete(version.apex);
    this.#publishedAt.delete(version.apexKey);
    this.serials.retired(version);
    this.announcer.retire(version.apex);
  }

  /** When a zone's version was published, ms since the epoch; undefined where it is not served. */
  publishedAt(apexKey: string): number | undefined {
    return this.#publishedAt.get(apexKey);
  }

  /** All of them, for status. */
  status(): ZoneStatus[] {
    return [...this.zones.all()].map((version) => ({
      version,
      publishedAt: this.#publishedAt.get(version.apexKey) ?? 0,
    }));
  }
}
