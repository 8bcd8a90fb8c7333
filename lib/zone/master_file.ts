/**
 * Reads RFC 1035 master files.
 *
 * Pure: files are opened by a function passed in. Says nothing about whether
 * the records make a zone (one SOA, all at or below the apex): that is for the
 * zone's checks.
 *
 * Specs: RFC 1035 §5 (format, $ORIGIN, $INCLUDE), RFC 2308 §4 ($TTL), RFC 3597
 * §5 (unknown types and classes). Limitations: class IN only; BIND's $GENERATE
 * is refused.
 */
import {
  type Entry,
  type Name,
  parseRdataTokens,
  parseTtl,
  RdataError,
  readEntry,
  type ResourceRecord,
  type Token,
  TYPE,
  typeName,
  ZonecastError,
} from "../dns/mod.ts";
import {
  expectArguments,
  isClass,
  missingType,
  nameOf,
  placed,
  PlacedError,
  typeOf,
} from "./master_file_tokens.ts";
import { MasterFileError, type MasterFileProblem } from "./master_file_error.ts";
import { soaMinimum } from "./zone_version.ts";

/** How deep $INCLUDE may nest: more is taken for a loop. */
const MAX_INCLUDE_DEPTH = 16;
/** Reading ends when so many problems are found; more would not help the reader. */
const MAX_PROBLEMS = 20;

/** What a master file cannot say about itself. */
export interface MasterFileOptions {
  /** Its path: for messages, and what relative $INCLUDE paths start from. */
  readonly file: string;
  /** Completes relative names until $ORIGIN says otherwise. */
  readonly origin: Name;
  /** TTL in seconds of records without one, until $TTL says otherwise. */
  readonly defaultTtl?: number;
  /** Opens $INCLUDE's files; without it $INCLUDE is refused. May throw. */
  readonly open?: (path: string) => string | Uint8Array;
}

/** What a master file holds. */
export interface MasterFile {
  /** In the order of the file, the SOA among them. */
  readonly records: ResourceRecord[];
  /** The first SOA record. */
  readonly soa?: ResourceRecord;
  /** The last $TTL, in seconds. */
  readonly defaultTtl?: number;
}

/** Where a file being read stands. */
interface Place {
  readonly file: string;
  readonly text: string;
  readonly depth: number;
  origin: Name;
  /** Owner of the last record, for lines that leave it out. */
  owner?: Name;
  /** What `owner` was read from: runs of one owner share its octets. */
  ownerText?: string;
  ownerOrigin?: Name;
}

/**
 * The records of a master file and all it includes.
 *
 * A record without TTL takes that of $TTL, else the last one written (RFC 1035
 * §5.1), else the SOA's MINIMUM, as BIND does.
 *
 * @param text  octets are read as UTF-8
 * @throws {MasterFileError} with up to 20 problems
 */
export function readMasterFile(text: string | Uint8Array, options: MasterFileOptions): MasterFile {
  return new MasterFileReader(options).read(text);
}

/** The state that spans a file and its includes; each reader reads once. */
class MasterFileReader {
  readonly #records: ResourceRecord[] = [];
  readonly #problems: MasterFileProblem[] = [];
  #cause: unknown;
  #defaultTtl: number | undefined;
  #lastTtl: number | undefined;
  #soa: ResourceRecord | undefined;

  constructor(readonly options: MasterFileOptions) {
    this.#defaultTtl = options.defaultTtl;
  }

  read(text: string | Uint8Array): MasterFile {
    const { file, origin } = this.options;
    this.#readFile(file, text, origin, 0);
    if (this.#problems.length > 0) {
      throw new MasterFileError(this.#problems, { cause: this.#cause });
    }
    return { records: this.#records, soa: this.#soa, defaultTtl: this.#defaultTtl };
  }

  #readFile(file: string, content: string | Uint8Array, origin: Name, depth: number): void {
    const { text, badAt } = toText(content);
    const place: Place = { file, text, depth, origin };
    if (badAt >= 0) {
      this.#report(place, badAt, NOT_UTF8);
      return;
    }
    for (let at = 0; at < place.text.length && this.#problems.length < MAX_PROBLEMS;) {
      at = this.#readNext(place, at);
    }
  }

  /** Reads the entry at an offset; returns where the next begins. */
  #readNext(place: Place, at: number): number {
    let entry: Entry;
    try {
      entry = readEntry(place.text, at);
    } catch (error) {
      if (!(error instanceof RdataError)) throw error;
      const offset = error.offset ?? at;
      this.#report(place, offset, error);
      // Where a parenthesis is wrong, nobody knows where the next entry begins.
      const next = error.code.startsWith("parenthesis") ? -1 : place.text.indexOf("\n", offset);
      return next < 0 ? place.text.length : next + 1;
    }
    const [first] = entry.tokens;
    if (first === undefined) return entry.end;
    try {
      if (first.form === "word" && first.text.startsWith("$") && !entry.indented) {
        this.#directive(place, first, entry.tokens.slice(1));
      } else this.#record(place, entry);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      const within = error instanceof RdataError || error instanceof PlacedError
        ? error.offset
        : undefined;
      this.#report(place, within ?? first.at, error);
    }
    return entry.end;
  }

