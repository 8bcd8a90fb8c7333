/**
 * The tokens of presentation format, for single RDATA and for master files.
 *
 * A token keeps its escapes as written: what a backslash means depends on what
 * the token is read as (in a name `\.` is a dot inside a label).
 *
 * Pure. Spec: RFC 1035 §5.1 (blanks, quotes, escapes, parentheses, comments).
 * Limitation: a quoted string may not span lines; a line end in it is nearly
 * always a forgotten quote, and `\010` writes one that is meant.
 */
import { RdataError } from "./rdata_error.ts";

/** One token of presentation format. */
export interface Token {
  /** As written, escapes kept, the quotes around a quoted string removed. */
  readonly text: string;
  /**
   * "word": without quotes; "quoted": one quoted string; "pair": a word with a
   * quoted string in or behind it, quotes kept in `text`, as in `alpn="h2,h3"`.
   */
  readonly form: "word" | "quoted" | "pair";
  /** Where it begins, its quote included: UTF-16 units from the text's start. */
  readonly at: number;
}

/** One logical line: parentheses are resolved, comments gone. */
export interface Entry {
  readonly tokens: readonly Token[];
  /** Whether it begins with a blank: in a master file, "same owner as before". */
  readonly indented: boolean;
  /** Offset behind the entry and its line end. */
  readonly end: number;
}

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/** Characters that end a word, as a table over ASCII. */
const ENDS_WORD: readonly boolean[] = Array.from(
  { length: 128 },
  (_, c) => [TAB, LF, CR, SPACE, OPEN, CLOSE, SEMICOLON].includes(c),
);

/**
 * The tokens of one RDATA in presentation format. Line ends count as blanks.
 *
 * A `;` outside quotes is refused, not taken for a comment: in a table's column
 * it is nearly always unquoted TXT, and the rest of it would vanish silently.
 *
 * @throws {RdataError} "quote-open", "parenthesis-open", "parenthesis-close",
 *   "escape-open", "comment"
 */
export function tokenize(content: string): Token[] {
  const tokens: Token[] = [];
  scan(content, 0, false, tokens);
  return tokens;
}

/**
 * The entry of a master file that begins at `from`; its tokens may be none.
 *
 * @throws {RdataError} as {@link tokenize}, without "comment"
 */
export function readEntry(text: string, from: number): Entry {
  const first = text.charCodeAt(from);
  const tokens: Token[] = [];
  const end = scan(text, from, true, tokens);
  return { tokens, indented: first === SPACE || first === TAB, end };
}

/** Adds tokens to `tokens` up to the end of the text or, by lines, of the entry; returns the offset behind it. */
function scan(
  text: string,
  from: number,
  byLines: boolean,
  tokens: Token[],
): number {
  let at = from;
  let opened = -1; // where the parenthesis now open stands
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c === SPACE || c === TAB || c === CR) at++;
    else if (c === LF) {
      at++;
      if (byLines && opened < 0) return at;
    } else if (c === SEMICOLON) {
      if (!byLines) throw commentError(text, at);
      at = lineEnd(text, at);
    } else if (c === OPEN) {
      if (opened >= 0) {
        throw parenthesisError(
          "open",
          "a second ( before the first is closed",
          at,
        );
      }
      opened = at++;
    } else if (c === CLOSE) {
      if (opened < 0) throw parenthesisError("close", "a ) without its (", at);
      opened = -1;
      at++;
    } else if (c === QUOTE) {
      const close = closingQuote(text, at);
      tokens.push({ text: text.slice(at + 1, close), form: "quoted", at });
      at = close + 1;
    } else at = scanWord(text, at, tokens);
  }
  if (opened >= 0) {
    throw parenthesisError("open", "a ( that is never closed", opened);
  }
  return at;
}

function scanWord(text: string, from: number, tokens: Token[]): number {
  let at = from;
  let form: Token["form"] = "word";
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c < 128 && ENDS_WORD[c]) break;
    if (c === BACKSLASH) {
      const escaped = text.charCodeAt(at + 1);
      if (Number.isNaN(escaped) || escaped === LF || escaped === CR) {
        throw new RdataError(
          "escape-open",
          "Cannot read text: it has a backslash with nothing behind it",
          "write \\\\ for a backslash",
          { token: text.slice(from, at + 1), offset: at },
        );
      }
      at += 2;
    } else if (c === QUOTE) {
      form = "pair";
      at = closingQuote(text, at) + 1;
    } else at++;
  }
  tokens.push({ text: text.slice(from, at), form, at: from });
  return at;
}

/** Index of the quote that closes the one at `at`. */
function closingQuote(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i;
    if (c === LF) break;
    if (c === BACKSLASH && text.charCodeAt(i + 1) !== LF) i++;
  }
  throw new RdataError(
    "quote-open",
    "Cannot read text: a quoted string is not closed on its line",
    'write \\" for a quote inside a string, \\010 for a line end',
    { token: text.slice(at, Math.min(lineEnd(text, at), at + 40)), offset: at },
  );
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function parenthesisError(
  side: "open" | "close",
  what: string,
  offset: number,
): RdataError {
  return new RdataError(
    `parenthesis-${side}`,
    `Cannot read text: it has ${what}`,
    "put a string that holds parentheses in quotes, or write \\( and \\)",
    { token: side === "open" ? "(" : ")", offset },
  );
}

function commentError(text: string, offset: number): RdataError {
  return new RdataError(
    "comment",
    `Cannot read text: an unquoted ; would begin a comment and hide "${
      text.slice(offset, offset + 40)
    }"`,
    'put the string in quotes ("v=DKIM1; k=rsa"), or write \\;',
    { token: ";", offset },
  );
}
