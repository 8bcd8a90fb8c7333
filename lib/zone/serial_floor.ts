/**
 * Above which serial a zone must begin of which no version is kept: the state
 * file is new, lost or restored, but secondaries may still have the zone.
 *
 * Owns: the questions under way and their answers, per zone, and a timer. Effects: asks
 * through the function it is given. Spec: RFC 1982 (the maximum of serials may
 * not exist).
 */
import { addSerial, compareSerials, formatName, type Name, type Serial } from "../dns/mod.ts";
import { type Problem, zoneProblem } from "./problem.ts";

/** What secondaries said when asked for a zone's SOA. */
export interface SerialAnswers {
  /** Servers asked. */
  readonly asked: number;
  /** Servers that answered anything at all, a refusal included. */
  readonly answered: number;
  /** The serials of those that have the zone. */
  readonly serials: readonly Serial[];
}

/** Asks all watched secondaries for a zone's serial; bounded in time, never rejects. */
export type AskSerials = (apex: Name) => Promise<SerialAnswers>;

/** Where a zone may begin. */
export type FloorVerdict =
  /** The secondaries are being asked. */
  | { readonly kind: "asking" }
  | { readonly kind: "known"; readonly floors: readonly Serial[] }
  /** Nobody answered: begin this much above all that is known, and go on asking. */
  | { readonly kind: "unanswered"; readonly floors: readonly Serial[]; readonly jump: number }
  /** The serials have no maximum: an operator must choose. */
  | { readonly kind: "incomparable"; readonly serials: readonly Serial[] };

/** How far above all that is known a zone begins when no secondary answers. */
export const UNANSWERED_JUMP = 2 ** 16;

/**
 * Zones whose answers come within these, in ms, are told of together, while more than so many others
 * are asked about: each telling leads to a read.
 */
const GATHER_MS = 1_000;
const GATHER_FROM_ZONES = 50;

export class SerialFloors {
  readonly #answers = new Map<string, SerialAnswers | "asking">();
  /** Zones whose verdict was "asking", and still would be. */
  readonly #awaited = new Set<string>();
  /** Of those the ones whose verdict is no longer that, and was not told of yet. */
  #changed: Name[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param ask  undefined when there are no secondaries to ask
   * @param answered  called when the verdict for a zone is no longer that it is being asked about
   */
  constructor(readonly ask: AskSerials | undefined, readonly answered: (apex: Name) => void) {}

  /** Begins to ask about a zone, so that its verdict may be there when it is wanted. */
  prepare(apex: Name): void {
    if (this.ask) this.#answersFor(apex, keyOf(apex));
  }

  /**
   * The verdict for a zone; the first call begins to ask.
   *
   * @param known  floors from elsewhere: the last serial written back, an operator's
   * @param chosen  whether an operator gave a floor, which settles what has no maximum
   */
  verdict(apex: Name, known: readonly Serial[], chosen: boolean): FloorVerdict {
    if (!this.ask) return { kind: "known", floors: known };
    const key = keyOf(apex);
    const answers = this.#answersFor(apex, key);
    if (answers === "asking") {
      this.#awaited.add(key);
      return { kind: "asking" };
    }
    if (answers.asked > 0 && answers.answered === 0) {
      return { kind: "unanswered", floors: known, jump: UNANSWERED_JUMP };
    }
    const serials = [...known, ...answers.serials];
    if (maximum(serials) === undefined && serials.length > 0) {
      return chosen ? { kind: "known", floors: known } : { kind: "incomparable", serials };
    }
    return { kind: "known", floors: serials };
  }

  /** Forgets what was answered about a zone: the next verdict asks again. */
  forget(apex: Name): void {
    this.#answers.delete(keyOf(apex));
  }

  /** Tells of nothing more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#awaited.clear();
    this.#changed = [];
  }

  #answersFor(apex: Name, key: string): SerialAnswers | "asking" {
    const answers = this.#answers.get(key);
    if (answers !== undefined) return answers;
    this.#answers.set(key, "asking");
    this.ask!(apex).then((found) => {
      this.#answers.set(key, found);
      if (this.#awaited.delete(key)) this.#hasChanged(apex);
    });
    return "asking";
  }

  #hasChanged(apex: Name): void {
    this.#changed.push(apex);
    if (this.#awaited.size < GATHER_FROM_ZONES) this.#tell();
    else this.#timer ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changed = this.#changed;
    this.#changed = [];
    for (const apex of changed) this.answered(apex);
  }
}

function keyOf(apex: Name): string {
  return formatName(apex).toLowerCase();
}

/** The serial that none of the others is ahead of, or undefined when there is no such one. */
export function maximum(serials: readonly Serial[]): Serial | undefined {
  return serials.find((serial) =>
    serials.every((other) => {
      const order = compareSerials(serial, other);
      return order === 0 || order === 1;
    })
  );
}

/** A floor that leaves a jump's room above everything known and the time. */
export function jumpFloor(known: readonly Serial[], nowMs: number, jump: number): Serial {
  const now = Math.floor(nowMs / 1000) % 2 ** 32;
  return addSerial(maximum([...known, now]) ?? now, jump);
}

/** The problem of a zone whose secondaries have serials without a maximum. */
export function incomparableProblem(apex: Name, serials: readonly Serial[]): Problem {
  const zone = formatName(apex);
  return zoneProblem(zone, {
    type: "SOA",
    code: "serials-incomparable",
    reason: `the serials known for ${zone} (${serials.join(", ")}) have no greatest one (RFC 1982)`,
    hint: `choose one to go on above: zonecast zone set ${zone} --serial-floor ${serials[0]}`,
  });
}
