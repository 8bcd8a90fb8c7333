/**
 * Key files: the forms BIND and Knot have them in, read and written.
 *
 * Pure. Messages name the file and the line, never an octet of a secret.
 */
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import { parse as parseYaml } from "@std/yaml/parse";
import { formatName, type Name, parseName, ZonecastError } from "../dns/mod.ts";
import { findTsigAlgorithm, TSIG_ALGORITHMS, type TsigAlgorithm } from "../wire/mod.ts";

/** A key as a file has it. */
export interface FiledKey {
  readonly name: Name;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Uint8Array;
  /** Octets of the shortest MAC taken, of "hmac-sha256-80"; undefined: none may be truncated. */
  readonly minMacOctets: number | undefined;
}

/** A key file that cannot be used. */
export class KeyFileError extends ZonecastError {
  override readonly name = "KeyFileError";
}

const FORMS =
  'key "NAME" { algorithm hmac-sha256; secret "BASE64"; }; or Knot\'s key: list in YAML';

/** The words of BIND's form: a comment, a quoted text, a mark, a bare word. */
const BIND_WORD = /\/\*[^]*?\*\/|(?:\/\/|#)[^\n]*|"([^"\n]*)"|([{};])|((?!\/\*)[^\s{};"]+)/gy;

/**
 * The keys in a file's text, in their order.
 *
 * @param where  the file, for messages
 * @throws {KeyFileError} it is of neither form, or a key in it is wrong
 */
export function parseKeyFile(text: string, where: string): FiledKey[] {
  const keys = /^key\s*:/m.test(text) ? knotKeys(text, where) : bindKeys(text, where);
  if (keys.length === 0) throw fault(where, "it has no key");
  return keys;
}

interface Word {
  readonly text: string;
  readonly line: number;
  readonly isMark: boolean;
}

function bindWords(text: string, where: string): Word[] {
  const words: Word[] = [];
  let line = 1;
  BIND_WORD.lastIndex = 0;
  for (let at = 0; at < text.length;) {
    const blank = /\s/.test(text[at]);
    BIND_WORD.lastIndex = at;
    const match = blank ? undefined : BIND_WORD.exec(text);
    if (!blank && !match) throw fault(`${where}:${line}`, "a quote or a comment does not end");
    const octets = match?.[0] ?? text[at];
    const [, quoted, mark, bare] = match ?? [];
    const word = quoted ?? mark ?? bare;
    if (word !== undefined) words.push({ text: word, line, isMark: mark !== undefined });
    line += octets.split("\n").length - 1;
    at += octets.length;
  }
  return words;
}

/** `key "name" { algorithm hmac-sha256; secret "…"; };`, as tsig-keygen and rndc-confgen write it. */
function bindKeys(text: string, where: string): FiledKey[] {
  const words = bindWords(text, where);
  const keys: FiledKey[] = [];
  let at = 0;
  const take = (expected: string): Word => {
    const word = words[at++];
    const isMark = /^[{};]$/.test(expected);
    const fits = word && word.isMark === isMark && (!isMark || word.text === expected);
    if (!fits) {
      const line = (word ?? words.at(-1))?.line ?? 1;
      throw fault(`${where}:${line}`, `${expected} is missing`);
    }
    return word;
  };
  while (at < words.length) {
    const first = take('"key"');
    if (first.text !== "key") throw fault(`${where}:${first.line}`, 'it must begin with "key"');
    const name = take("a key's name");
    const fields = new Map<string, string>();
    take("{");
    while (words[at]?.isMark === false) {
      const field = take("a field");
      fields.set(field.text, take(valueOf(field.text)).text);
      take(";");
    }
    take("}");
    take(";");
    keys.push(filedKey(name.text, Object.fromEntries(fields), `${where}:${name.line}`));
  }
  return keys;
}

/** How the value of a field is called; one that has no such name may be the secret, misplaced. */
function valueOf(field: string): string {
  return /^(algorithm|secret)$/.test(field) ? `the value of ${field}` : "a field's value";
}

/** Knot's configuration: `key:` with a list of `id`, `algorithm`, `secret`. */
function knotKeys(text: string, where: string): FiledKey[] {
  let file: unknown;
  try {
    file = parseYaml(text);
  } catch {
    // What YAML's reader says may show the line, and with it the secret.
    throw fault(where, "it is not well-formed YAML");
  }
  const list = field(file, "key");
  if (!Array.isArray(list)) throw fault(where, "its key: is no list");
  return list.map((item: unknown, index) => {
    const id = field(item, "id");
    const place = `${where}, key ${index + 1}`;
    if (typeof id !== "string") throw fault(place, "it has no id");
    return filedKey(
      id,
      { algorithm: field(item, "algorithm"), secret: field(item, "secret") },
      place,
    );
  });
}

function field(object: unknown, name: string): unknown {
  if (typeof object !== "object" || object === null) return undefined;
  return Object.entries(object).find(([key]) => key === name)?.[1];
}

function filedKey(
  name: string,
  { algorithm, secret }: { algorithm?: unknown; secret?: unknown },
  place: string,
): FiledKey {
  if (typeof secret !== "string") throw fault(place, `the key "${name}" has no secret`);
  return {
    name: keyName(name, place),
    ...algorithmOf(typeof algorithm === "string" ? algorithm : undefined, name, place),
    secret: secretOf(secret, name, place),
  };
}

function keyName(text: string, place: string): Name {
  try {
    return parseName(text);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    throw fault(place, `a key's name is no domain name: ${error.message}`);
  }
}

/** BIND writes the bits of the shortest MAC behind the algorithm: "hmac-sha256-80". */
function algorithmOf(
  text: string | undefined,
  name: string,
  place: string,
): Pick<FiledKey, "algorithm" | "minMacOctets"> {
  const [, word, bits] = /^(.*?)(?:-(80|96|104|112|128|160|192|224|256|320|384|512))?$/.exec(
    text ?? "",
  ) ?? [];
  const algorithm = findTsigAlgorithm(text ?? "") ?? findTsigAlgorithm(word ?? "");
  if (!algorithm) {
    const known = TSIG_ALGORITHMS.map(({ name }) => name).join(", ");
    // Another text may be the secret, in the wrong place.
    const shown = /^hmac-[a-z0-9-]{1,16}$/i.test(text ?? "")
      ? `the algorithm "${text}"`
      : "an algorithm that is none";
    const what = text === undefined ? "has no algorithm" : `has ${shown}`;
    throw fault(place, `the key "${name}" ${what}; there are: ${known}`);
  }
  const truncated = findTsigAlgorithm(text ?? "") === undefined;
  return { algorithm, minMacOctets: truncated ? Number(bits) / 8 : undefined };
}

function secretOf(text: string, name: string, place: string): Uint8Array {
  let secret: Uint8Array | undefined;
  try {
    secret = decodeBase64(text.replace(/\s+/g, ""));
  } catch {
    // Said below, without the text.
  }
  if (!secret?.length) throw fault(place, `the secret of the key "${name}" is no base64`);
  return secret;
}

function fault(place: string, reason: string): KeyFileError {
  return new KeyFileError(
    "key-file-malformed",
    `Cannot read key file ${place}: ${reason}`,
    `a key file has ${FORMS}`,
  );
}

/** A key as BIND, and zonecast, read it. */
export function bindKeyText({ name, algorithm, secret }: FiledKey): string {
  return `key "${bare(name)}" {\n\talgorithm ${algorithm.name};\n\tsecret "${
    encodeBase64(secret)
  }";\n};\n`;
}

/** A key as Knot, and zonecast, read it. */
export function knotKeyText({ name, algorithm, secret }: FiledKey): string {
  return `key:\n  - id: ${bare(name)}\n    algorithm: ${algorithm.name}\n    secret: ${
    encodeBase64(secret)
  }\n`;
}

/** A key's name as configurations have it: without its last dot. */
export function bare(name: Name): string {
  return formatName(name).replace(/\.$/, "");
}
