/** `zonecast schema` and `zonecast schema apply`. */
import { applySchema, grantServingRole, printSchema } from "../source/mod.ts";
import { type Context, defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { optional } from "./flags.ts";
import { ROLE } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, maybe, object, text, yesNo } from "./json_shape.ts";
import { Progress } from "./progress.ts";
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
    "--role makes a role to serve with, unless it is there, and grants it what serving takes: " +
    "reading zones and records, writing what became of them. Give it after every new version.",
  ],
  positionals: [],
  flags: {
    ...SOURCE_FLAGS,
    role: optional(ROLE, {
      help: "make this role, to serve with, and grant it its rights",
      env: false,
    }),
    ...JSON_FLAG,
  },
  json: object("what was done", {
    applied: list("the migrations applied, in order", text("the name of one")),
    role: maybe(object("the role to serve with, where one was asked for", {
      name: text("its name"),
      made: yesNo("whether it was made; false: it was there"),
      excess: list("what every role may do beside here", text("the SQL that takes it away")),
    })),
  }),
  examples: [
    "schema apply --source postgres://app@127.0.0.1/app",
    "schema apply --role zonecast",
  ],
  async run({ flags }, context) {
    const url = sourceUrl(flags.source, context);
    using progress = new Progress(context);
    const applied = await progress.during("applying the schema", applySchema(url));
    if (flags.json) {
      const name = flags.role;
      const role = name === undefined ? undefined : { name, ...await grantServingRole(url, name) };
      await printJson(context, { applied, role });
      return EXIT.GOOD;
    }
    await context.print(
      applied.length === 0
        ? "the schema is up to date\n"
        : applied.map((migration) => `applied ${migration}\n`).join(""),
    );
    if (flags.role !== undefined) await applyRole(url, flags.role, context);
    return EXIT.GOOD;
  },
});

async function applyRole(url: string, role: string, context: Context): Promise<void> {
  const { made, excess } = await grantServingRole(url, role);
  await context.print(
    made
      ? `made the role ${role}, without a password: \\password in psql gives it one\n`
      : `granted the role ${role} what serving takes\n`,
  );
  for (const statement of excess) {
    context.complain(`zonecast: every role may do more here; to take that away: ${statement}`);
  }
}
