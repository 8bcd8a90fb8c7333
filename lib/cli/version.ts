/** `zonecast version`. */
import project from "../../deno.json" with { type: "json" };
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { toggle } from "./flags.ts";
import { object, text } from "./json_shape.ts";

/** zonecast's version. */
export const VERSION = project.version;

export const version = defineCommand({
  name: "version",
  summary: "print zonecast's version and what it was built with",
  positionals: [],
  flags: { json: toggle({ help: "print a JSON object", env: false }) },
  json: object("zonecast and what it was built with", {
    zonecast: text("zonecast's version"),
    deno: text("Deno's"),
    v8: text("V8's"),
    target: text("the machine it was built for"),
  }),
  examples: ["version", "version --json"],
  async run({ flags }, context) {
    const parts = {
      zonecast: VERSION,
      deno: Deno.version.deno,
      v8: Deno.version.v8,
      target: Deno.build.target,
    };
    await context.print(
      flags.json
        ? JSON.stringify(parts) + "\n"
        : `zonecast ${parts.zonecast} (Deno ${parts.deno}, V8 ${parts.v8}, ${parts.target})\n`,
    );
    return EXIT.GOOD;
  },
});
