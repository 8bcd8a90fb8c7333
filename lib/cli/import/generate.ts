/**
 * BIND's `$GENERATE`, written out. It is no part of master files (RFC 1035 §5), and the reader
 * refuses it; a file that comes from BIND may have it.
 *
 * Pure. What is malformed is left as it stands, so that the reader names it with its line.
 */

/** Records that one directive may make: a /16, and far more than anybody writes. */
const MAX_STEPS = 65_536;

const DIRECTIVE = /^\$GENERATE[ \t]+(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?[ \t]+(\S+)[ \t]+(.+)$/i;

/** A text with each directive replaced by its records, all on the directive's line. */
export function expandGenerate(text: string): string {
  if (!/^\$GENERATE\b/im.test(text)) return text;
  return text.split("\n").map((line) => expandLine(line.replace(/\r$/, "")) ?? line).join("\n");
}

/** The records of a directive; undefined where the line is none that can be understood. */
function expandLine(line: string): string | undefined {
  const [, first, last, every = "1", owner, rest] = DIRECTIVE.exec(line) ?? [];
  if (first === undefined) return undefined;
  const [from, to, step] = [Number(first), Number(last), Number(every)];
  if (step < 1 || to < from || (to - from) / step >= MAX_STEPS) return undefined;
  const lines: string[] = [];
  for (let value = from; value <= to; value += step) {
    const made = [owner, withoutComment(rest)].map((part) => filled(part, value));
    if (made.includes(undefined)) return undefined;
    lines.push(made.join(" "));
  }
  return lines.join("\n");
}

function withoutComment(text: string): string {
  return text.replace(/^((?:"(?:[^"\\]|\\.)*"|[^";])*);.*$/, "$1").trimEnd();
}

/** A template with its `$` and `${offset[,width[,base]]}` filled in; `\$` is a dollar. */
function filled(template: string, value: number): string | undefined {
  let failed = false;
  const text = template.replaceAll(
    /\\\$|\$\$|\$(?:\{(-?\d+)(?:,(\d+)(?:,([doxXnN]))?)?\})?/g,
    (all, offset = "0", width = "0", base = "d") => {
      if (all === "\\$" || all === "$$") return "\\036";
      const digits = written(value + Number(offset), base);
      if (digits === undefined) failed = true;
      return digits?.padStart(Math.min(Number(width), 63), "0") ?? "";
    },
  );
  return failed ? undefined : text;
}

function written(value: number, base: string): string | undefined {
  if (value < 0) return undefined;
  switch (base) {
    case "o":
      return value.toString(8);
    case "x":
      return value.toString(16);
    case "X":
      return value.toString(16).toUpperCase();
    case "n":
    case "N": // nibbles, the lowest first, as reverse zones of IPv6 have them
      return [...value.toString(16)].reverse().join(".");
    default:
      return String(value);
  }
}
