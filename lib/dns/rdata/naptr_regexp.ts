/**
 * NAPTR's regexp: a substitution expression, `!pattern!replacement!flags`.
 *
 * Checked because BIND checks it too, and as a secondary refuses the whole
 * transfer for one expression that is wrong.
 *
 * Spec: RFC 3402 §3.2 (POSIX extended regular expression, back references \1 to
 * \9, flag `i`, any delimiter but a digit, a backslash or a flag).
 */
import type { FieldCodec } from "./codec.ts";
import { characterString } from "./strings.ts";

const CLASSES =
  /^\[:(?:alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit):\]/;
/** Largest count in an interval such as {2,5} (POSIX RE_DUP_MAX). */
const MAX_REPEAT = 255;

/** What is wrong with a substitution expression; undefined when nothing is. */
export function regexpFlaw(octets: Uint8Array): string | undefined {
  if (octets.length === 0) return;
  const text = String.fromCharCode(...octets);
  if (text.includes("\0")) return "has a zero octet";
  const delimiter = text[0];
  if (/[0-9\\i]/.test(delimiter)) return `may not be delimited by "${delimiter}"`;
  const parts = splitUnescaped(text.slice(1), delimiter);
  if (parts.length !== 3) return `has ${parts.length} delimiters, not 3`;
  const [pattern, replacement, flags] = parts;
  if (!/^i*$/.test(flags)) return `has the flags "${flags}", only i is defined`;
  const groups = countGroups(pattern);
  if (groups === undefined) return `has "${pattern}", which is no POSIX regular expression`;
  for (const [, digit] of replacement.matchAll(/\\(.)/gs)) {
    if (/[0-9]/.test(digit) && (digit === "0" || Number(digit) > groups)) {
      return `refers to group \\${digit}, the pattern has ${groups}`;
    }
  }
}

/** Splits at a delimiter that no backslash stands before. */
function splitUnescaped(text: string, delimiter: string): string[] {
  const parts = [""];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === delimiter) parts.push("");
    else {
      const escape = text[i] === "\\" && i + 1 < text.length;
      parts[parts.length - 1] += escape ? text.slice(i, i + 2) : text[i];
      if (escape) i++;
    }
  }
  return parts;
}

/** The groups of a POSIX extended regular expression, or undefined when it is none. */
function countGroups(pattern: string): number | undefined {
  let groups = 0;
  let depth = 0;
  let branch = false; // whether the present branch has anything in it
  let atom = false; // whether a repetition may follow
  for (let at = 0; at < pattern.length;) {
    const c = pattern[at];
    let length = 1;
    if (c === "(") {
      groups++;
      const empty = pattern[at + 1] === ")";
      if (!empty) depth++;
      [branch, atom, length] = [empty, empty, empty ? 2 : 1];
    } else if (c === ")" && depth > 0) {
      if (!branch) return undefined;
      depth--;
      atom = true;
    } else if (c === "|") {
      if (!branch) return undefined;
      branch = atom = false;
    } else if (c === "^" || c === "$") [branch, atom] = [true, false];
    else if ("*+?".includes(c) || /^\{[0-9]/.test(pattern.slice(at))) {
      length = c === "{" ? intervalLength(pattern.slice(at)) : 1;
      if (!atom || length === 0) return undefined;
      atom = false;
    } else {
      length = atomLength(pattern.slice(at), groups);
      if (length === 0) return undefined;
      branch = atom = true;
    }
    at += length;
  }
  return branch && depth === 0 ? groups : undefined;
}

/** Length of the interval a text begins with, 0 when it is none. */
function intervalLength(text: string): number {
  const [all, least, , most] = /^\{([0-9]{1,3})(,([0-9]{1,3})?)?\}/.exec(text) ?? [""];
  const highest = Number(most ?? least);
  return highest <= MAX_REPEAT && Number(least) <= highest ? all.length : 0;
}

/** Length of the character, escape or bracket expression a text begins with, 0 when it is none. */
function atomLength(text: string, groups: number): number {
  if (text[0] === "[") return bracketLength(text);
  if (text[0] !== "\\") return 1;
  if (text.length === 1) return 0;
  return /[0-9]/.test(text[1]) && (text[1] === "0" || Number(text[1]) > groups) ? 0 : 2;
}

/** Length of the bracket expression a text begins with, 0 when it is none. */
function bracketLength(text: string): number {
  let at = text[1] === "^" ? 2 : 1;
  for (let first = true; at < text.length; first = false) {
    if (text[at] === "]" && !first) return at + 1;
    const rest = text.slice(at);
    if (rest.startsWith("[:")) {
      const named = CLASSES.exec(rest);
      if (!named) return 0;
      at += named[0].length;
      continue;
    }
    const [one] = /^\[([.=])[^\]]+?\1\]/.exec(rest) ?? [rest[0]];
    at += one.length;
    const end = text[at] === "-" && text[at + 1] !== "]" ? text[at + 1] : undefined;
    if (end !== undefined) {
      if (one.length === 1 && end !== "[" && end < one) return 0;
      at += 1;
    }
  }
  return 0;
}

/** A substitution expression as a character-string, perhaps empty. */
export const naptrRegexp: FieldCodec = {
  parse(input, out) {
    const start = out.length;
    characterString.parse(input, out);
    const flaw = regexpFlaw(out.copy(start + 1));
    if (flaw) {
      throw input.wrong(
        input.last,
        flaw,
        "naptr-regexp",
        "write delimiter, pattern, delimiter, replacement, delimiter and perhaps i: !^.*$!sip:info@example.com! (RFC 3402 §3.2)",
      );
    }
  },
  check(wire) {
    const flaw = regexpFlaw(wire.take(wire.u8()));
    if (flaw) throw wire.malformed(flaw, "naptr-regexp");
  },
  format: characterString.format,
};
