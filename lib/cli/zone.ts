/** `zonecast zone add`, `zone set` and `zone remove`. */
import { formatName, type Name, parseName } from "../dns/mod.ts";
import type { RecordEdit, ZoneSettings } from "../source/mod.ts";
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { EXIT, UsageError } from "./errors.ts";
import { optional, repeated } from "./flags.ts";
import { MAILBOX, NAME, SERIAL, TTL, ZONE, type ZoneName } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, number, object, text } from "./json_shape.ts";
import { SOURCE_FLAGS, withEditor } from "./source_flags.ts";
import { count } from "./table.ts";

/** SOA timers and TTLs of a new zone, in seconds: RIPE-203's, with a retry and a negative TTL for zones that change often. */
export const NEW_ZONE = {
  refresh: 3600,
  retry: 600,
  expire: 1_209_600,
  minimum: 300,
  defaultTtl: 3600,
} as const;

const ZONE_ARGUMENT = { name: "ZONE", help: ZONE.takes };

/** The flags that are a zone's settings. */
function settingFlags(defaults: boolean) {
  const period = (help: string, seconds: number) =>
    optional(TTL, {
      help,
      env: false,
      defaultText: defaults ? String(seconds) : undefined,
    });
  return {
    mname: optional(NAME, {
      help: "SOA MNAME: the primary's name",
      env: false,
      defaultText: defaults ? "the first --ns" : undefined,
    }),
    rname: optional(MAILBOX, {
      help: "SOA RNAME: the mailbox of whoever runs the zone, its @ written as a dot",
      env: false,
      defaultText: defaults ? "hostmaster.ZONE" : undefined,
    }),
    ttl: period("TTL of records that have none", NEW_ZONE.defaultTtl),
    refresh: period("SOA REFRESH: how often a secondary asks", NEW_ZONE.refresh),
    retry: period("SOA RETRY: how soon it asks again", NEW_ZONE.retry),
    expire: period("SOA EXPIRE: when it gives the zone up", NEW_ZONE.expire),
    minimum: period("SOA MINIMUM: the negative TTL", NEW_ZONE.minimum),
    "serial-floor": optional(SERIAL, {
      help: "published serials lie above this one",
      env: false,
      defaultText: defaults ? "none" : undefined,
    }),
  };
}

export const zoneAdd = defineCommand({
  name: "zone add",
  summary: "make a zone",
  details: [
    "A zone needs name servers: a secondary does not load one without NS records. Give each " +
    "public secondary's name with --ns.",
    "Names are relative to the zone unless they end in a dot: --ns ns1 is ns1.ZONE.",
  ],
  positionals: [ZONE_ARGUMENT],
  flags: {
    ns: repeated(NAME, { help: "an NS record at the zone's apex", env: false }),
    ...settingFlags(true),
    ...JSON_FLAG,
    ...SOURCE_FLAGS,
  },
  json: object("the zone made", {
    zone: text("its name"),
    records: number("records it begins with"),
  }),
  examples: [
    "zone add example.org --ns ns1.provider.example. --ns ns2.provider.example.",
    "zone add example.org --ns ns1 --mname ns1 --rname hostmaster.example.org. --ttl 300",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    if (flags.ns.length === 0) {
      throw new UsageError(
        "zone add: --ns is missing; a zone needs at least one name server, such as --ns ns1.provider.example.",
      );
    }
    for (const name of flags.ns) warnIfDoubled(name, zone, "--ns", context.complain);
    const settings: ZoneSettings = {
      name: zone.text,
      mname: absolute(flags.mname ?? flags.ns[0], zone.apex),
      rname: absolute(flags.rname ?? "hostmaster", zone.apex),
      refresh: flags.refresh ?? NEW_ZONE.refresh,
      retry: flags.retry ?? NEW_ZONE.retry,
      expire: flags.expire ?? NEW_ZONE.expire,
      minimum: flags.minimum ?? NEW_ZONE.minimum,
      defaultTtl: flags.ttl ?? NEW_ZONE.defaultTtl,
      soaTtl: null,
      serialFloor: flags["serial-floor"] ?? null,
    };
    const records = flags.ns.map((name): RecordEdit => ({
      name: "@",
      type: "NS",
      content: absolute(name, zone.apex),
      ttl: null,
    }));
    await withEditor(flags.source, context, (editor) => editor.addZone(settings, records));
    if (flags.json) await printJson(context, { zone: zone.text, records: records.length });
    else await context.print(`added zone ${zone.text}\n`);
    return EXIT.GOOD;
  },
});

