/** What the operator is told, out of zonecast's log in JSON: found, and made short for the table. Pure. */

/** One line of the log. */
export interface LogEvent {
  readonly event: string;
  readonly level: string;
  readonly time: string;
  readonly [field: string]: unknown;
}

/** One thing the operator is told. */
export interface Told {
  /** In the table's words. */
  readonly what: string;
  /** What to do, as the log has it. */
  readonly hint?: string;
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
export function toldOf(line: LogEvent, afterMs: number): Told {
  const { event, reason, error, hint } = line;
  const why = reason ?? error ?? line.why;
  const what = typeof why === "string" ? `\`${event}\`: ${why}` : `\`${event}\``;
  const after = afterMs < 0 ? "" : ` (after ${seconds(afterMs)})`;
  return {
    what: withoutPlaces(what) + after,
    hint: typeof hint === "string" ? withoutPlaces(hint) : undefined,
  };
}

function withoutPlaces(text: string): string {
  return PLACES.reduce((shorter, [place, short]) => shorter.replace(place, short), text);
}

/** A time as the table has it: "40 ms", "5.1 s". */
export function seconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
