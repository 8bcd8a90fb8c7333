/** What the operator is told, out of zonecast's log in JSON: found, and made short for the table. Pure. */

/** One line of the log. */
export interface LogEvent {
  readonly event: string;
  readonly level: string;
  readonly time: string;
  readonly [field: string]: unknown;
}

/** The whole lines of a log; what is no JSON is left out. */
export function logEvents(log: string): LogEvent[] {
  return log.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    try {
      return [JSON.parse(line) as LogEvent];
    } catch {
      return []; // begun to be written
    }
  });
}

/** Places of this run, which say nothing to a reader. */
const PLACES: readonly [RegExp, string][] = [
  [/postgres (?:\S+@)?[\w.]+:\d+\/\w+/g, "postgres"],
  [/127\.0\.0\.1:\d+/g, "127.0.0.1"],
  [/\/tmp\/[\w./-]+\/([\w.-]+)/g, "$1"],
];

/**
 * The line for a reader: event, reason and what to do.
 *
 * @param afterMs  from the fault to the line; below 0 where it was said before
 */
export function toldOf(line: LogEvent, afterMs: number): string {
  const { event, reason, error, hint } = line;
  const why = reason ?? error ?? line.why;
  let text = `\`${event}\``;
  if (typeof why === "string") text += `: ${why}`;
  if (typeof hint === "string") text += `; ${hint}`;
  for (const [place, short] of PLACES) text = text.replace(place, short);
  return afterMs < 0 ? text : `${text} (after ${seconds(afterMs)})`;
}

/** A time as the table has it: "40 ms", "5.1 s". */
export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
