/** Draws figures over time, one panel below the other, as SVG. Pure. */
import { drawCard, line, short, text } from "../support/plot_parts.ts";

export interface Panel {
  readonly label: string;
  /** One for each time; NaN where there is none. */
  readonly values: readonly number[];
  /** Of the values, for the axis: "MiB"; empty for a count. */
  readonly unit: string;
}

export interface Panels {
  readonly title: string;
  readonly caption: string;
  /** Seconds, rising, at least two. */
  readonly times: readonly number[];
  /** At most three have a color of their own; the others begin again. */
  readonly panels: readonly Panel[];
  /** Spans drawn as grey areas behind all panels, seconds. */
  readonly spans: readonly { readonly from: number; readonly to: number }[];
}

const WIDTH = 760;
const [LEFT, RIGHT] = [78, 732];
/** Of the first panel; of each panel; between two. */
const [TOP, PANEL, GAP] = [64, 92, 34];
const COLORS = 3;
/** More points than this cannot be told apart: the highest of each group is drawn. */
const POINTS = 600;

/** A round number at or above a value: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * decade).find((round) => round >= value)!;
}

/** Points that are close together as one, the highest. */
function thinned(points: readonly (readonly [number, number])[]) {
  const size = Math.ceil(points.length / POINTS);
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const group = points.slice(index * size, (index + 1) * size);
    return group.reduce((highest, point) => point[1] > highest[1] ? point : highest);
  });
}

function drawPanel(
  { label, values, unit }: Panel,
  index: number,
  x: (seconds: number) => number,
  times: readonly number[],
): string[] {
  const [top, bottom] = [TOP + index * (PANEL + GAP), TOP + index * (PANEL + GAP) + PANEL];
  const points = times.map((time, at) => [time, values[at]] as const)
    .filter(([, value]) => !Number.isNaN(value));
  const highest = roundUp(Math.max(0, ...points.map(([, value]) => value)));
  const y = (value: number) => short(bottom - value / highest * PANEL);
  const path = points.length === 0
    ? ""
    : "M" + thinned(points).map(([time, value]) => `${x(time)} ${y(value)}`).join("L");
  return [
    text(LEFT, top - 8, label),
    ...[0, highest / 2, highest].flatMap((value) => [
      line(LEFT, y(value), RIGHT, y(value), value === 0 ? "axis" : "grid"),
      text(LEFT - 8, y(value) + 4, `${value} ${unit}`.trim(), "quiet end"),
    ]),
    `<g class="s${index % COLORS}"><path d="${path}" class="line"/></g>`,
  ];
}

/** The drawing; every panel's axis begins at 0. */
export function drawPanels({ title, caption, times, panels, spans }: Panels): string {
  const end = times[times.length - 1];
  const x = (seconds: number) => short(LEFT + seconds / end * (RIGHT - LEFT));
  const bottom = TOP + panels.length * (PANEL + GAP) - GAP;
  const away = spans.map(({ from, to }) => {
    const width = Math.max(1, x(Math.min(to, end)) - x(from));
    return `<rect x="${x(from)}" y="${TOP}" width="${short(width)}" height="${
      bottom - TOP
    }" class="away"/>`;
  });
  const step = roundUp(end / 60 / 10);
  const minutes = Array.from(
    { length: Math.floor(end / 60 / step) + 1 },
    (_, at) => Number((at * step).toPrecision(3)),
  );
  const card = { title, caption, width: WIDTH, height: bottom + 82, left: LEFT - 58 };
  return drawCard(card, [
    `<style>.away { fill: #59636e; opacity: .18 }</style>`,
    ...away,
    ...panels.flatMap((panel, index) => drawPanel(panel, index, x, times)),
    ...minutes.map((minute) => text(x(minute * 60), bottom + 18, `${minute}`, "quiet middle")),
    text((LEFT + RIGHT) / 2, bottom + 38, "minutes", "middle"),
  ]);
}
