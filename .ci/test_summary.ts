/**
 * What a run of test files comes to: the counts, and each failure with its message and its logs.
 *
 * Pure. Reads what `deno test` prints; of a continuous integration run often only the end is
 * shown, so the last lines have to say which test failed and why.
 */

/** A test file that was run. */
export interface FileRun {
  readonly path: string;
  /** What `deno test` printed, both outputs in their order. */
  readonly output: string;
  readonly code: number;
  readonly seconds: number;
  /** Why it was ended before it was through; undefined when it was not. */
  readonly stopped?: string;
}

export interface Failure {
  readonly path: string;
  /** The test, with its step: "a zone ... is served". */
  readonly test: string;
  /** The whole test that ran, without the step; undefined when it is not known. */
  readonly ran?: string;
  /** Its error, as printed. */
  readonly message: readonly string[];
  /** What it printed itself, process logs among it. */
  readonly output: readonly string[];
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

/** Lines of an error's message shown at the end. */
const MESSAGE_LINES = 30;
/** Lines shown of a failed test's own output, and of each process log in it: their last. */
const OUTPUT_LINES = 20;
/** Characters of a line. */
const LINE_LIMIT = 400;
/** Failures shown in full; further ones only by name. */
const SHOWN_FAILURES = 8;
/** Slow files listed. */
const SLOWEST = 10;

/** Where interop.ts begins the log of a process. */
const LOG_HEADING = /^--- log of /;
const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/;

/** The counts in the last line of its kind; undefined when the file came to none. */
function countsOf(output: string): Counts | undefined {
  const line = output.split("\n").findLast((line) => SUMMARY.test(line));
  if (line === undefined) return undefined;
  const [passed, failed, ignored] = ["passed", "failed", "ignored"]
    .map((what) => Number(new RegExp(`\\| (\\d+) ${what}`).exec(line)?.[1] ?? 0));
  return { passed, failed, ignored };
}

/** A run's counts; a file that says nothing of all its tests is one failure more. */
export function counted(run: FileRun): Counts {
  const counts = countsOf(run.output) ?? { passed: 0, failed: 0, ignored: 0 };
  return { ...counts, failed: counts.failed + (incomplete(run) === undefined ? 0 : 1) };
}

/** The lines between the last line `from` and the first of `to` behind it. */
function between(
  lines: readonly string[],
  from: string,
  to: { test(line: string): boolean },
): string[] {
  const start = lines.lastIndexOf(from);
  if (start < 0) return [];
  const length = lines.slice(start + 1).findIndex((line) => to.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length);
}

/** Without the empty lines at both ends. */
function trimmed(lines: readonly string[]): string[] {
  const text = lines.join("\n").replace(/^(?:\s*\n)+|\s+$/g, "");
  return text === "" ? [] : text.split("\n");
}

/** What a test printed: the lines between its name and its verdict, which are one line without. */
function outputOf(lines: readonly string[], test: string): string[] {
  const begins = lines.indexOf(`${test} ...`);
  if (begins < 0) return [];
  const ends = lines.findIndex((line, at) =>
    at > begins && (line.startsWith(`${test} ... `) || /^Uncaught error from /.test(line))
  );
  return lines.slice(begins + 1, ends < 0 ? undefined : ends);
}

/** The failures `deno test` lists; of a file that came to no list one for the file. */
export function failuresOf(run: FileRun): Failure[] {
  const lines = run.output.split("\n");
  // The last of their kind: what the tests print themselves may look the same.
  const errors = between(lines, " ERRORS ", /^ FAILURES $/);
  const titles = trimmed(between(lines, " FAILURES ", SUMMARY));
  const failures = titles.map((title, index) => {
    const message = between(errors, title, startOf(titles[index + 1]));
    const test = title.replace(/ => \S+:\d+:\d+$/, "").replace(/^\S+ (?=\(uncaught error\)$)/, "");
    const ran = test === "(uncaught error)" ? cancelledTest(lines) : topLevel(lines, test);
    const output = ran === undefined ? [] : outputOf(lines, ran);
    return { path: run.path, test, ran, message: trimmed(message), output: trimmed(output) };
  });
  const why = incomplete(run);
  if (why === undefined) return failures;
  const noise = lines.indexOf("Stack backtrace:"); // Deno's own, when RUST_BACKTRACE is set
  const end = trimmed(noise < 0 ? lines : lines.slice(0, noise)).slice(-MESSAGE_LINES);
  return [...failures, { path: run.path, test: `(the file ${why})`, message: end, output: [] }];
}

/** Why a file's run says nothing of all its tests; undefined when it does. */
export function incomplete(run: FileRun): string | undefined {
  if (run.stopped !== undefined) return run.stopped;
  if (countsOf(run.output) !== undefined) return undefined;
  return `exited with ${run.code} before its tests were counted`;
}

/** Matches the line a failure begins with; nothing, when there is none. */
function startOf(title: string | undefined): { test(line: string): boolean } {
  return { test: (line) => line === title };
}

/** The test that ran when an error was thrown outside of it. */
function cancelledTest(lines: readonly string[]): string | undefined {
  const line = lines.find((line) => / \.\.\. cancelled \(/.test(line));
  return line?.replace(/ \.\.\. cancelled .*/, "");
}

/** The test which a failed step belongs to, the test itself when it is none. */
function topLevel(lines: readonly string[], test: string): string | undefined {
  const parts = test.split(" ... ");
  return parts.map((_, index) => parts.slice(0, index + 1).join(" ... "))
    .find((name) => lines.some((line) => line.startsWith(`${name} ... FAILED`)));
}

function clipped(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)} … (${line.length} characters)` : line
  );
}

function head(lines: readonly string[], limit: number): string[] {
  if (lines.length <= limit) return clipped(lines);
  return [...clipped(lines.slice(0, limit)), `… ${lines.length - limit} more lines`];
}

function tail(lines: readonly string[], limit: number): string[] {
  if (lines.length <= limit) return clipped(lines);
  return [`… ${lines.length - limit} lines before`, ...clipped(lines.slice(-limit))];
}

/** The end of a test's own output, and of each process log in it. */
export function boundedOutput(lines: readonly string[]): string[] {
  const parts: { heading?: string; lines: string[] }[] = [{ lines: [] }];
  for (const line of lines) {
    if (LOG_HEADING.test(line)) parts.push({ heading: line, lines: [] });
    else parts[parts.length - 1].lines.push(line);
  }
  return parts.flatMap((part) => [
    ...(part.heading === undefined ? [] : [part.heading]),
    ...tail(part.lines, OUTPUT_LINES),
  ]);
}

/** Lines set in, so that none of them is taken for a summary line of `deno test`. */
function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `    ${line}`);
}

function nameOf({ path, test }: Failure): string {
  return `${path}: ${test}`;
}

/** Details first and names last, since the end is what is seen. */
function failureLines(failures: readonly Failure[]): string[] {
  if (failures.length === 0) return [];
  const shown = failures.slice(0, SHOWN_FAILURES);
  const whole = ({ path, ran }: Failure) => `${path}: ${ran}`;
  const outputs = new Map(shown.map((failure) => [whole(failure), failure.output]));
  return [
    ...[...outputs].filter(([, output]) => output.length > 0).flatMap(([name, output]) => [
      "",
      `=== output of ${name}`,
      ...indented(boundedOutput(output)),
    ]),
    ...shown.flatMap((failure) => [
      "",
      `=== FAILED ${nameOf(failure)}`,
      ...indented(head(failure.message, MESSAGE_LINES)),
    ]),
    "",
    "=== all that failed",
    ...failures.map(nameOf),
  ];
}

function slowest(runs: readonly FileRun[]): string[] {
  return runs.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST)
    .map(({ seconds, path }) => `${seconds.toFixed(1).padStart(7)} s  ${path}`);
}

/**
 * The last lines of a run.
 *
 * @param files  what was to be run; a file that was not is a failure
 * @param seconds  how long the run took
 * @returns the text, and whether all files ran and none failed
 */
export function summary(
  runs: readonly FileRun[],
  files: readonly string[],
  seconds: number,
): { text: string; good: boolean } {
  const ran = new Set(runs.map(({ path }) => path));
  const missing = files.filter((path) => !ran.has(path));
  const failures = runs.flatMap(failuresOf);
  const counts = runs.map(counted);
  const sum = (what: keyof Counts) => counts.reduce((total, counts) => total + counts[what], 0);
  const skipped = runs.flatMap(({ output }) => output.match(/^skipped: .*$/gm) ?? []);
  const good = failures.length === 0 && missing.length === 0;
  const lines = [
    ...(runs.length > 1 ? ["=== the slowest files", ...slowest(runs)] : []),
    ...(skipped.length > 0 ? ["", "=== skipped", ...skipped] : []),
    ...failureLines(failures),
    ...(missing.length > 0 ? ["", "=== not run to its end", ...missing] : []),
    "",
    `${good ? "good" : "NOT GOOD"}: ${sum("passed")} passed, ${sum("failed")} failed, ` +
    `${sum("ignored")} skipped; ${runs.length} of ${files.length} files in ${
      Math.round(seconds)
    } s`,
  ];
  return { text: lines.join("\n"), good };
}
