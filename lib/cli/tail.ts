/** `zonecast tail`: follows changes as they are published and go live. */
import { askServer, isJsonObject, type JsonObject } from "../ops/mod.ts";
import { readArgument } from "./arguments.ts";
import { type Paint, paintFor } from "./colour.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { optional, toggle } from "./flags.ts";
import { ZONE } from "./forms.ts";
import { maybe, number, object, text, time, word } from "./json_shape.ts";
import { COUNT } from "./number_forms.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";

/** The server says that it is there at least this often; then nothing else may come for days. */
export const HEARTBEAT_MS = 3_000;

export const tail = defineCommand({
  name: "tail",
  summary: "follow changes as they are published, announced, transferred and live",
  details: [
    "Prints a line for each step of each version from now on, until Ctrl-C, or --count lines: " +
    "published; notified, when a secondary acknowledges it; transferred; live, when it shows it, " +
    "with how many of all do. What the guard holds has a line, too, and another when it is held no " +
    "more: approved, or right again in the source. Times count from the commit, where the source tells when that was.",
    "The log has the same, with the serial in each line.",
  ],
  positionals: [{ name: "ZONE", help: `only this zone: ${ZONE.takes}`, optional: true }],
  flags: {
    count: optional(COUNT, { help: "end after so many lines", env: false }),
    json: toggle({ help: "print a JSON object a line", env: false }),
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  jsonLines: true,
  json: object("what happened to a version", {
    event: word("which step", [
      "published",
      "notified",
      "transferred",
      "live",
      "behind",
      "held",
      "released",
      "missed",
    ]),
    at: time("when"),
    zone: maybe(text("the zone; absent with missed")),
    serial: maybe(number("of the version; absent with held, released and missed")),
    added: maybe(number("published: records added to the version before")),
    removed: maybe(number("published: records removed from it")),
    cause: maybe(text("published: what made zonecast read the source")),
    committedAt: maybe(time("published: when the newest change in it was committed")),
    secondary: maybe(text("the secondary that was notified, has fetched it, shows it or lags")),
    kind: maybe(text("transferred: axfr or ixfr")),
    shows: maybe(number("behind: the serial it shows")),
    live: maybe(number("live: how many secondaries have it")),
    of: maybe(number("live: how many there are")),
    ms: maybe(number("ms since the commit, else since it was published")),
    id: maybe(text("held, released: stands for the content, as approve takes it")),
    why: maybe(text("held: what exceeds which limit")),
    count: maybe(number("missed: events that were too many to be told")),
  }),
  examples: ["tail", "tail example.org --json", "tail example.org --count 5"],
  async run({ flags, args }, context) {
    const zone = args[0] === undefined ? undefined : readArgument("ZONE", ZONE, args[0]);
    const { control } = serverPaths(flags, context);
    const request = { command: "tail", ...(zone && { zone: zone.text }) };
    const paint = paintFor(context);
    let left = flags.count ?? Infinity;
    for await (const answer of askServer(control, request)) {
      if (!isJsonObject(answer)) continue;
      if (answer.following) {
        const what = zone ? zone.text : "all zones";
        if (context.errIsTerminal) context.complain(`zonecast: following ${what}; Ctrl-C ends it`);
      }
      if (answer.event === undefined) continue; // the server is there, and nothing happened
      await context.print(flags.json ? JSON.stringify(answer) + "\n" : line(answer, paint));
      if (--left <= 0) break;
    }
    return EXIT.GOOD;
  },
});

/** An event for people. */
function line(event: JsonObject, paint: Paint): string {
  const { zone = "", serial = "" } = event;
  const time = String(event.at).slice(11, 23);
  const head = [paint.faint(time), String(zone), serial === "" ? "" : paint.strong(String(serial))]
    .filter(Boolean).join("  ");
  return `${head}  ${happened(event, paint)}\n`;
}

function happened(event: JsonObject, paint: Paint): string {
  const { secondary, ms, added, removed, cause, kind, live, of, shows, count, id, why } = event;
  const after = ms === undefined ? "" : `, ${String(ms)} ms`;
  switch (event.event) {
    case "published":
      return `published +${String(added)} -${String(removed)} (${String(cause)})${
        ms === undefined ? "" : `, ${String(ms)} ms after the commit`
      }`;
    case "notified":
      return `notified ${String(secondary)}${after}`;
    case "transferred":
      return `transferred to ${String(secondary)}: ${String(kind ?? "?").toUpperCase()}${after}`;
    case "live":
      return paint.good(`live on ${String(secondary)} (${String(live)} of ${String(of)})`) + after;
    case "behind":
      return paint.bad(`${String(secondary)} is behind, shows ${String(shows ?? "nothing")}`) +
        after;
    case "held":
      return `${paint.warn(`held as ${String(id)}`)}: ${String(why)}`;
    case "released":
      return paint.good(`${String(id)} is held no more`);
    case "missed":
      return paint.warn(`${String(count)} events were too many to be told`);
    default:
      return String(event.event);
  }
}
