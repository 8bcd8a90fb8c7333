/** `zonecast zones`. */
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { toggle } from "./flags.ts";
import { list, number, object, orNull, text } from "./json_shape.ts";
import { SOURCE_FLAGS, withEditor } from "./source_flags.ts";
import { table } from "./table.ts";

export const zones = defineCommand({
  name: "zones",
  summary: "list the source's zones",
  positionals: [],
  flags: {
    json: toggle({ help: "print a JSON array", env: false }),
    ...SOURCE_FLAGS,
  },
  json: list(
    "the source's zones",
    object("a zone", {
      name: text("its name, without the last dot"),
      mname: text("SOA MNAME"),
      rname: text("SOA RNAME"),
      refresh: number("SOA REFRESH, seconds"),
      retry: number("SOA RETRY, seconds"),
      expire: number("SOA EXPIRE, seconds"),
      minimum: number("SOA MINIMUM, seconds"),
      defaultTtl: number("TTL of records without one, seconds"),
      soaTtl: orNull(number("TTL of the SOA record, seconds; null for defaultTtl")),
      serialFloor: orNull(number("published serials lie above it; null for none")),
      records: number("its enabled rows"),
    }),
  ),
  examples: ["zones", "zones --json"],
  async run({ flags }, context) {
    const found = await withEditor(flags.source, context, (editor) => editor.zones());
    found.sort((a, b) => a.settings.name < b.settings.name ? -1 : 1);
    if (flags.json) {
      const list = found.map(({ settings, records }) => ({ ...settings, records }));
      await context.print(JSON.stringify(list, null, 2) + "\n");
    } else if (found.length === 0) {
      context.complain("zonecast: the source has no zones; `zonecast zone add` makes one");
    } else {
      const rows = found.map(({ settings, records }) => [
        settings.name,
        String(records),
        String(settings.defaultTtl),
        settings.mname,
        settings.rname,
      ]);
      await context.print(table(["ZONE", "RECORDS", "TTL", "MNAME", "RNAME"], rows));
    }
    return EXIT.GOOD;
  },
});
