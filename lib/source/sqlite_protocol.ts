/**
 * What the main thread and the SQLite source's worker say to each other. Pure.
 */
import { ZonecastError } from "../dns/mod.ts";
import { SourceError, type SourceErrorCode } from "./errors.ts";
import type {
  Reading,
  SourceEditor,
  SourceLink,
  SourceRow,
  WakeReason,
  ZoneSettings,
} from "./source.ts";

/** The operations of an editor, as its interface has them. */
export type EditOperation = Exclude<keyof SourceEditor, "close">;

/** What the main thread asks. */
export type Request =
  & { readonly id: number }
  & (
    /** Watch the file and tell of changes, from now on. */
    | { readonly kind: "watch"; readonly path: string; readonly create: boolean }
    /** Read everything; batches of rows come first, each to be answered by `more`. */
    | { readonly kind: "read"; readonly path: string }
    /** A batch of the read of this id was taken. */
    | { readonly kind: "more" }
    /** Give the read of this id up. */
    | { readonly kind: "stop" }
    | {
      readonly kind: "edit";
      readonly path: string;
      readonly op: EditOperation;
      readonly args: readonly unknown[];
    }
    | { readonly kind: "close" }
  );

/** An error as it travels. */
export interface ErrorFields {
  readonly name: string;
  /** Undefined for one that is no {@link ZonecastError}. */
  readonly code: string | undefined;
  readonly message: string;
  readonly hint: string | undefined;
}

/** What the worker says. */
export type Reply =
  | {
    readonly kind: "rows";
    readonly id: number;
    readonly rows: readonly SourceRow[];
    /** All zones; with a read's first batch only. */
    readonly zones: readonly ZoneSettings[] | undefined;
  }
  | { readonly kind: "done"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorFields }
  | { readonly kind: "wake"; readonly reason: WakeReason }
  | { readonly kind: "link"; readonly link: SourceLink };

/** The answer to a `read`. */
export type ReadAnswer = Reading;

export function errorFields(error: unknown): ErrorFields {
  if (error instanceof ZonecastError) {
    const { name, code, message, hint } = error;
    return { name, code, message, hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { name: "Error", code: undefined, message, hint: undefined };
}

export function errorFromFields({ name, code, message, hint }: ErrorFields): ZonecastError {
  if (code === undefined) return new SourceError("source-query-failed", message, hint);
  return name === "SourceError"
    ? new SourceError(code as SourceErrorCode, message, hint)
    : new ZonecastError(code, message, hint);
}
