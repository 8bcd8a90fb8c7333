/**
 * Domain names: presentation format ⇄ uncompressed wire format, canonical order.
 *
 * A {@link Name} is octets, not text: length-prefixed labels, the root label
 * last, ASCII case kept as written and ignored in every comparison (RFC 4343).
 * Raw characters outside ASCII are refused in presentation format, because
 * zonecast cannot know which encoding was meant; `\DDD` escapes write any octet.
 *
 * Pure. Specs: RFC 1035 §3.1 and §5.1, RFC 4343, RFC 4034 §6.1.
 */
import { ZonecastError } from "./errors.ts";

/** A name in uncompressed wire format, at most {@link MAX_NAME_OCTETS} octets. */
export type Name = Uint8Array;

/** Longest name in wire format, root label included (RFC 1035 §3.1). */
export const MAX_NAME_OCTETS = 255;
/** Longest label, without its length octet (RFC 1035 §3.1). */
export const MAX_LABEL_OCTETS = 63;

/** The root name: one empty label. */
export const ROOT: Name = new Uint8Array([0]);

/** A text that is no domain name. */
export class NameError extends ZonecastError {
  override readonly name = "NameError";
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

/** The octet of an ASCII upper-case letter in lower case; any other octet unchanged. */
export function lowerOctet(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}

/** Reads the escape whose backslash stands at `at`. Returns the octet and the index after it. */
function readEscape(text: string, at: number): [octet: number, next: number] {
  const first = text.charCodeAt(at + 1);
  if (Number.isNaN(first)) {
    throw new NameError(
      "name-escape",
      `Cannot parse name "${text}": it ends in a lone backslash`,
    );
  }
  if (first < 0x30 || first > 0x39) {
    if (first >= 0x80) throw nonAsciiError(text);
    return [first, at + 2];
  }
  const digits = text.slice(at + 1, at + 4);
  if (!/^[0-9]{3}$/.test(digits) || Number(digits) > 255) {
    throw new NameError(
      "name-escape",
      `Cannot parse name "${text}": it has "\\${digits}", which is no \\DDD escape (three decimal digits, 000 to 255)`,
    );
  }
  return [Number(digits), at + 4];
}

function nonAsciiError(text: string): NameError {
  return new NameError(
    "name-not-ascii",
    `Cannot parse name "${text}": it has characters outside ASCII`,
    punycodeHint(text),
  );
}

/** The A-label form, as URL parsing gives it (UTS 46), or a general hint. */
function punycodeHint(text: string): string {
  const absolute = text.endsWith(".");
  try {
    const ascii = new URL(`http://${text.replace(/\.$/, "")}/`).hostname;
    return `write its punycode: "${ascii}${absolute ? "." : ""}"`;
  } catch {
    return "write it in punycode (xn--…), or write octets as \\DDD";
  }
}

/** Where {@link parseName} builds a name: one buffer, because allocation is most of its cost. */
const scratch = new Uint8Array(MAX_NAME_OCTETS + 1);

/**
 * A name from presentation format.
 *
 * Spec: RFC 1035 §5.1 (`@` is the origin; without a trailing dot a name is
 * relative to the origin; `\DDD` and `\X` escapes).
 *
 * @param text  presentation format
 * @param origin  what relative names and `@` are completed with; without one
 *   every name counts as absolute
 * @returns a fresh buffer; for `@` the origin itself
 * @throws {NameError} empty label, label over 63 octets, name over 255 octets,
 *   broken escape, characters outside ASCII
 */
export function parseName(text: string, origin?: Name): Name {
  if (text === "@" && origin) return origin;
  if (text === ".") return ROOT;
  if (text === "") {
    throw new NameError("name-empty", "Cannot parse name: it is empty");
  }
  const out = scratch;
  let length = 1; // octets written, the current label's length octet included
  let labelAt = 0;
  let at = 0;
  let absolute = false;
  while (at < text.length) {
    let octet = text.charCodeAt(at);
    if (octet === DOT) {
      closeLabel(text, out, labelAt, length);
      labelAt = length++;
      at++;
      absolute = at === text.length;
      if (length > MAX_NAME_OCTETS) throw tooLong(text);
      continue;
    }
    if (octet === BACKSLASH) [octet, at] = readEscape(text, at);
    else {
      if (octet >= 0x80) throw nonAsciiError(text);
      at++;
    }
    if (length >= MAX_NAME_OCTETS) throw tooLong(text);
    out[length++] = octet;
  }
  if (absolute) {
    out[length - 1] = 0; // the open label is the root
    return out.slice(0, length);
  }
  closeLabel(text, out, labelAt, length);
  const suffix = origin ?? ROOT;
  if (length + suffix.length > MAX_NAME_OCTETS) throw tooLong(text);
  for (let i = 0; i < suffix.length; i++) out[length++] = suffix[i];
  return out.slice(0, length);
}

function closeLabel(
  text: string,
  out: Uint8Array,
  labelAt: number,
  length: number,
): void {
  const octets = length - labelAt - 1;
  if (octets === 0) {
    throw new NameError(
      "name-empty-label",
      `Cannot parse name "${text}": it has an empty label`,
    );
  }
  if (octets > MAX_LABEL_OCTETS) {
    throw new NameError(
      "label-too-long",
      `Cannot parse name "${text}": a label has ${octets} octets, at most ${MAX_LABEL_OCTETS} are allowed`,
    );
  }
  out[labelAt] = octets;
}

function tooLong(text: string): NameError {
  return new NameError(
    "name-too-long",
    `Cannot parse name "${text}": it has over ${MAX_NAME_OCTETS} octets in wire format`,
  );
}

/** One octet of a label in presentation format. */
function formatOctet(octet: number): string {
  // The characters that mean something in a master file are escaped (RFC 1035 §5.1).
  if (octet <= 0x20 || octet >= 0x7f) {
    return "\\" + String(octet).padStart(3, "0");
  }
  const c = String.fromCharCode(octet);
  return '."\\;()@$'.includes(c) ? "\\" + c : c;
}

const FORMATTED_OCTETS: readonly string[] = Array.from(
  { length: 256 },
  (_, o) => formatOctet(o),
);

/**
 * A name in presentation format, absolute, with its trailing dot, case as written.
 *
 * @param name  uncompressed wire format
 */
export function formatName(name: Name): string {
  if (name[0] === 0) return ".";
  let text = "";
  for (let at = 0; name[at] !== 0;) {
    const end = at + 1 + name[at];
    for (at++; at < end; at++) text += FORMATTED_OCTETS[name[at]];
    text += ".";
  }
  return text;
}

/**
 * A name relative to an origin: `@` for the origin itself, no trailing dot for
 * names below it, the absolute form for any other.
 */
export function formatRelative(name: Name, origin: Name): string {
  if (equalNames(name, origin)) return "@";
  if (!isSubdomain(name, origin) || origin.length === 1) {
    return formatName(name);
  }
  const head = new Uint8Array(name.length - origin.length + 1);
  head.set(name.subarray(0, head.length - 1));
  return formatName(head).slice(0, -1);
}

/** Whether two names are equal without regard to ASCII case (RFC 4343). */
export function equalNames(a: Name, b: Name): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    // Length octets are at most 63, so lower-casing cannot mistake them for letters.
    if (a[i] !== b[i] && lowerOctet(a[i]) !== lowerOctet(b[i])) return false;
  }
  return true;
}

