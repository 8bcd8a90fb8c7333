/**
 * Serials that an operator has raised: asked for at any time, carried out by the
 * primary's loop between two reads, because it alone writes a zone.
 *
 * Owns: the requests that wait.
 */
import { formatName, type Name, type Serial, ZonecastError } from "../dns/mod.ts";
import type { Publication } from "../store/mod.ts";
import { raisedVersion, raiseStep, type ZoneTable } from "../zone/mod.ts";

/** What became of a request. */
export interface Raised {
  /** The serial before. */
  readonly from: Serial;
  /** The serial served now; the same where it was above already. */
  readonly serial: Serial;
  /** False where RFC 1982 lets no single step lead there: this was the first of two. */
  readonly isAbove: boolean;
}

/** A serial cannot be raised. */
export class RaiseError extends ZonecastError {
  override readonly name = "RaiseError";
}

interface Request {
  readonly apex: Name;
  readonly above: Serial;
  resolve(raised: Raised): void;
  reject(error: unknown): void;
}

export class Raising {
  #waiting: Request[] = [];
  #closed = false;

  /** Whether requests wait. */
  get isAsked(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Asks for a zone's serial to be raised above another.
   *
   * @throws {ZonecastError} the zone is not served, or the state file cannot keep it
   */
  ask(apex: Name, above: Serial): Promise<Raised> {
    const { promise, resolve, reject } = Promise.withResolvers<Raised>();
    if (this.#closed) reject(stopping());
    else this.#waiting.push({ apex, above, resolve, reject });
    return promise;
  }

  /**
   * Carries out what waits; a request that fails is told so, and nobody else.
   *
   * @param publish  makes a publication durable, visible and announced
   */
  async carryOut(
    zones: ZoneTable,
    nowMs: () => number,
    publish: (publication: Publication) => Promise<void>,
  ): Promise<void> {
    for (const { apex, above, resolve, reject } of this.#waiting.splice(0)) {
      try {
        const previous = zones.get(apex);
        if (!previous) throw notServed(apex);
        const from = previous.serial;
        const step = raiseStep(from, above);
        if (step.kind === "above") {
          resolve({ from, serial: from, isAbove: true });
          continue;
        }
        const { version, diff } = raisedVersion(previous, step.serial);
        await publish({ version, previous, diff, cause: "serial", publishedAt: nowMs() });
        resolve({ from, serial: step.serial, isAbove: step.kind === "raise" });
      } catch (error) {
        reject(error);
      }
    }
  }

  /** Refuses what waits and all that comes. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(stopping());
  }
}

function stopping(): RaiseError {
  return new RaiseError("stopping", "The server is stopping", "ask again when it runs");
}

function notServed(apex: Name): RaiseError {
  const zone = formatName(apex);
  return new RaiseError(
    "zone-not-published",
    `The zone ${zone} is not published`,
    `its first version lies above --serial-floor: zonecast zone set ${zone} --serial-floor SERIAL`,
  );
}
