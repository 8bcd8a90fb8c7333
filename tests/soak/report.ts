/** The soak's table and its plot. Pure. */
import { drawPanels } from "./panels.ts";
import type { Sample } from "./samples.ts";
import { MIB, type Verdict } from "./verdicts.ts";

type Row = readonly string[];

/** Rows as columns that line up. */
function table(rows: readonly Row[]): string {
  const widths = rows.reduce<number[]>(
    (widths, row) => row.map((cell, at) => Math.max(widths[at] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at])).join("  ").trimEnd())
    .join("\n");
}

export interface Report {
  readonly heading: string;
  /** Each load and what it came to. */
  readonly loads: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** Events of the log at warn and error. */
  readonly events: ReadonlyMap<string, number>;
  /** Empty when nothing was found. */
  readonly findings: string;
}

export function reportText({ heading, loads, verdicts, events, findings }: Report): string {
  const rows = verdicts.map(({ what, seen, bound, good }) => [
    good ? "good" : "BAD",
    what,
    seen,
    `bound ${bound}`,
  ]);
  const logged = [...events].map(([event, count]) => [`${count} ×`, event]);
  return [
    heading,
    table(loads),
    table(rows),
    ...(logged.length > 0 ? [`zonecast logged\n${table(logged)}`] : []),
    ...(findings ? [`found:\n${findings}`] : []),
  ].join("\n\n");
}

/** @param samples  at least two */
export function soakPlot(
  samples: readonly Sample[],
  spans: readonly { readonly from: number; readonly to: number }[],
): string {
  const values = (figure: (sample: Sample) => number) => samples.map(figure);
  return drawPanels({
    title: "Soak: changes, transfers, questions, junk and Postgres outages together",
    caption: "Grey: Postgres away",
    times: values(({ at }) => at),
    spans,
    panels: [
      { label: "resident memory", values: values(({ rss }) => rss / MIB), unit: "MiB" },
      {
        label: "open file descriptors",
        values: values(({ descriptors }) => descriptors),
        unit: "",
      },
      {
        label: "SOA answer over UDP, p99 of each second (the asker's own delays in it)",
        values: values(({ answerP99 }) => answerP99),
        unit: "ms",
      },
      {
        label: "event-loop delay inside zonecast, longest of the last 10 s",
        values: values(({ loopDelay }) => loopDelay),
        unit: "ms",
      },
    ],
  });
}
