/** The forms of flags that take numbers: times, sizes, counts, shares. Pure. */
import { DURATION_TAKES, parseDuration, parseSize, SIZE_TAKES } from "../ops/mod.ts";
import { wrongForm as wrong } from "./errors.ts";
import type { ValueForm } from "./flags.ts";

/** A shortest time between two runs of a timer, in ms: less would only burn the processor. */
const MIN_INTERVAL_MS = 10;

/** Milliseconds. */
export const DURATION: ValueForm<number> = {
  placeholder: "DURATION",
  takes: DURATION_TAKES,
  parse: parseDuration,
};

/** The longest, in ms: a timer set to 2^31 ms or more fires at once. */
const MAX_INTERVAL_MS = 24 * 86_400_000;

/** Milliseconds, not below 10 ms. */
export const PERIOD: ValueForm<number> = {
  placeholder: "PERIOD",
  takes: `${DURATION_TAKES}, at least ${MIN_INTERVAL_MS}ms`,
  parse: (text) => {
    const ms = parseDuration(text);
    if (ms < MIN_INTERVAL_MS) throw wrong("it is too short");
    return ms;
  },
};

/** Milliseconds between two runs of a timer: 10 ms to 24 days. */
export const INTERVAL: ValueForm<number> = {
  placeholder: "INTERVAL",
  takes: `${DURATION_TAKES}, from ${MIN_INTERVAL_MS}ms to 24d`,
  parse: (text) => {
    const ms = PERIOD.parse(text);
    if (ms > MAX_INTERVAL_MS) throw wrong("it is too long");
    return ms;
  },
};

/** Octets. */
export const SIZE: ValueForm<number> = {
  placeholder: "SIZE",
  takes: SIZE_TAKES,
  parse: parseSize,
};

/** How many, at least one. */
export const COUNT: ValueForm<number> = {
  placeholder: "COUNT",
  takes: "a whole number from 1 to 1000000",
  parse: (text) => {
    if (!/^[0-9]+$/.test(text)) throw wrong("it is no whole number");
    const count = Number(text);
    if (count < 1) throw wrong("it is too small");
    if (count > MAX_COUNT) throw wrong("it is too large");
    return count;
  },
};

/** How many records; `off` is Infinity. */
export const RECORDS: ValueForm<number> = {
  placeholder: "COUNT|off",
  takes: "a whole number from 1 to 1000000000, or off",
  parse: (text) => {
    if (text === "off") return Infinity;
    if (!/^[1-9][0-9]*$/.test(text)) throw wrong("it is no whole number above 0");
    if (Number(text) > MAX_RECORDS) throw wrong("it is too large");
    return Number(text);
  },
};

/** The largest count of records that is taken. */
const MAX_RECORDS = 1_000_000_000;

/** The largest, far above what a machine has of anything counted. */
const MAX_COUNT = 1_000_000;

/** So many in a second; `off` is Infinity. */
export const RATE: ValueForm<number> = {
  placeholder: "COUNT|off",
  takes: "how many in a second, from 1 to 1000000, or off",
  parse: (text) => text === "off" ? Infinity : COUNT.parse(text),
};

/** Each so-manieth; `off` is 0. */
export const EACH: ValueForm<number> = {
  placeholder: "COUNT|off",
  takes: "1 for each, 2 for every other one and so on, or off",
  parse: (text) => text === "off" ? 0 : COUNT.parse(text),
};

/** A share of a whole; `off` is Infinity: no share is too much. */
export const SHARE: ValueForm<number> = {
  placeholder: "PERCENT|off",
  takes: "a percentage from 0% to 100%, or off",
  parse: (text) => {
    if (text === "off") return Infinity;
    if (!/^[0-9]+(?:\.[0-9]+)?%?$/.test(text)) throw wrong("it is no percentage");
    const percent = parseFloat(text);
    if (percent > 100) throw wrong("it is above 100%");
    return percent / 100;
  },
};

/** Octets of a UDP message: below 512 no client expects, above 4,096 no path carries whole. */
export const UDP_SIZE: ValueForm<number> = {
  placeholder: "OCTETS",
  takes: "octets, from 512 to 4096",
  parse: (text) => {
    const octets = parseSize(text);
    if (octets < 512 || octets > 4_096) throw wrong("it is out of range");
    return octets;
  },
};
