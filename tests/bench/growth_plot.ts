/** Draws a measurement against size, both on logarithmic axes, as SVG. Pure. */
import { drawCard, line, short, text } from "../support/plot_parts.ts";

/** What was measured at one size. */
export interface PlotPoint {
  readonly x: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface PlotSeries {
  readonly name: string;
  /** At least one, by rising x. */
  readonly points: readonly PlotPoint[];
}

export interface Plot {
  readonly title: string;
  /** Below the drawing: what it was measured on, what the bars are. */
  readonly caption: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly formatX: (value: number) => string;
  readonly formatY: (value: number) => string;
  /** At most {@link MARKERS} many. */
  readonly series: readonly PlotSeries[];
}

const WIDTH = 760;
const HEIGHT = 440;
/** Of the area that the axes enclose, in the units of the drawing. */
const AREA = { left: 78, top: 84, right: 732, bottom: 352 };
/** Half the width of a bar's ends. */
const CAP = 3;
/** Between two series at one size. */
const ASIDE = 8;
/** The least distance between a label of a median and its marker. */
const LABEL_GAP = 12;

const MARKERS = [
  (x: number, y: number) => `<circle cx="${x}" cy="${y}" r="4.5"/>`,
  (x: number, y: number) => `<rect x="${x - 4.25}" y="${y - 4.25}" width="8.5" height="8.5"/>`,
  (x: number, y: number) => `<path d="M${x} ${y - 5.5}l5 9h-10z"/>`,
];

/** Decades that hold all values: [0, 2] for 3 to 50. */
function decadesOf(values: readonly number[]): [low: number, high: number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

/** Where values lie on a logarithmic axis between two coordinates. */
function axis(low: number, high: number, from: number, to: number): (value: number) => number {
  return (value) => short(from + (Math.log10(value) - low) / (high - low) * (to - from));
}

type Place = (value: number) => number;

/** The axes with a label for each size measured and for each decade of the other axis. */
function frame(
  plot: Plot,
  sizes: readonly number[],
  decades: [number, number],
  x: Place,
  y: Place,
) {
  const { left, right, top, bottom } = AREA;
  const parts: string[] = [];
  for (let decade = decades[0]; decade <= decades[1]; decade++) {
    const value = Number(`1e${decade}`);
    parts.push(line(left, y(value), right, y(value), "grid"));
    parts.push(text(left - 8, y(value) + 4, plot.formatY(value), "quiet end"));
  }
  for (const size of sizes) {
    parts.push(line(x(size), top, x(size), bottom, "grid"));
    parts.push(text(x(size), bottom + 18, plot.formatX(size), "quiet middle"));
  }
  parts.push(line(left, bottom, right, bottom, "axis"), line(left, top, left, bottom, "axis"));
  const middle = (left + right) / 2;
  parts.push(text(middle, bottom + 38, plot.xLabel, "middle"));
  const turned = ` transform="rotate(-90 20 ${(top + bottom) / 2})"`;
  parts.push(text(20, (top + bottom) / 2, plot.yLabel, "middle", turned));
  return parts;
}

/** Whether a series lies above the others at a size: its labels then stand above it. */
function isHighest(plot: Plot, { x, median }: PlotPoint): boolean {
  return plot.series.every(({ points }) =>
    points.every((other) => other.x !== x || other.median <= median)
  );
}

function series(plot: Plot, index: number, x: Place, y: Place): string[] {
  const { points } = plot.series[index];
  // Beside each other, so that no bar hides another.
  const aside = (index - (plot.series.length - 1) / 2) * ASIDE;
  const across = (size: number) => short(x(size) + aside);
  const path = points.map((point) => `${across(point.x)} ${y(point.median)}`).join("L");
  const parts = [`<g class="s${index}">`, `<path d="M${path}" class="line"/>`];
  for (const { x: at, median, low, high } of points) {
    const [place, bottom, top] = [across(at), y(low), y(high)];
    parts.push(line(place, bottom, place, top, "bar"));
    for (const end of [bottom, top]) {
      parts.push(line(short(place - CAP), end, short(place + CAP), end, "bar"));
    }
    parts.push(`<g class="mark">${MARKERS[index](place, y(median))}</g>`);
  }
  parts.push("</g>");
  for (const point of points) {
    // Clear of its bar, and of the series on the other side.
    const above = isHighest(plot, point);
    const at = above ? y(point.high) - LABEL_GAP / 2 : y(point.low) + LABEL_GAP + 4;
    parts.push(text(x(point.x), short(at), plot.formatY(point.median), `s${index} middle`));
  }
  return parts;
}

/** One line above the axes that names each series by its marker. */
function legend(plot: Plot): string[] {
  let at = AREA.left;
  return plot.series.flatMap(({ name }, index) => {
    const mark = `<g class="s${index}"><g class="mark">${MARKERS[index](at + 5, 58)}</g></g>`;
    const label = text(at + 16, 62, name);
    at += 40 + name.length * 6.4;
    return [mark, label];
  });
}

/**
 * The drawing, 760 by 440 units.
 *
 * @throws {RangeError} there are no points, or one is not above 0: it has no logarithm
 */
export function drawPlot(plot: Plot): string {
  const points = plot.series.flatMap(({ points }) => points);
  const values = points.flatMap(({ low, median, high }) => [low, median, high]);
  const sizes = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  if (points.length === 0 || [...values, ...sizes].some((value) => !(value > 0))) {
    throw new RangeError("Cannot draw on logarithmic axes: every value must be above 0");
  }
  const decades = decadesOf(values);
  const y = axis(...decades, AREA.bottom, AREA.top);
  // The outermost sizes stand clear of the area's edges.
  const [least, most] = [Math.log10(sizes[0]), Math.log10(sizes[sizes.length - 1])];
  const margin = Math.max(most - least, 1) * 0.05;
  const x = axis(least - margin, most + margin, AREA.left, AREA.right);
  const { title, caption } = plot;
  const card = { title, caption, width: WIDTH, height: HEIGHT, left: AREA.left - 58 };
  return drawCard(card, [
    ...legend(plot),
    ...frame(plot, sizes, decades, x, y),
    ...plot.series.flatMap((_, index) => series(plot, index, x, y)),
  ]);
}