  #directive(place: Place, directive: Token, args: readonly Token[]): void {
    const [first, second] = args;
    const name = directive.text.toUpperCase();
    switch (name) {
      case "$ORIGIN":
        expectArguments(directive, args, 1, 1, "$ORIGIN takes: name");
        place.origin = nameOf(first, place.origin);
        return;
      case "$TTL":
        expectArguments(directive, args, 1, 1, "$TTL takes: seconds");
        this.#defaultTtl = placed(first, () => parseTtl(first.text));
        return;
      case "$INCLUDE":
        expectArguments(directive, args, 1, 2, "$INCLUDE takes: file [origin]");
        this.#include(place, first, second);
        return;
      case "$GENERATE":
        throw new PlacedError(
          directive,
          "directive",
          'Cannot read "$GENERATE": it is BIND\'s own and not part of master files (RFC 1035 §5)',
          "write its records out, one a line",
        );
    }
    throw new PlacedError(
      directive,
      "directive",
      `Cannot read "${directive.text}": it is no directive known here`,
      "$ORIGIN, $TTL and $INCLUDE are; an owner that begins with $ is written \\$",
    );
  }

  #include(place: Place, file: Token, origin: Token | undefined): void {
    const { open } = this.options;
    const refused = (reason: string, hint?: string, cause?: unknown) =>
      new PlacedError(file, "include", `Cannot include "${file.text}": ${reason}`, hint, cause);
    if (!open) throw refused("files are not included here", "put its lines in its place");
    if (place.depth >= MAX_INCLUDE_DEPTH) {
      throw refused(`files nest ${MAX_INCLUDE_DEPTH} deep, perhaps in a circle`);
    }
    const path = resolvePath(place.file, file.text);
    const from = origin ? nameOf(origin, place.origin) : place.origin;
    let content: string | Uint8Array;
    try {
      content = open(path);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw refused(`${path} cannot be opened: ${why}`, undefined, cause);
    }
    this.#readFile(path, content, from, place.depth + 1);
  }

  #record(place: Place, entry: Entry): void {
    const { tokens } = entry;
    let next = 0;
    if (!entry.indented) {
      // Kept even when the rest is wrong, so that lines that follow are judged rightly.
      place.owner = this.#ownerOf(place, tokens[next++]);
    }
    const { owner } = place;
    if (owner === undefined) {
      throw new PlacedError(
        tokens[0],
        "owner-missing",
        `Cannot read "${
          tokens[0].text
        }": the line begins with a blank, and no owner name stands before it`,
        "begin the line with an owner name, or @ for the origin",
      );
    }
    let ttl: number | undefined;
    let hasClass = false;
    for (;; next++) {
      const token = tokens[next];
      if (token === undefined) throw missingType(tokens);
      if (ttl === undefined && /^[0-9]/.test(token.text)) {
        ttl = placed(token, () => parseTtl(token.text));
      } else if (!hasClass && isClass(token)) hasClass = true;
      else break;
    }
    const type = typeOf(tokens[next]);
    const rdata = placed(
      tokens[next],
      () => parseRdataTokens(type, tokens.slice(next + 1), place.origin),
    );
    if (ttl !== undefined) this.#lastTtl = ttl;
    const record = { owner, type, ttl: ttl ?? 0, rdata };
    if (ttl === undefined) record.ttl = this.#ttlFor(record, tokens[next]);
    if (type === TYPE.SOA) this.#soa ??= record;
    this.#records.push(record);
  }

  #ownerOf(place: Place, token: Token): Name {
    const { owner, ownerText, ownerOrigin, origin } = place;
    if (owner && token.text === ownerText && origin === ownerOrigin) return owner;
    const name = nameOf(token, origin);
    place.ownerText = token.text;
    place.ownerOrigin = origin;
    return name;
  }

  #ttlFor(record: ResourceRecord, token: Token): number {
    const ttl = this.#defaultTtl ?? this.#lastTtl ??
      (record.type === TYPE.SOA ? soaMinimum(record) : this.#soa?.ttl);
    if (ttl !== undefined) return ttl;
    throw new PlacedError(
      token,
      "ttl-missing",
      `Cannot read ${typeName(record.type)} record: it has no TTL, and no $TTL stands before it`,
      "begin the file with a line such as $TTL 3600",
    );
  }

  #report(place: Place, offset: number, error: Problem): void {
    const { code, message: reason, hint, token } = error;
    const line = place.text.slice(0, offset).split("\n").length;
    if (this.#problems.length === 0) this.#cause = error;
    this.#problems.push({ code, file: place.file, line, reason, hint, token });
  }
}

/** What {@link MasterFileReader} needs of an error to report it. */
interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly token?: string;
}

const NOT_UTF8: Problem = {
  code: "file-encoding",
  message: "Cannot read text: it is not UTF-8",
  hint: "write octets outside ASCII as \\DDD",
};

/** A file's text; `badAt` is where it is no UTF-8, -1 when all of it is. */
function toText(content: string | Uint8Array): { text: string; badAt: number } {
  if (typeof content === "string") return { text: content.replace(/^\ufeff/, ""), badAt: -1 };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(content), badAt: -1 };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const text = new TextDecoder().decode(content);
    return { text, badAt: text.indexOf("\ufffd") };
  }
}

/** A path as seen from the file that names it. */
function resolvePath(from: string, path: string): string {
  if (path.startsWith("/")) return path;
  return from.slice(0, from.lastIndexOf("/") + 1) + path;
}
