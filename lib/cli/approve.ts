/** `zonecast approve`. */
import { askServerOnce, isJsonObject } from "../ops/mod.ts";
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { CommandError, EXIT } from "./errors.ts";
import { HOLD_ID, ZONE } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { maybe, number, object, text, word } from "./json_shape.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";

export const approve = defineCommand({
  name: "approve",
  summary: "publish a change that is held",
  details: [
    "Releases exactly the content that `zonecast held ZONE` shows under this ID. If the source " +
    "has other content by now, nothing is released: what exceeds again is held under a new id.",
    "In Postgres the same is: select zonecast.approve('ZONE', 'ID')",
  ],
  positionals: [
    { name: "ZONE", help: ZONE.takes },
    { name: "ID", help: HOLD_ID.takes },
  ],
  flags: { ...JSON_FLAG, ...CONTROL_FLAG, ...STATE_FLAG },
  json: object("what became of it", {
    zone: text("the zone"),
    id: text("what was approved"),
    state: word("approved: it is published when the source can be read", ["released", "approved"]),
    serial: maybe(number("released: the serial it is published with")),
  }),
  examples: ["approve example.org 3f9ac01b2d4e", "approve example.org 3f9ac01b2d4e --json"],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const id = readArgument("ID", HOLD_ID, args[1]);
    const { control } = serverPaths(flags, context);
    const answer = await askServerOnce(control, { command: "approve", zone: zone.text, id });
    const { state, serial, held } = isJsonObject(answer) ? answer : {};
    if (state === "changed") {
      throw new CommandError(
        "hold-changed",
        `Nothing of ${zone.text} was released: its content is no longer that of ${id}`,
        held === undefined
          ? "nothing is held of it any more"
          : `look again with \`zonecast held ${zone.text}\`; it is held as ${held} now`,
      );
    }
    if (flags.json) {
      await printJson(context, { zone: zone.text, id, state, serial });
      return EXIT.GOOD;
    }
    await context.print(
      state === "released"
        ? `released ${id} of ${zone.text}: serial ${serial}\n`
        : `approved ${id} of ${zone.text}; it is published when the source can be read\n`,
    );
    return EXIT.GOOD;
  },
});
