/** What is wrong in a master file, with file and line. Pure. */
import { ZonecastError } from "../dns/mod.ts";

/** One thing wrong in a master file. */
export interface MasterFileProblem {
  readonly code: string;
  /** As given, or as `$INCLUDE` completed it. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** What happened, to which token. */
  readonly reason: string;
  readonly hint?: string;
  /** The offending token, where there is one. */
  readonly token?: string;
}

/** A problem as one line, `file:line: reason`. */
export function formatProblem(problem: MasterFileProblem): string {
  return `${problem.file}:${problem.line}: ${problem.reason}`;
}

/** A master file that cannot be read. Its code, message and hint are those of the first problem. */
export class MasterFileError extends ZonecastError {
  override readonly name = "MasterFileError";

  /** @param problems  in the order met, at least one */
  constructor(readonly problems: readonly MasterFileProblem[], options?: ErrorOptions) {
    const [first, ...others] = problems;
    const more = others.length > 0 ? ` (and ${others.length} more)` : "";
    super(first.code, formatProblem(first) + more, first.hint, options);
  }

  get file(): string {
    return this.problems[0].file;
  }

  get line(): number {
    return this.problems[0].line;
  }

  get token(): string | undefined {
    return this.problems[0].token;
  }
}
