/** The tokens of one RDATA, taken field by field. Owns its position. */
import type { Name } from "../name.ts";
import { RdataError } from "../rdata_error.ts";
import type { Token } from "../tokenizer.ts";
import { typeName } from "../types.ts";

/** Longest piece of a token shown in a message, in characters. */
const MAX_SHOWN = 60;

/** The tokens of one RDATA and what is needed to read them and to say what is wrong. */
export class RdataInput {
  /** The field being read, for errors. */
  field = "";
  #at = 0;

  /**
   * @param origin  completes relative names
   * @param takes  the fields of the type, for hints
   */
  constructor(
    readonly type: number,
    readonly tokens: readonly Token[],
    readonly origin: Name,
    readonly takes: string,
  ) {}

  /** Whether all tokens are taken. */
  get done(): boolean {
    return this.#at >= this.tokens.length;
  }

  /** The next token without taking it. */
  peek(): Token | undefined {
    return this.tokens[this.#at];
  }

  /**
   * The next token, whatever its form.
   *
   * @throws {RdataError} "field-missing"
   */
  any(): Token {
    const token = this.tokens[this.#at++];
    if (token === undefined) throw this.missing();
    return token;
  }

  /** The next token, a word. @throws {RdataError} "field-missing", "field-quoted" */
  word(): string {
    const token = this.any();
    if (token.form !== "word") {
      throw this.wrong(token, "has quotes where none belong", "field-quoted");
    }
    return token.text;
  }

  /** The next token, a word or one quoted string. @throws {RdataError} "field-missing", "field-quoted" */
  string(): Token {
    const token = this.any();
    if (token.form === "pair") {
      throw this.wrong(
        token,
        "has a quote in the middle of a word",
        "field-quoted",
        'put the whole string in quotes, or write \\"',
      );
    }
    return token;
  }

  /** The token taken last. */
  get last(): Token {
    return this.tokens[this.#at - 1];
  }

  /** The error for tokens that ran out. */
  missing(): RdataError {
    const last = this.tokens.at(-1);
    return new RdataError(
      "field-missing",
      `Cannot read ${typeName(this.type)}: ${this.field} is missing`,
      this.#usage(),
      {
        field: this.field,
        offset: last ? last.at + last.text.length : 0,
      },
    );
  }

  /** The error for a token that is not what the field takes; its message names both. */
  wrong(
    token: Token,
    reason: string,
    code = "field-malformed",
    hint?: string,
    cause?: unknown,
  ): RdataError {
    const shown = token.text.length > MAX_SHOWN ? token.text.slice(0, MAX_SHOWN) + "…" : token.text;
    return new RdataError(
      code,
      `Cannot read ${typeName(this.type)} ${this.field} "${shown}": it ${reason}`,
      hint ?? this.#usage(),
      { field: this.field, token: token.text, offset: token.at },
      cause === undefined ? undefined : { cause },
    );
  }

  /** @throws {RdataError} "field-extra" when a token is left */
  finish(): void {
    const token = this.peek();
    if (token === undefined) return;
    this.field = "content";
    throw this.wrong(token, "is more than the type takes", "field-extra");
  }

  #usage(): string {
    return `${typeName(this.type)} takes: ${this.takes}`;
  }
}
