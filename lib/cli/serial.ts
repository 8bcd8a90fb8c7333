/** `zonecast serial`. */
import { askServerOnce, ControlError, isJsonObject, type JsonObject } from "../ops/mod.ts";
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { EXIT, UsageError } from "./errors.ts";
import { optional } from "./flags.ts";
import { SERIAL, ZONE } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, number, object, text, yesNo } from "./json_shape.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";

/** What became of the serial, as the server answers it. */
export interface SerialAnswer extends JsonObject {
  readonly zone: string;
  /** Before. */
  readonly from: number;
  /** Now; the same where nothing had to be done. */
  readonly serial: number;
  /** False after the first of two steps. */
  readonly isAbove: boolean;
  /** Secondaries that show a serial which is not behind the new one, and so will not take it. */
  readonly ahead: { readonly secondary: string; readonly serial: number }[];
}

export const serial = defineCommand({
  name: "serial",
  summary: "raise a zone's serial above one that a secondary has",
  details: [
    "A secondary that is ahead of us takes no more changes. This publishes the zone as it is " +
    "served, under a serial above the one given; it is kept and announced when the command " +
    "returns, also while the source is away.",
    "Serials lie on a circle (RFC 1982): from one to another that is half of it ahead or more, " +
    "it takes two steps. Then the first is done, exit code 3 says that a second is to come, and " +
    "the same command goes there when all secondaries show the first.",
  ],
  positionals: [{ name: "ZONE", help: ZONE.takes }],
  flags: {
    above: optional(SERIAL, { help: "the serial to be above", env: false }),
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: object("the serial", {
    zone: text("the zone, absolute"),
    from: number("its serial before"),
    serial: number("its serial now; the same where nothing had to be done"),
    isAbove: yesNo("false after the first of two steps"),
    ahead: list(
      "secondaries that will not take it, because theirs is not behind it",
      object("a secondary", { secondary: text("its name"), serial: number("the serial it shows") }),
    ),
  }),
  examples: ["serial example.org --above 2026112800"],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    if (flags.above === undefined) {
      throw new UsageError(
        "serial: --above is missing; give the serial that the secondary shows (`zonecast status`)",
      );
    }
    const { control } = serverPaths(flags, context);
    const request = { command: "raise", zone: zone.text, above: flags.above };
    const answer = await askServerOnce(control, request, RAISE_MS);
    if (!isAnswer(answer)) {
      throw new ControlError(
        "control-malformed",
        `What answers at ${control} is no zonecast server`,
      );
    }
    if (flags.json) await printJson(context, answer);
    else await context.print(render(answer, flags.above));
    for (const { secondary, serial } of answer.ahead) {
      context.complain(
        `zonecast: warning: ${secondary} shows ${serial}, which ${answer.serial} is not above: ` +
          `zonecast serial ${zone.text} --above ${serial}`,
      );
    }
    return answer.isAbove ? EXIT.GOOD : EXIT.DIFFERENT;
  },
});

/** How long the server may take, in ms: a read that is under way ends first. */
const RAISE_MS = 60_000;

function isAnswer(value: unknown): value is SerialAnswer {
  return isJsonObject(value as JsonObject) && typeof (value as JsonObject).serial === "number";
}

function render({ zone, from, serial, isAbove }: SerialAnswer, above: number): string {
  if (!isAbove) {
    return `${zone}: serial ${from} -> ${serial}, the first of two steps: ${above} is too far ` +
      `ahead of ${from} for one (RFC 1982).\n` +
      `When \`zonecast status\` shows all secondaries at ${serial}, give the same command again.\n`;
  }
  if (from === serial) return `${zone}: serial ${serial} is above ${above} already\n`;
  return `${zone}: serial ${from} -> ${serial}\n`;
}