export const zoneSet = defineCommand({
  name: "zone set",
  summary: "change a zone's settings",
  details: [
    "What is not given stays as it is. Name servers are records: `zonecast set`.",
    "A serial floor helps when a secondary is ahead of the zone, after a state file was lost " +
    "say: give the secondary's serial, and the next version lies above it.",
  ],
  positionals: [ZONE_ARGUMENT],
  flags: { ...settingFlags(false), ...JSON_FLAG, ...SOURCE_FLAGS },
  json: object("the zone changed", {
    zone: text("its name"),
    changed: list("the settings given", text("a setting, as `zonecast zones --json` names it")),
  }),
  examples: [
    "zone set example.org --minimum 60 --ttl 5m",
    "zone set example.org --serial-floor 2026070100",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const { mname, rname, refresh, retry, expire, minimum, ttl } = flags;
    const given = Object.fromEntries(
      Object.entries({
        mname: mname && absolute(mname, zone.apex),
        rname: rname && absolute(rname, zone.apex),
        refresh,
        retry,
        expire,
        minimum,
        defaultTtl: ttl,
        serialFloor: flags["serial-floor"],
      }).filter(([, value]) => value !== undefined),
    );
    if (Object.keys(given).length === 0) {
      throw new UsageError(
        "zone set: nothing to change; it takes --mname, --rname, --ttl, --refresh, --retry, --expire, " +
          "--minimum or --serial-floor",
      );
    }
    await withEditor(flags.source, context, (editor) => editor.setZone(zone.text, given));
    if (flags.json) await printJson(context, { zone: zone.text, changed: Object.keys(given) });
    else await context.print(`changed zone ${zone.text}\n`);
    return EXIT.GOOD;
  },
});

export const zoneRemove = defineCommand({
  name: "zone remove",
  summary: "remove a zone and all its records",
  details: [
    "A server that publishes the zone serves it on until that is approved: `zonecast held ZONE` " +
    "shows the id for `zonecast approve`. With --max-shrink off it ends at once.",
  ],
  positionals: [ZONE_ARGUMENT],
  flags: { ...JSON_FLAG, ...SOURCE_FLAGS },
  json: object("the zone removed", {
    zone: text("its name"),
    removed: number("records that went with it"),
  }),
  examples: ["zone remove example.org"],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const removed = await withEditor(
      flags.source,
      context,
      (editor) => editor.removeZone(zone.text),
    );
    if (flags.json) await printJson(context, { zone: zone.text, removed });
    else {
      const what = `zone ${zone.text} and its ${count(removed, "record")}`;
      const held = `a server serves it on until you approve that: zonecast held ${zone.text}`;
      await context.print(`removed ${what}; ${held}\n`);
    }
    return EXIT.GOOD;
  },
});

/** A name of the command line, made absolute so that the source holds what was meant. */
export function absolute(name: string, apex: Name): string {
  return formatName(parseName(name, apex));
}

/** Says when a name that looks absolute is taken as relative: its last dot was forgotten. */
export function warnIfDoubled(
  name: string,
  zone: ZoneName,
  what: string,
  complain: (line: string) => void,
): void {
  const lower = name.toLowerCase();
  if (lower === zone.text || lower.endsWith(`.${zone.text}`)) {
    complain(
      `zonecast: warning: ${what} "${name}" is relative to the zone: it means ` +
        `${formatName(parseName(name, zone.apex))}; write "${name}." for the absolute name`,
    );
  }
}
