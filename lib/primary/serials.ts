/**
 * What the next serial of a zone must be above, beyond the one it has.
 *
 * Owns: what secondaries were seen to have ahead of us, and which zones none of
 * them has confirmed since the start. Effects: asks secondaries, logs.
 */
import {
  addSerial,
  compareSerials,
  formatName,
  isAhead,
  type Name,
  type Serial,
} from "../dns/mod.ts";
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

/** What a zone's next serial must be above. */
export interface Floors {
  /** A version is due where one of these is ahead of the zone's serial. */
  readonly floors: readonly Serial[];
  /** These count only when there is a version anyway. */
  readonly ifChanged: readonly Serial[];
}

const NO_FLOORS: Floors = { floors: [], ifChanged: [] };

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
  /** What was logged of secondaries that are ahead: apex key → secondary → its serial. */
  readonly #alarms = new Map<string, Map<string, Serial>>();
  /** Zones as the state file had them: not published since the start; by apex key. */
  readonly #restored = new Set<string>();
  /** What was last read of the serials written back of {@link #restored} zones, by apex key. */
  readonly #written = new Map<string, Serial>();
  /** Floors chosen for restored zones because no secondary answered, by apex key. */
  readonly #jumps = new Map<string, Serial>();
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

  /**
   * Begins to ask what secondaries have of zones that are not served, so that it is known when
   * their records are read; yields after each as a place to pause.
   */
  *askAhead(apexes: Iterable<Name>): Generator<undefined, void> {
    for (const apex of apexes) {
      this.#floors.prepare(apex);
      yield;
    }
  }

  /** Has nothing built again any more. */
  close(): void {
    this.#floors.close();
  }

  /** Whether a zone waits to be raised. */
  mustRaise(apexKey: string): boolean {
    return this.#raises.has(apexKey);
  }

  /** Whether any does. */
  get mustRaiseAny(): boolean {
    return this.#raises.size > 0;
  }

  published({ apex, apexKey, serial }: ZoneVersion): void {
    const raise = this.#raises.get(apexKey);
    // One that was built before the raise became known does not pass it.
    if (raise !== undefined && isAhead(serial, raise)) this.#raises.delete(apexKey);
    this.#retired.delete(apexKey);
    this.#restored.delete(apexKey);
    this.#written.delete(apexKey);
    const jump = this.#jumps.get(apexKey);
    this.#jumps.delete(apexKey);
    if (jump !== undefined && isAhead(serial, jump)) {
      this.#options.log.error("no secondary answered with its serial: going on far above ours", {
        zone: formatName(apex),
        serial,
        hint: "the state file may be an old copy; of later versions none is given again",
      });
    }
  }

  retired({ apex, apexKey, serial }: ZoneVersion): void {
    this.#retired.set(apexKey, serial);
    if (this.#retired.size > MAX_RETIRED) this.#retired.delete(this.#retired.keys().next().value!);
    this.#raises.delete(apexKey);
    this.#unproven.delete(apexKey);
    this.#alarms.delete(apexKey);
    this.#jumps.delete(apexKey);
    this.#restored.delete(apexKey);
    this.#written.delete(apexKey);
    this.#floors.forget(apex);
  }

  /**
   * A secondary has a serial of a zone. Ahead of ours it would take nothing more:
   * a zone that not all have confirmed since the start (the state file may have been
   * restored) is raised above it; later that is an operator's decision, and so is
   * one that RFC 1982 calls neither ahead nor behind.
   */
  seen(current: ZoneVersion, secondary: string, serial: Serial): void {
    const { changed, log, watched } = this.#options;
    const { apex, apexKey } = current;
    const order = compareSerials(serial, current.serial);
    if (order === 0 || order === -1) {
      const confirmed = this.#unproven.get(apexKey)?.add(secondary);
      if (confirmed && confirmed.size >= watched) this.#unproven.delete(apexKey);
      this.#alarms.get(apexKey)?.delete(secondary);
      return;
    }
    if (this.#raises.get(apexKey) === serial) return;
    const zone = formatName(apex);
    const fields = { zone, secondary, theirs: serial, ours: current.serial };
    if (order === 1 && this.#unproven.has(apexKey)) {
      log.warn("a secondary is ahead of the state file: raising the serial above it", fields);
      this.#raises.set(apexKey, serial);
      changed(apex);
      return;
    }
    const alarms = this.#alarms.get(apexKey) ?? new Map<string, Serial>();
    this.#alarms.set(apexKey, alarms);
    if (alarms.get(secondary) === serial) return; // told when it was first seen
    alarms.set(secondary, serial);
    const hint = `zonecast serial ${zone} --above ${serial}`;
    log.error("a secondary is ahead of us and takes no changes", { ...fields, hint });
  }

  /**
   * What a zone's next serial must be above; undefined while that is not known.
   * A zone without a version begins above what its secondaries have, and so does
   * one of a state file that may be an old copy, when its next serial is one that
   * the lost versions may have had: they are asked first, in the background.
   */
  floorsOf(
    build: ZoneBuild,
    previous: ZoneVersion | undefined,
    reading: Reading,
    nowMs: number,
  ): Floors | undefined {
    const { serialFloor, log } = this.#options;
    const { apex, apexKey, settings } = build;
    const floors = present([serialFloor, this.#raises.get(apexKey)]);
    const written = this.#writtenBack(apexKey, reading.publishedSerials?.get(settings.name));
    if (previous) {
      const taken = this.#taken(previous, written, nowMs);
      const lost = this.#lost(previous, written);
      return taken && { ...taken, floors: [...floors, ...taken.floors, ...lost] };
    }
    const known = present([...floors, settings.serialFloor, written, this.#retired.get(apexKey)]);
    const isChosen = settings.serialFloor !== null || serialFloor !== undefined;
    const verdict = this.#floors.verdict(apex, known, isChosen);
    switch (verdict.kind) {
      case "asking":
        return undefined;
      case "known":
        return { floors: verdict.floors, ifChanged: [] };
      case "unanswered":
        log.error("no secondary answered with its serial: starting far above the time", {
          zone: formatName(apex),
          hint: "a secondary that has a serial ahead of ours is passed as soon as it answers",
        });
        this.#unproven.set(apexKey, new Set());
        return { floors: [jumpFloor(known, nowMs, verdict.jump)], ifChanged: [] };
      case "incomparable":
        build.problems.push(incomparableProblem(apex, verdict.serials));
        this.#floors.forget(apex); // the next build asks again
        return undefined;
    }
  }

  /**
   * The serials that secondaries have of a restored zone, where the next might be
   * one of them with other content; undefined while they are being asked. None
   * where the next is the time, which no lost version had, nor where what was
   * written back shows that no version is lost. Where nobody knows, the next is
   * far above what may be lost.
   */
  #taken(
    { apex, apexKey, serial }: ZoneVersion,
    written: Serial | undefined,
    nowMs: number,
  ): Floors | undefined {
    if (!this.#restored.has(apexKey)) return NO_FLOORS;
    const { policy } = this.#options;
    if (policy === "unixtime" && isAhead(nextSerial(policy, undefined, nowMs), serial)) {
      return NO_FLOORS;
    }
    const verdict = this.#floors.verdict(apex, [], false);
    switch (verdict.kind) {
      case "asking":
        return undefined;
      case "unanswered": {
        const hasConfirmed = this.#unproven.get(apexKey)?.size !== 0; // one answered later
        if (hasConfirmed || written === serial) return NO_FLOORS;
        const floor = addSerial(serial, verdict.jump);
        this.#jumps.set(apexKey, floor);
        return { floors: [], ifChanged: [floor] };
      }
      case "known":
        return { floors: verdict.floors, ifChanged: [] };
      case "incomparable":
        return { floors: verdict.serials, ifChanged: [] };
    }
  }

  /** The serial written back, now or, of a restored zone, when it was last read. */
  #writtenBack(apexKey: string, read: Serial | undefined): Serial | undefined {
    if (read !== undefined && this.#restored.has(apexKey)) this.#written.set(apexKey, read);
    return read ?? this.#written.get(apexKey);
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
