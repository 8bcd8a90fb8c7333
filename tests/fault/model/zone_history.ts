/**
 * Which versions of a zone there may be: zonecast may publish at any commit and pass others over,
 * but what it publishes is the zone at one commit, never a mixture of two. Pure.
 */
import { type BadRows, judge, type Served, type Verdict, type ZoneRows } from "./verdicts.ts";

/** A version that a client was given. */
export interface SeenVersion {
  readonly serial: number;
  /** {@link Served.text}. */
  readonly text: string;
}

/** A place in the history: after so many commits, with this being served. */
interface Place {
  readonly commit: number;
  readonly served: Served | undefined;
}

const textOf = (served: Served | undefined) => served?.text ?? "";

export class ZoneHistory {
  /** The zone at each commit that touched it, since it was last known what is served. */
  readonly #commits: (ZoneRows | undefined)[] = [];
  /** The zone as it is in the tables. */
  #last: ZoneRows | undefined;
  #places: Place[];
  #badRows: BadRows = "keep";

  constructor(known: Served | undefined) {
    this.#places = [{ commit: -1, served: known }];
  }

  committed(zone: ZoneRows | undefined): void {
    this.#commits.push(zone);
    this.#last = zone;
  }

  /** All places that can follow from those there are, themselves among them. */
  #reachable(): Place[] {
    const found = new Map<string, Place>();
    const add = (place: Place) => {
      const key = `${place.commit} ${textOf(place.served)}`;
      if (!found.has(key)) found.set(key, place);
    };
    this.#places.forEach(add);
    // A map goes on to what is added meanwhile.
    for (const { commit, served } of found.values()) {
      for (let next = commit + 1; next < this.#commits.length; next++) {
        add({ commit: next, served: judge(this.#commits[next], served, this.#badRows).served });
      }
    }
    return [...found.values()];
  }

  /**
   * Takes the versions a client saw, in the order of their serials.
   *
   * @throws {Error} one is no state that was ever committed, or comes before one seen earlier
   */
  saw(zone: string, versions: readonly SeenVersion[]): void {
    for (const { serial, text } of versions) {
      const reachable = this.#reachable();
      this.#places = reachable.filter((place) => textOf(place.served) === text);
      if (this.#places.length > 0) continue;
      const possible = [...new Set(reachable.map(({ served }) => textOf(served)))];
      throw new Error(
        `${zone} was served with serial ${serial} as it never was committed:\n` +
          `${text}\n--- it may have been:\n${possible.join("\n--- or:\n")}`,
      );
    }
  }

  /** What may become of the zone once the last commit is read. */
  finals(): Verdict[] {
    return this.#reachable().map(({ served }) => judge(this.#last, served, this.#badRows));
  }

  /** All that may be served until then, as {@link Served.text}; "" where it is not. */
  texts(): Set<string> {
    return new Set(this.#reachable().map(({ served }) => textOf(served)));
  }

  /** The server was started with another `--bad-rows`: what was read before is judged by it, too. */
  judgedBy(badRows: BadRows): void {
    this.#places = this.#reachable();
    this.#commits.push(this.#last);
    this.#badRows = badRows;
  }

  /** Begins anew: it is known what is served. */
  known(served: Served | undefined): void {
    this.#commits.length = 0;
    this.#places = [{ commit: -1, served }];
  }
}
