/** `zonecast log`. */
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { toggle } from "./flags.ts";
import { ZONE } from "./forms.ts";
import { list, maybe, number, object, text, time } from "./json_shape.ts";
import { withHistory } from "./history.ts";
import type { ZoneHistory } from "./history_parts.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { isoTime } from "./status.ts";
import { table } from "./table.ts";

/** One published version; what is not known of the oldest is left out. */
interface LoggedVersion {
  readonly serial: number;
  /** ISO 8601 in UTC. */
  readonly publishedAt?: string;
  /** Records, the SOA not counted, against the version before. */
  readonly added?: number;
  readonly removed?: number;
  /** What led to the read that found the change. */
  readonly cause?: string;
}

export const log = defineCommand({
  name: "log",
  summary: "list a zone's versions that the journal leads to, oldest first",
  details: [
    "ADDED and REMOVED count records against the version before, the SOA not among them; CAUSE " +
    "is what made zonecast read the source. Of the oldest version only its serial may be known.",
  ],
  positionals: [{ name: "ZONE", help: ZONE.takes }],
  flags: {
    json: toggle({ help: "print a JSON array", env: false }),
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: list(
    "the versions, oldest first",
    object("a version", {
      serial: number("its serial"),
      publishedAt: maybe(time("when it was published")),
      added: maybe(number("records added to the version before, the SOA not counted")),
      removed: maybe(number("records removed from it")),
      cause: maybe(text("what made zonecast read the source")),
    }),
  ),
  examples: ["log example.org", "log example.org --json"],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const versions = await withHistory(
      serverPaths(flags, context),
      zone,
      context,
      (history) => Promise.resolve(loggedVersions(history)),
    );
    await context.print(
      flags.json ? JSON.stringify(versions, null, 2) + "\n" : renderLog(versions),
    );
    return EXIT.GOOD;
  },
});

/** The versions of a history, oldest first. */
export function loggedVersions({ serial, publishedAt, entries }: ZoneHistory): LoggedVersion[] {
  const [first] = entries;
  if (!first) return [{ serial, publishedAt: isoTime(publishedAt) }];
  return [
    { serial: first.fromSerial },
    ...entries.map(({ toSerial, publishedAt, added, removed, cause }) => ({
      serial: toSerial,
      publishedAt: isoTime(publishedAt),
      added,
      removed,
      cause,
    })),
  ];
}

function renderLog(versions: readonly LoggedVersion[]): string {
  const rows = versions.map(({ serial, publishedAt, added, removed, cause }) => [
    String(serial),
    publishedAt ?? "?",
    added === undefined ? "-" : String(added),
    removed === undefined ? "-" : String(removed),
    cause ?? "-",
  ]);
  return table(["SERIAL", "PUBLISHED", "ADDED", "REMOVED", "CAUSE"], rows);
}
