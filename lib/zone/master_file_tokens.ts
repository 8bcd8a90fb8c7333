/**
 * What the tokens of a master file's line stand for, and errors that know their
 * place in its text. Pure.
 */
import {
  findTypeCode,
  isMetaType,
  type Name,
  parseName,
  RdataError,
  type Token,
  ZonecastError,
} from "../dns/mod.ts";

/** An error whose place in the text is known; the reader adds file and line. */
export class PlacedError extends ZonecastError {
  override readonly name = "PlacedError";
  readonly token: string;
  readonly offset: number;

  constructor(token: Token, code: string, message: string, hint?: string, cause?: unknown) {
    super(code, message, hint, { cause });
    this.token = token.text;
    this.offset = token.at;
  }
}

/** Runs what reads a token; errors that know no place get the token's. */
export function placed<T>(token: Token, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    if (error instanceof RdataError && error.offset !== undefined) {
      // No token is left where a field is missing: the record's type is the place.
      if (error.token !== undefined) throw error;
    }
    throw new PlacedError(token, error.code, error.message, error.hint, error);
  }
}

/** The name a token is. @throws {PlacedError} it is none */
export function nameOf(token: Token, origin: Name): Name {
  if (token.form !== "word") {
    throw new PlacedError(
      token,
      "field-quoted",
      `Cannot read name "${token.text}": it has quotes`,
      'write a name without quotes; \\" is a quote in a name',
    );
  }
  return placed(token, () => parseName(token.text, origin));
}

/** Whether a token is the class IN; any other class is refused. */
export function isClass(token: Token): boolean {
  const text = token.text.toUpperCase();
  if (text === "IN" || text === "CLASS1") return true;
  if (/^(?:CH|CS|HS|CLASS[0-9]+)$/.test(text)) {
    throw new PlacedError(
      token,
      "class",
      `Cannot read class "${token.text}": zonecast serves class IN only`,
    );
  }
  return false;
}

/** The RR type a token names. @throws {PlacedError} it names none, or none for zones */
export function typeOf(token: Token): number {
  const type = token.form === "word" ? findTypeCode(token.text) : undefined;
  if (type !== undefined && !isMetaType(type)) return type;
  throw new PlacedError(
    token,
    "type-unknown",
    type === undefined
      ? `Cannot read "${token.text}": it is neither TTL, class nor RR type`
      : `Cannot read type "${token.text}": no record of it may stand in a zone`,
    "a line is: [owner] [TTL] [class] type RDATA; other types are written TYPEnnn",
  );
}

/** The error for an entry that ends before its type. */
export function missingType(tokens: readonly Token[]): PlacedError {
  const last = tokens[tokens.length - 1];
  return new PlacedError(
    last,
    "type-missing",
    `Cannot read record: it ends at "${last.text}", before its type`,
    "a line is: [owner] [TTL] [class] type RDATA",
  );
}

/** @throws {PlacedError} a directive has too few arguments, or too many */
export function expectArguments(
  directive: Token,
  args: readonly Token[],
  least: number,
  most: number,
  usage: string,
): void {
  if (args.length >= least && args.length <= most) return;
  throw new PlacedError(
    args[most] ?? directive,
    "directive",
    args.length < least
      ? `Cannot read "${directive.text}": its value is missing`
      : `Cannot read "${directive.text}": "${args[most].text}" is more than it takes`,
    usage,
  );
}
