/**
 * What the primary says of its work in the log.
 *
 * Owns: what was said once already. Effects: log.
 */
import { canonicalKey, formatName, type Name } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import type { DueRead } from "../source/mod.ts";
import type { Publication } from "../store/mod.ts";
import type { ZoneBuilds, ZoneVersion } from "../zone/mod.ts";

export class Reporting {
  /** Zones asked for by name that the source does not have, by apex key. */
  #absent = new Set<string>();

  constructor(readonly log: Logger) {}

  /** A zone is no longer served. */
  removed({ apex, serial }: ZoneVersion): void {
    this.log.warn("zone removed", { zone: formatName(apex), serial });
  }

  /** A zone's serial was raised at an operator's word. */
  raised({ version, previous }: Publication): void {
    this.log.warn("serial raised", {
      zone: formatName(version.apex),
      from: previous?.serial,
      serial: version.serial,
    });
  }

  /** Says once which zones were asked for by name and are not in the source. */
  noteAbsent(wanted: readonly Name[], builds: ZoneBuilds): void {
    const absent = new Set<string>();
    for (const apex of wanted) {
      const key = canonicalKey(apex);
      if (builds.has(key)) continue;
      absent.add(key);
      if (this.#absent.has(key)) continue;
      const zone = formatName(apex);
      const hint = `add it with \`zonecast zone add ${zone}\`, or correct --zone`;
      this.log.warn("zone not in the source", { zone, hint });
    }
    this.#absent = absent;
  }

  /**
   * A read has led to versions, which are not yet durable; after them comes
   * {@link published}, or why not.
   *
   * @param changedAt  when the newest change in them was committed, ms since the epoch
   * @param ms  what the read took
   */
  read(
    publications: readonly Publication[],
    changedAt: number | undefined,
    ms: number,
  ): void {
    for (const { version, cause } of publications) {
      this.log.info("change read", {
        zone: formatName(version.apex),
        serial: version.serial,
        cause,
        committed: changedAt === undefined ? undefined : new Date(changedAt).toISOString(),
        ms,
      });
    }
  }

  /** @param ms  from the start of the read to now */
  published(publications: readonly Publication[], read: DueRead, ms: number): void {
    for (const { version, diff, cause } of publications) {
      this.log.info("zone published", {
        zone: formatName(version.apex),
        serial: version.serial,
        records: version.records,
        added: diff?.added.count ?? version.records,
        removed: diff?.removed.count ?? 0,
        cause,
        ms,
      });
    }
    if (read.reason === "proof" && publications.length > 0) {
      this.log.warn("the regular full read found changes that nothing had told of", {
        zones: publications.length,
        hint: "look for tables without triggers, or session_replication_role = replica",
      });
    }
  }
}