/** Whether `name` is `apex` or lies below it. */
export function isSubdomain(name: Name, apex: Name): boolean {
  if (name.length < apex.length) return false;
  const from = name.length - apex.length;
  let at = 0;
  while (at < from) at += 1 + name[at]; // the cut must fall on a label boundary
  return at === from && equalNames(name.subarray(from), apex);
}

/** The name without its first label; the root's parent is the root. */
export function parentName(name: Name): Name {
  return name[0] === 0 ? name : name.subarray(1 + name[0]);
}

/** Number of labels, the root not counted. */
export function labelCount(name: Name): number {
  let count = 0;
  for (let at = 0; name[at] !== 0; at += 1 + name[at]) count++;
  return count;
}

/** Whether the first label is `*` (RFC 4592 §2.1.1). */
export function isWildcard(name: Name): boolean {
  return name[0] === 1 && name[1] === 0x2a;
}

/** The name in lower case, in a fresh buffer. */
export function lowerName(name: Name): Name {
  return name.map(lowerOctet);
}

/**
 * A string whose order under `<` is the canonical order of names, and which is
 * equal for names equal without case.
 *
 * Labels stand from the root down, lower-cased, each ended by U+0000; the
 * octets 0 and 1 inside a label are written as two characters so that the end
 * of a label sorts first. A name's key is a prefix of the keys of all names
 * below it, so `key(x).startsWith(key(apex))` is "x is at or under apex". The
 * root's key is empty. Every character is at most U+00FF.
 *
 * Spec: RFC 4034 §6.1 (labels right to left, as octets, without ASCII case).
 */
export function canonicalKey(name: Name): string {
  const starts: number[] = [];
  for (let at = 0; name[at] !== 0; at += 1 + name[at]) starts.push(at);
  let key = "";
  for (let i = starts.length - 1; i >= 0; i--) {
    const start = starts[i];
    for (let at = start + 1, end = at + name[start]; at < end; at++) {
      const octet = lowerOctet(name[at]);
      key += octet > 1 ? String.fromCharCode(octet) : octet === 0 ? "\x01\x01" : "\x01\x02";
    }
    key += "\x00";
  }
  return key;
}

/** Canonical order of two names (RFC 4034 §6.1): negative, 0 or positive. */
export function compareNames(a: Name, b: Name): number {
  const ka = canonicalKey(a);
  const kb = canonicalKey(b);
  return ka < kb ? -1 : ka > kb ? 1 : 0;
}
