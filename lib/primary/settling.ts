/**
 * Which zones need not be built though nothing was read of them: they are served
 * as the source has them.
 *
 * Owns: the settings each zone was last built with.
 */
import type { Reading } from "../source/mod.ts";
import { type BuildSettings, equalSettings, type ZoneBuild } from "../zone/mod.ts";
import type { SerialGuard } from "./serials.ts";
import type { Waiting } from "./waiting.ts";

export class Settling {
  /** The settings each zone was last built with, served or not, by its apex's key. */
  readonly #built = new Map<string, BuildSettings>();
  /** The source's zones that all were looked at: built, or found built, or gone. */
  #zones: readonly BuildSettings[] | undefined;

  /** @param readAgain  has a zone looked at again, with whatever waits of it */
  constructor(
    readonly waiting: Waiting,
    readonly serials: SerialGuard,
    readonly readAgain: (apexKey: string) => void,
  ) {}

  /** Zones were built, and what came of it is durable. */
  built(builds: readonly ZoneBuild[]): void {
    for (const { apexKey, settings } of builds) this.#built.set(apexKey, settings);
  }

  /** A zone is no longer served. */
  retired(apexKey: string): void {
    this.#built.delete(apexKey);
  }

  /** Whether the zones of a reading are those that all were looked at. */
  areLookedAt({ zones }: Reading): boolean {
    return this.#zones === zones;
  }

  /** All zones of a reading were looked at. */
  lookedAt({ zones }: Reading): void {
    this.#zones = zones;
  }

  /** Whether no zone need be built but those of which something was read. */
  areAllSettled(reading: Reading): boolean {
    return this.areLookedAt(reading) && this.waiting.pending.size === 0 &&
      !this.serials.mustRaiseAny;
  }

  /** Whether a zone of which nothing was read need not be built. */
  isSettled(apexKey: string, settings: BuildSettings): boolean {
    const asBuilt = equalSettings(this.#built.get(apexKey), settings);
    if (!this.waiting.pending.has(settings.name)) {
      return asBuilt && !this.serials.mustRaise(apexKey);
    }
    // Without what waits of it, it would be judged by what is served.
    if (!asBuilt) this.readAgain(apexKey);
    return true;
  }
}
