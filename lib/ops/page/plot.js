/** Plots of what happened, slot by slot; read by pointer and by arrow keys. */
import { make, took } from "./dom.js";

const MARGIN = { left: 44, right: 4, top: 6, bottom: 18 };

/**
 * A plot's frame: time on the horizontal axis, and what is drawn into it.
 *
 * @param label  says what it is and what it comes to
 * @param output  shows the slot pointed at
 * @param describe  what a slot says, in words
 */
function frame({ width, height, slots, slotMs, label, output, describe, ticks, draw }) {
  const inner = {
    width: Math.max(60, width - MARGIN.left - MARGIN.right),
    height: height - MARGIN.top - MARGIN.bottom,
  };
  const slotWidth = inner.width / slots;
  const x = (slot) => MARGIN.left + slot * slotWidth;
  const y = (share) => MARGIN.top + (1 - share) * inner.height;
  const cursor = make("line", { class: "cursor", y1: MARGIN.top, y2: y(0), visibility: "hidden" });
  let at = slots - 1;
  const show = (slot) => {
    at = Math.min(slots - 1, Math.max(0, slot));
    const middle = x(at) + slotWidth / 2;
    cursor.setAttribute("x1", middle);
    cursor.setAttribute("x2", middle);
    cursor.setAttribute("visibility", "visible");
    output.textContent = `${slotName(slots - 1 - at, slotMs)}: ${describe(at)}`;
  };
  const hide = () => {
    cursor.setAttribute("visibility", "hidden");
    output.textContent = "";
  };
  const keys = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  return make(
    "svg",
    {
      class: "chart",
      viewBox: `0 0 ${width} ${height}`,
      height,
      role: "img",
      tabindex: "0",
      "aria-label": `${label}. Arrow keys read it slot by slot.`,
      "data-key": label.split(":")[0],
      onpointermove: (event) => {
        const box = event.currentTarget.getBoundingClientRect();
        show(Math.floor((event.clientX - box.left - MARGIN.left) / slotWidth));
      },
      onpointerleave: hide,
      onblur: hide,
      onkeydown: (event) => {
        const step = keys[event.key] ?? { Home: -slots, End: slots }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        show(at + step);
      },
    },
    ticks.map(([share, text]) => [
      make("line", {
        class: "grid",
        x1: MARGIN.left,
        x2: width - MARGIN.right,
        y1: y(share),
        y2: y(share),
      }),
      make("text", { x: MARGIN.left - 6, y: y(share) + 4, "text-anchor": "end" }, text),
    ]).flat(),
    times(slots, slotMs).map(([slot, text, anchor]) =>
      make("text", { x: x(slot), y: height - 4, "text-anchor": anchor }, text)
    ),
    draw(x, y, slotWidth),
    cursor,
  );
}

/** "now", "12 min ago". */
function slotName(back, slotMs) {
  if (back === 0) return "now";
  const minutes = Math.round(back * slotMs / 60_000);
  return minutes < 120 ? `${minutes} min ago` : `${Math.round(minutes / 6) / 10} h ago`;
}

function times(slots, slotMs) {
  const hours = slots * slotMs / 3_600_000;
  const name = (share) => hours <= 1 ? `−${share * 60} min` : `−${share * hours} h`;
  return [
    [0, name(1), "start"],
    [slots / 2, name(0.5), "middle"],
    [slots, "now", "end"],
  ];
}

/**
 * Times on a logarithmic axis: a bar from the half to the 95 % of each slot.
 *
 * @param scale  the least and the greatest power of ten, in seconds
 */
export function timesPlot({ width, name, plots, live, scale: [from, to], output }) {
  const share = (seconds) => Math.min(1, Math.max(0, (Math.log10(seconds) - from) / (to - from)));
  const powers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const comes = live.count === 0
    ? "no change in this time"
    : `half of ${live.count} within ${took(live.p50)}, 95 % within ${took(live.p95)}`;
  return frame({
    width,
    height: 84,
    slots: plots.slots,
    slotMs: plots.slotMs,
    label: `Time until live at ${name}: ${comes}`,
    output,
    describe: (slot) => {
      const times = live.slots[slot];
      return times ? `half ${took(times[0])}, 95 % ${took(times[1])}` : "no change";
    },
    ticks: powers.map((power) => [share(10 ** power), took(10 ** power)]),
    draw: (x, y, slotWidth) =>
      live.slots.flatMap((times, slot) => {
        if (!times) return [];
        const [half, most] = times.map((seconds) => y(share(seconds)));
        const bar = { x: x(slot) + slotWidth * 0.15, width: Math.max(2, slotWidth * 0.7) };
        return [
          make("rect", { class: "range", ...bar, y: most - 1, height: half - most + 2 }),
          make("rect", { class: "middle", ...bar, y: half - 1.5, height: 3 }),
        ];
      }),
  });
}

/** The powers of ten between which all times of some secondaries lie. */
export function timesScale(lives) {
  const all = lives.flatMap(({ slots }) => slots.filter(Boolean).flat());
  if (all.length === 0) return [-3, 0];
  const from = Math.floor(Math.log10(Math.min(...all)));
  return [from, Math.max(from + 1, Math.ceil(Math.log10(Math.max(...all))))];
}

/**
 * Counts as bars, several kinds one upon the other.
 *
 * @param kinds  `[class, name, counts]`, the lowest first
 */
export function countsPlot({ width, title, plots, kinds, output }) {
  const totals = Array.from(
    { length: plots.slots },
    (_, slot) => kinds.reduce((sum, [, , counts]) => sum + (counts[slot] ?? 0), 0),
  );
  const top = niceTop(Math.max(1, ...totals));
  const sums = kinds.map((
    [, name, counts],
  ) => [name, counts.reduce((sum, n) => sum + (n ?? 0), 0)]);
  return frame({
    width,
    height: 120,
    slots: plots.slots,
    slotMs: plots.slotMs,
    label: `${title}: ${sums.map(([name, sum]) => `${sum} ${name}`).join(", ")}`,
    output,
    describe: (slot) => kinds.map(([, name, counts]) => `${counts[slot] ?? 0} ${name}`).join(", "),
    ticks: [0, 0.5, 1].map((share) => [share, short(top * share)]),
    draw: (x, y, slotWidth) =>
      totals.flatMap((_, slot) => {
        let below = 0;
        return kinds.flatMap(([kind, , counts]) => {
          const number = counts[slot] ?? 0;
          if (number === 0) return [];
          const [low, high] = [y(below / top), y((below + number) / top)];
          below += number;
          const height = Math.max(1, low - high);
          const bar = { x: x(slot) + slotWidth * 0.1, width: Math.max(1, slotWidth * 0.8) };
          return [make("rect", { class: kind, ...bar, y: low - height, height })];
        });
      }),
  });
}

/** The next of 2, 4, 10, 20, 40 …: half of it is a round number, too. */
function niceTop(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 4, 10].map((step) => step * power).find((top) => top >= number && top >= 2) ?? 2;
}

function short(number) {
  if (number >= 1e6) return `${Number((number / 1e6).toPrecision(2))}M`;
  return number >= 1e4 ? `${Number((number / 1e3).toPrecision(2))}k` : String(number);
}
