/** `zonecast held`. */
import { canonicalKey } from "../dns/mod.ts";
import { askServer, ControlError, isJsonObject } from "../ops/mod.ts";
import { storedHolds } from "../primary.ts";
import type { StateStore } from "../store/mod.ts";
import type { ZoneDiff } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { toggle } from "./flags.ts";
import { ZONE, type ZoneName } from "./forms.ts";
import {
  HELD_LIST_SHAPE,
  heldJson,
  heldLines,
  heldOf,
  type HeldStatus,
  heldTable,
} from "./held_status.ts";
import { readDifferences } from "./history_parts.ts";
import { printJson } from "./json_output.ts";
import { askOrRead } from "./live.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { inPieces } from "./zone_text.ts";

export const held = defineCommand({
  name: "held",
  summary: "list changes that are held until they are approved, or show those of a zone",
  details: [
    "The guard holds a change that looks like a mistake: more of a zone gone or replaced than " +
    "--max-shrink and --max-change of `zonecast serve` let pass, its name servers exchanged, or " +
    "the zone itself gone. Held owners are served as before; all else is published.",
    "With ZONE its records are shown, those that would go behind -, those that would come " +
    "behind +: the first ten thousand or so.",
  ],
  positionals: [{ name: "ZONE", help: ZONE.takes, optional: true }],
  flags: {
    json: toggle({ help: "print a JSON array", env: false }),
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: HELD_LIST_SHAPE,
  examples: ["held", "held example.org", "held --json"],
  async run({ flags, args }, context) {
    const zone = args[0] === undefined ? undefined : readArgument("ZONE", ZONE, args[0]);
    const paths = serverPaths(flags, context);
    const found: HeldStatus[] = [];
    const request = { command: "held", ...zone && { zone: zone.text } };
    const offline = (store: StateStore) => stored(store, zone);
    for await (const part of askOrRead(paths, request, offline, context)) {
      if (isJsonObject(part)) found.push(part as HeldStatus);
    }
    found.sort((a, b) => a.zone < b.zone ? -1 : 1);
    const now = Date.now();
    if (!zone) {
      if (flags.json) await printJson(context, found);
      else await context.print(heldTable(found, now) || "nothing is held\n");
      return EXIT.GOOD;
    }
    const [one] = found;
    const difference = one && await differenceOf(paths.control, zone);
    if (flags.json) await printJson(context, one ? [heldJson(one, difference)] : []);
    else if (!one) await context.print(`nothing is held of ${zone.text}\n`);
    else {
      for (const piece of inPieces(heldLines(one, difference, now))) await context.print(piece);
    }
    return EXIT.GOOD;
  },
});

async function* stored(store: StateStore, zone: ZoneName | undefined) {
  const { zones, guard } = await store.load();
  const published = new Set(zones.map(({ version }) => version.apexKey));
  yield* heldOf(storedHolds(guard), zone, ({ apex }) => published.has(canonicalKey(apex)));
}

/** The first of a hold's records; undefined when the server does not have them, or none runs. */
async function differenceOf(control: string, zone: ZoneName): Promise<ZoneDiff | undefined> {
  try {
    const parts = askServer(control, { command: "held-difference", zone: zone.text });
    return (await readDifferences(parts))?.[0];
  } catch (error) {
    if (error instanceof ControlError && error.code === "no-server") return undefined;
    throw error;
  }
}
