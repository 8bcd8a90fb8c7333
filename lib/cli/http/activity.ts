/**
 * What happened in the last hour and day, for the plots of the status page.
 *
 * Owns: a bounded number of figures, whatever happens: 156 slots, in each a few numbers and, for
 * every secondary with changes in it, how long these took (280 octets).
 */
import { formatName } from "../../dns/mod.ts";
import { type JsonObject, Quantiles, TimeRing } from "../../ops/mod.ts";
import type { ServerFigures } from "../../server/mod.ts";
import type { ZoneVersion } from "../../zone/mod.ts";

/** Publications listed. */
const RECENT = 50;
/** Secondaries whose times are kept. */
const MAX_TIMED = 100;

/** What is counted in a slot. */
const COUNTED = ["versions", "added", "removed", "axfr", "ixfr", "broken", "questions"] as const;
type Counted = typeof COUNTED[number];

interface Moment {
  readonly counts: Record<Counted, number>;
  /** Times from commit to live, by secondary. */
  readonly live: Map<string, Quantiles>;
}

function emptyMoment(): Moment {
  const counts = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Moment["counts"];
  return { counts, live: new Map() };
}

/** A publication, as the page lists it. */
export interface RecentPublication extends JsonObject {
  readonly zone: string;
  readonly serial: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly added: number;
  readonly removed: number;
  /** From the commit until it was published; absent where the source does not stamp changes. */
  readonly seconds?: number;
}

/** Which plots. */
export type Span = "hour" | "day";

export class Activity {
  readonly #rings: Record<Span, TimeRing<Moment>> = {
    hour: new TimeRing(60, 60_000, emptyMoment),
    day: new TimeRing(96, 15 * 60_000, emptyMoment),
  };
  readonly #recent: RecentPublication[] = [];
  #sampled: Record<Exclude<Counted, "versions" | "added" | "removed">, number> | undefined;

  published(
    { apex, serial }: ZoneVersion,
    { added, removed }: { added: number; removed: number },
    seconds: number | undefined,
  ): void {
    this.#count("versions", 1);
    this.#count("added", added);
    this.#count("removed", removed);
    const zone = formatName(apex);
    this.#recent.unshift({ zone, serial, at: Date.now(), added, removed, seconds });
    if (this.#recent.length > RECENT) this.#recent.pop();
  }

  live(secondary: string, seconds: number): void {
    for (const ring of Object.values(this.#rings)) {
      const { live } = ring.at();
      let spread = live.get(secondary);
      if (!spread && live.size < MAX_TIMED) live.set(secondary, spread = new Quantiles());
      spread?.add(seconds);
    }
  }

  /** Counts what the server has done since the last look. */
  sample({ counts, transferCounts: { axfr, ixfr } }: ServerFigures): void {
    const now = {
      axfr: axfr.sent,
      ixfr: ixfr.sent,
      broken: axfr.broken + ixfr.broken,
      questions: counts.udpQueries + counts.tcpQueries + counts.tlsQueries,
    };
    const before = this.#sampled ?? { axfr: 0, ixfr: 0, broken: 0, questions: 0 };
    this.#sampled = now;
    for (const name of Object.keys(now) as (keyof typeof now)[]) {
      if (now[name] > before[name]) this.#count(name, now[name] - before[name]);
    }
  }

  /** The newest first. */
  get recent(): readonly RecentPublication[] {
    return this.#recent;
  }

  /** What there is to plot: of each slot, oldest first, null where nothing happened. */
  plots(span: Span, secondaries: readonly string[]): JsonObject {
    const ring = this.#rings[span];
    const slots = ring.list();
    const counts = COUNTED.map((name) => [
      name,
      slots.map((slot) => slot ? slot.value.counts[name] : null),
    ]);
    const live = secondaries.slice(0, MAX_TIMED).map((name) => {
      const all = new Quantiles();
      const each = slots.map((slot) => slot?.value.live.get(name));
      for (const spread of each) if (spread) all.addAll(spread);
      return {
        name,
        count: all.count,
        p50: all.at(0.5),
        p95: all.at(0.95),
        slots: each.map((spread) => spread ? [spread.at(0.5)!, spread.at(0.95)!] : null),
      };
    });
    return { span, slotMs: ring.slotMs, slots: ring.count, ...Object.fromEntries(counts), live };
  }

  #count(name: Counted, count: number): void {
    for (const ring of Object.values(this.#rings)) ring.at().counts[name] += count;
  }
}
