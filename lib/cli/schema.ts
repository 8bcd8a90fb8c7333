/** `zonecast schema` and `zonecast schema apply`. */
import { applySchema, printSchema } from "../source/mod.ts";
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { SOURCE_FLAGS, sourceUrl } from "./source_flags.ts";

export const schema = defineCommand({
  name: "schema",
  summary: "print the SQL that installs zonecast's schema in Postgres",
  details: ["For those who apply it by their own means; `zonecast schema apply` does it for you."],
  positionals: [],
  flags: {},
  examples: ["schema", "schema | psql app"],
  async run(_input, context) {
    await context.print(printSchema());
    return EXIT.GOOD;
  },
});

export const schemaApply = defineCommand({
  name: "schema apply",
  summary: "install zonecast's schema in the source, or bring it up to date",
  details: [
    "Numbered migrations, each applied once and in one transaction; applying again changes " +
    "nothing. A SQLite source gets its tables by itself.",
  ],
  positionals: [],
  flags: SOURCE_FLAGS,
  examples: ["schema apply --source postgres://app@127.0.0.1/app"],
  async run({ flags }, context) {
    const applied = await applySchema(sourceUrl(flags.source, context));
    await context.print(
      applied.length === 0
        ? "the schema is up to date\n"
        : applied.map((migration) => `applied ${migration}\n`).join(""),
    );
    return EXIT.GOOD;
  },
});
