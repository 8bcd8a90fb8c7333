/** `zonecast status`. */
import { formatName } from "../dns/mod.ts";
import { storedHolds } from "../primary.ts";
import type { StateStore } from "../store/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import { paintFor, paintStatus } from "./colour.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { heldStatus } from "./held_status.ts";
import { JSON_FLAG } from "./json_output.ts";
import { askOrRead } from "./live.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { assembleReport, type ZoneStatus } from "./status_report.ts";
import { STATUS_SHAPE } from "./status_shape.ts";
import { renderReport } from "./status_text.ts";

export const status = defineCommand({
  name: "status",
  summary: "show the running server: source, zones with their serials, secondaries",
  details: [
    "With no server running, the zones of its state file are shown, and standard error says so.",
  ],
  positionals: [],
  flags: {
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: STATUS_SHAPE,
  examples: ["status", "status --json"],
  async run({ flags }, context) {
    const paths = serverPaths(flags, context);
    const parts = askOrRead(paths, { command: "status" }, storedZones, context);
    const report = await assembleReport(parts);
    await context.print(
      flags.json
        ? JSON.stringify(report, null, 2) + "\n"
        : paintStatus(renderReport(report, Date.now()), paintFor(context)),
    );
    return EXIT.GOOD;
  },
});

async function* storedZones(store: StateStore) {
  const { zones, guard } = await store.load();
  for (const { version, publishedAt } of zones) yield { zone: zoneStatus(version, publishedAt) };
  for (const hold of storedHolds(guard)) yield { held: heldStatus(hold) };
}

/** A zone's line of the report. */
export function zoneStatus(version: ZoneVersion, publishedAt: number | undefined): ZoneStatus {
  return {
    zone: formatName(version.apex),
    serial: version.serial,
    records: version.records,
    octets: version.wireOctets,
    publishedAt: isoTime(publishedAt),
  };
}

/** A time for JSON. */
export function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
