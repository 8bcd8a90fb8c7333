/**
 * What the next serial of a zone must be above, beyond the one it has.
 *
 * Owns: what secondaries were seen to have ahead of us, and which zones none of
 * them has confirmed since the start. Effects: asks secondaries, logs.
 */
import { formatName, isAhead, type Name, type Serial } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import type { Reading } from "../source/mod.ts";
import {
  incomparableProblem,
  jumpFloor,
  nextSerial,
  SerialFloors,
  type SerialPolicy,
  type ZoneBuild,
  type ZoneVersion,
} from "../zone/mod.ts";
import type { Announcer } from "./parts.ts";

/** Removed zones whose last serial is remembered; of more, the first removed is forgotten. */
const MAX_RETIRED = 10_000;

export interface SerialGuardOptions {
  readonly announcer: Announcer;
  /** How many secondaries are watched. */
  readonly watched: number;
  readonly policy: SerialPolicy;
  /** No zone gets a serial at or below this one; undefined without. */
  readonly serialFloor: Serial | undefined;
  readonly log: Logger;
  /** Called when a zone that waited for its floor, or must be raised, is to be built again. */
  readonly changed: (apex: Name) => void;
}

export class SerialGuard {
  readonly #options: SerialGuardOptions;
  readonly #floors: SerialFloors;
  /** Serials that secondaries have and we must pass, by apex key. */
  readonly #raises = new Map<string, Serial>();
  /**
   * Zones whose serial not all watched secondaries have confirmed since the start:
   * apex key → those that have.
   */
  readonly #unproven = new Map<string, Set<string>>();
  /** Zones as the state file had them: not published since the start; by apex key. */
  readonly #restored = new Set<string>();
  /** The last serials of zones removed since the start, by apex key: one made again is above it. */
  readonly #retired = new Map<string, Serial>();

  constructor(options: SerialGuardOptions) {
    this.#options = options;
    const { announcer } = options;
    this.#floors = new SerialFloors(announcer.serials?.bind(announcer), options.changed);
  }

  /** A version came from the state file, which may have been restored from an old copy. */
  restored(version: ZoneVersion): void {
    this.#unproven.set(version.apexKey, new Set());
    this.#restored.add(version.apexKey);
  }

  /** Whether a zone waits to be raised. */
  mustRaise(apexKey: string): boolean {
    return this.#raises.has(apexKey);
  }

  /** Whether any does. */
  get mustRaiseAny(): boolean {
    return this.#raises.size > 0;
  }

  published({ apexKey, serial }: ZoneVersion): void {
    const raise = this.#raises.get(apexKey);
    // One that was built before the raise became known does not pass it.
    if (raise !== undefined && isAhead(serial, raise)) this.#raises.delete(apexKey);
    this.#retired.delete(apexKey);
    this.#restored.delete(apexKey);
  }

  retired({ apex, apexKey, serial }: ZoneVersion): void {
    this.#retired.set(apexKey, serial);
    if (this.#retired.size > MAX_RETIRED) this.#retired.delete(this.#retired.keys().next().value!);
    this.#raises.delete(apexKey);
    this.#unproven.delete(apexKey);
    this.#restored.delete(apexKey);
    this.#floors.forget(apex);
  }

  /**
   * A secondary has a serial of a zone. Ahead of ours it would take nothing more:
   * a zone that not all have confirmed since the start (the state file may have been
   * restored) is raised above it; later that is an operator's decision.
   */
  seen(current: ZoneVersion, secondary: string, serial: Serial): void {
    const { log, changed, watched } = this.#options;
    const { apex, apexKey } = current;
    if (!isAhead(serial, current.serial)) {
      const confirmed = this.#unproven.get(apexKey)?.add(secondary);
      if (confirmed && confirmed.size >= watched) this.#unproven.delete(apexKey);
      return;
    }
    if (this.#raises.get(apexKey) === serial) return;
    const zone = formatName(apex);
    const fields = { zone, secondary, theirs: serial, ours: current.serial };
    if (this.#unproven.has(apexKey)) {
      log.warn("a secondary is ahead of the state file: raising the serial above it", fields);
      this.#raises.set(apexKey, serial);
      changed(apex);
    } else {
      const hint = `zonecast zone set ${zone} --serial-floor ${serial}`;
      log.error("a secondary is ahead of us and takes no changes", { ...fields, hint });
    }
  }

  /**
   * The serials a zone's next must be above; undefined while that is not known.
   * A zone without a version begins above what its secondaries have, and so does
   * one of a state file that may be an old copy, when its next serial is one that
   * the lost versions may have had: they are asked first, in the background.
   */
  floorsOf(
    build: ZoneBuild,
    previous: ZoneVersion | undefined,
    reading: Reading,
    nowMs: number,
  ): Serial[] | undefined {
    const { serialFloor, log } = this.#options;
    const { apex, apexKey, settings } = build;
    const floors = present([serialFloor, this.#raises.get(apexKey)]);
    const written = reading.publishedSerials?.get(settings.name);
    if (previous) {
      const taken = this.#taken(previous, nowMs);
      return taken && [...floors, ...taken, ...this.#lost(previous, written)];
    }
    const known = present([...floors, settings.serialFloor, written, this.#retired.get(apexKey)]);
    const isChosen = settings.serialFloor !== null || serialFloor !== undefined;
    const verdict = this.#floors.verdict(apex, known, isChosen);
    switch (verdict.kind) {
      case "asking":
        return undefined;
      case "known":
        return [...verdict.floors];
      case "unanswered":
        log.error("no secondary answered with its serial: starting far above the time", {
          zone: formatName(apex),
          hint: "a secondary that has a serial ahead of ours is passed as soon as it answers",
        });
        this.#unproven.set(apexKey, new Set());
        return [jumpFloor(known, nowMs, verdict.jump)];
      case "incomparable":
        build.problems.push(incomparableProblem(apex, verdict.serials));
        this.#floors.forget(apex); // the next build asks again
        return undefined;
    }
  }

  /**
   * The serials that secondaries have of a restored zone, where the next might be
   * one of them with other content; undefined while they are being asked. None
   * where the next is the time, which no lost version had.
   */
  #taken({ apex, apexKey, serial }: ZoneVersion, nowMs: number): readonly Serial[] | undefined {
    if (!this.#restored.has(apexKey)) return [];
    const { policy } = this.#options;
    if (policy === "unixtime" && isAhead(nextSerial(policy, undefined, nowMs), serial)) return [];
    const verdict = this.#floors.verdict(apex, [], false);
    switch (verdict.kind) {
      case "asking":
        return undefined;
      case "unanswered":
        return [];
      case "known":
        return verdict.floors;
      case "incomparable":
        return verdict.serials;
    }
  }

  /** The serial written back, where it is ahead of what the state file, an old copy, has. */
  #lost({ apex, apexKey, serial }: ZoneVersion, written: Serial | undefined): Serial[] {
    if (written === undefined || !this.#restored.has(apexKey)) return [];
    if (!isAhead(written, serial)) return [];
    this.#options.log.warn("the state file is older than what was published: going on above it", {
      zone: formatName(apex),
      published: written,
      ours: serial,
    });
    return [written];
  }
}

function present(serials: readonly (Serial | undefined | null)[]): Serial[] {
  return serials.filter((serial) => serial !== undefined && serial !== null);
}
