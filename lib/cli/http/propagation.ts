/**
 * How long changes take: from the commit until they are published, announced, live.
 *
 * Owns: the versions that not every secondary has shown yet, a bounded number. Times are of the
 * monotonic clock, in ms, so that no clock that is set changes them.
 */
import { canonicalKey, compareSerials, type Serial } from "../../dns/mod.ts";
import type { SecondaryEvent } from "../../server/mod.ts";
import type { Reading } from "../../source/mod.ts";
import type { Publication } from "../../store/mod.ts";
import type { ZoneVersion } from "../../zone/mod.ts";

/** Told of each time that was measured, in seconds. */
export interface Stopwatch {
  /** Records added and removed, and how long the newest change waited; undefined where that is not known. */
  published(zone: ZoneVersion, changes: { added: number; removed: number }, s?: number): void;
  notified(secondary: string, s: number): void;
  live(secondary: string, s: number): void;
}

/** A version on its way. */
interface UnderWay {
  readonly serial: Serial;
  /** When its newest change was made. */
  readonly changedTick: number;
  /** Secondaries it has not been announced to, and that do not show it. */
  readonly unnotified: Set<string>;
  readonly unseen: Set<string>;
}

/** Versions of one zone under way: while a secondary is away the oldest are forgotten. */
const MAX_OF_ZONE = 32;
/** Versions under way in all; further ones are not timed. */
const MAX_VERSIONS = 50_000;
/** Zones whose NOTIFY may leave before the publication is told of here. */
const MAX_EARLY = 1_000;

/** Secondaries by what can be measured of them. */
export interface Measured {
  /** Names of those that are sent NOTIFY. */
  readonly notified: readonly string[];
  /** Names of those that are watched. */
  readonly watched: readonly string[];
}

export class Propagation {
  readonly #measured: Measured;
  readonly #stopwatch: Stopwatch;
  /** By apex key, oldest first. */
  readonly #underWay = new Map<string, UnderWay[]>();
  /** NOTIFY goes the moment a version is visible, which may be before this is told: apex key → what went. */
  readonly #early = new Map<string, { serial: Serial; at: Map<string, number> }>();
  #versions = 0;

  constructor(measured: Measured, stopwatch: Stopwatch) {
    this.#measured = measured;
    this.#stopwatch = stopwatch;
  }

  /** A version has become durable and visible. */
  published(
    { version, diff }: Publication,
    { changedTick }: Pick<Reading, "changedTick">,
    tick = performance.now(),
  ): void {
    const { apexKey, serial } = version;
    const changes = {
      added: diff?.added.count ?? version.records,
      removed: diff?.removed.count ?? 0,
    };
    if (changedTick === undefined) return this.#stopwatch.published(version, changes);
    this.#stopwatch.published(version, changes, seconds(changedTick, tick));
    const { notified, watched } = this.#measured;
    if (this.#versions >= MAX_VERSIONS || notified.length + watched.length === 0) return;
    const versions = this.#underWay.get(apexKey) ?? [];
    this.#underWay.set(apexKey, versions);
    versions.push({
      serial,
      changedTick,
      unnotified: new Set(notified),
      unseen: new Set(watched),
    });
    this.#versions++;
    if (versions.length > MAX_OF_ZONE) this.#forget(apexKey, versions, 1);
    const early = this.#early.get(apexKey);
    this.#early.delete(apexKey);
    if (early?.serial !== serial) return;
    for (const [secondary, at] of early.at) this.#sent(secondary, version, at);
  }

  /** A NOTIFY has gone to a secondary. */
  notified(secondary: string, version: ZoneVersion, tick = performance.now()): void {
    const { apexKey, serial } = version;
    const newest = this.#underWay.get(apexKey)?.at(-1);
    if (newest && hasReached(newest.serial, serial)) return this.#sent(secondary, version, tick);
    let early = this.#early.get(apexKey);
    if (early?.serial !== serial) this.#early.set(apexKey, early = { serial, at: new Map() });
    if (!early.at.has(secondary)) early.at.set(secondary, tick);
    if (this.#early.size > MAX_EARLY) this.#early.delete(this.#early.keys().next().value!);
  }

  /** A secondary's standing has changed. */
  secondary({ zone, secondary, serial, state }: SecondaryEvent, tick = performance.now()): void {
    if (state !== "live" || serial === undefined) return;
    const apexKey = canonicalKey(zone);
    const versions = this.#underWay.get(apexKey) ?? [];
    for (const version of versions) {
      if (!hasReached(serial, version.serial) || !version.unseen.delete(secondary)) continue;
      this.#stopwatch.live(secondary, seconds(version.changedTick, tick));
    }
    this.#forgetDone(apexKey, versions);
  }

  /** Forgets a zone that is served no more. */
  retire(apexKey: string): void {
    this.#early.delete(apexKey);
    const versions = this.#underWay.get(apexKey);
    if (versions) this.#forget(apexKey, versions, versions.length);
  }

  /** Versions that are not live everywhere yet, as far as they are known. */
  get underWay(): number {
    return this.#versions;
  }

  #sent(secondary: string, { apexKey, serial }: ZoneVersion, tick: number): void {
    const versions = this.#underWay.get(apexKey) ?? [];
    for (const version of versions) {
      if (!hasReached(serial, version.serial) || !version.unnotified.delete(secondary)) continue;
      this.#stopwatch.notified(secondary, seconds(version.changedTick, tick));
    }
    this.#forgetDone(apexKey, versions);
  }

  /** The oldest are done first: a serial that is shown covers all before it. */
  #forgetDone(apexKey: string, versions: UnderWay[]): void {
    const open = versions.findIndex(({ unnotified, unseen }) => unnotified.size + unseen.size > 0);
    this.#forget(apexKey, versions, open < 0 ? versions.length : open);
  }

  #forget(apexKey: string, versions: UnderWay[], count: number): void {
    versions.splice(0, count);
    this.#versions -= count;
    if (versions.length === 0) this.#underWay.delete(apexKey);
  }
}

function seconds(from: number, to: number): number {
  return Math.max(0, to - from) / 1000;
}

/** Whether a server at the one serial has the other's version (RFC 1982). */
function hasReached(serial: Serial, wanted: Serial): boolean {
  const order = compareSerials(serial, wanted);
  return order === 0 || order === 1;
}
