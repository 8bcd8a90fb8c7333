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

/** A soak shorter than this is over while the heap still finds its size. */
const LONG_S = 480;
/** What memory may grow by beside a tenth, octets: in a long soak, in a short one. */
const RSS_SLACK = { long: 8 * MIB, short: 48 * MIB };
/** What delays may grow by beside doubling, ms: the machine does other things too. */
const DELAY_SLACK_MS = 10;

/** The middle of a figure in the second quarter of the samples, and in the last. */
function quarters(samples: readonly Sample[], figure: (sample: Sample) => number) {
  const medianFrom = (share: number) => {
    const [from, to] = [share, share + 0.25].map((at) => Math.floor(samples.length * at));
    const values = samples.slice(from, to).map(figure).filter((value) => !Number.isNaN(value));
    return percentile(values, 0.5);
  };
  return { second: medianFrom(0.25), last: medianFrom(0.75) };
}

/** Bounds what the last quarter may be by what the second was. */
function flat(
  what: string,
  { second, last }: { readonly second: number; readonly last: number },
  bound: number,
  format: (value: number) => string,
): Verdict {
  return {
    what: `${what}, median of the last quarter`,
    seen: format(last),
    bound: `${format(bound)} (second quarter: ${format(second)})`,
    good: last <= bound,
  };
}

/** @param samples  one a second, in their order */
export function flatness(samples: readonly Sample[]): Verdict[] {
  const seconds = samples.length === 0 ? 0 : samples[samples.length - 1].at;
  const slack = seconds >= LONG_S ? RSS_SLACK.long : RSS_SLACK.short;
  const rss = quarters(samples, ({ rss }) => rss);
  const delay = (what: string, figure: (sample: Sample) => number) => {
    const found = quarters(samples, figure);
    return flat(what, found, 2 * found.second + DELAY_SLACK_MS, formatMs);
  };
  const descriptors = quarters(samples, ({ descriptors }) => descriptors);
  return [
    flat("RSS", rss, 1.1 * rss.second + slack, formatMib),
    flat("descriptors", descriptors, 1.1 * descriptors.second + 16, (count) => count.toFixed(0)),
    delay("SOA answer p99 of a second", ({ answerP99 }) => answerP99),
    delay("event-loop delay, longest in 10 s", ({ loopDelay }) => loopDelay),
  ];
}

function formatMs(ms: number): string {
  return `${ms.toFixed(1)} ms`;
}

function formatMib(octets: number): string {
  return `${(octets / MIB).toFixed(1)} MiB`;
}
