/** Whether what was sampled stayed flat. Pure. */
import { percentile } from "../support/process_figures.ts";
import type { Sample } from "./samples.ts";

/** One thing that must hold. */
export interface Verdict {
  readonly what: string;
  /** As printed. */
  readonly seen: string;
  readonly bound: string;
  readonly good: boolean;
}

export const MIB = 1024 ** 2;

/** A soak shorter than this is over while the heap still finds its size: only gross growth shows. */
const LONG_S = 480;
/** What memory may grow by beside a tenth, octets. */
const RSS_SLACK = { long: 16 * MIB, short: 96 * MIB };
/** What delays may grow by beside doubling, ms, without what others took of the processor. */
const DELAY_SLACK_MS = { long: 20, short: 100 };

/** Where in a quarter's values one is judged. */
interface Place {
  readonly name: string;
  readonly share: number;
}
const MEDIAN: Place = { name: "median", share: 0.5 };
/** What else the machine does makes delays longer, never shorter. */
const LOWER_QUARTILE: Place = { name: "lower quartile", share: 0.25 };

/** Bounds what a figure is in the last quarter by what it was in the second. */
function flat(
  samples: readonly Sample[],
  what: string,
  { name, share }: Place,
  figure: (sample: Sample) => number,
  bounded: (second: number) => number,
  format: (value: number) => string,
): Verdict {
  const quarter = (begin: number) => {
    const [from, to] = [begin, begin + 0.25].map((at) => Math.floor(samples.length * at));
    const values = samples.slice(from, to).map(figure).filter((value) => !Number.isNaN(value));
    return percentile(values, share);
  };
  const [second, last] = [quarter(0.25), quarter(0.75)];
  const bound = bounded(second);
  return {
    what: `${what}: ${name} of the last quarter`,
    seen: format(last),
    bound: `${format(bound)} (second quarter: ${format(second)})`,
    good: last <= bound,
  };
}

/** A delay as it would be had nobody else taken the processor. */
function own(delay: "answerP99" | "loopDelay"): (sample: Sample) => number {
  return (sample) => sample[delay] / sample.slowdown;
}

/** @param samples  one a second, in their order */
export function flatness(samples: readonly Sample[]): Verdict[] {
  const seconds = samples.length === 0 ? 0 : samples[samples.length - 1].at;
  const length = seconds >= LONG_S ? "long" : "short";
  const rss = (second: number) => 1.1 * second + RSS_SLACK[length];
  const delay = (second: number) => 2 * second + DELAY_SLACK_MS[length];
  const count = (value: number) => value.toFixed(0);
  return [
    flat(samples, "RSS", MEDIAN, ({ rss }) => rss, rss, formatMib),
    flat(
      samples,
      "descriptors",
      MEDIAN,
      (sample) => sample.descriptors,
      (n) => 1.1 * n + 16,
      count,
    ),
    flat(samples, "SOA p99", LOWER_QUARTILE, own("answerP99"), delay, formatMs),
    flat(samples, "loop delay", LOWER_QUARTILE, own("loopDelay"), delay, formatMs),
  ];
}

function formatMs(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function formatMib(octets: number): string {
  return `${(octets / MIB).toFixed(1)} MiB`;
}
