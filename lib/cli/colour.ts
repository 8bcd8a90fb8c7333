/** Colour for people: on a terminal alone, and not where NO_COLOR is set (no-color.org). Pure. */
import type { Context } from "./command.ts";

/** Paints a text, or leaves it as it is. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

const CODES = { good: 32, bad: 31, warn: 33, faint: 2, strong: 1 } as const;

/** A status report with what is well and what is not standing out, columns as they were. */
export function paintStatus(text: string, paint: Paint): string {
  return text
    .replaceAll(/\b(?:BEHIND|AHEAD at \d+|DOWN|FAILED)\b/g, (word) => paint.bad(word))
    .replaceAll(/(?<= {2})live(?= {2})/g, (word) => paint.good(word))
    .replaceAll(/^(?:ZONE|SECONDARY) .*$/gm, (head) => paint.strong(head));
}

/** How standard output is painted. */
export function paintFor({ outIsTerminal, env }: Context): Paint {
  const isOn = outIsTerminal && !env("NO_COLOR") && env("TERM") !== "dumb";
  const paint = (code: number) => (text: string) => isOn ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    good: paint(CODES.good),
    bad: paint(CODES.bad),
    warn: paint(CODES.warn),
    faint: paint(CODES.faint),
    strong: paint(CODES.strong),
  };
}
