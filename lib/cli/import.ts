/** `zonecast import`. */
import { canonicalKey, findTypeCode, parseName, type ResourceRecord } from "../dns/mod.ts";
import { escapeControls } from "../ops/mod.ts";
import {
  type RecordEdit,
  type Restored,
  type SourceEditor,
  SourceError,
  type ZoneSettings,
} from "../source/mod.ts";
import { equalRecords, isBadRow, makeSoa, ZoneBuild } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { paintFor } from "./colour.ts";
import { type Context, defineCommand } from "./command.ts";
import { paintedDiff } from "./diff_text.ts";
import { absolute } from "./zone.ts";
import { CommandError, EXIT, UsageError } from "./errors.ts";
import { optional, repeated, toggle } from "./flags.ts";
import { NAME, ZONE, type ZoneName } from "./forms.ts";
import { zoneFromFile } from "./import/from_file.ts";
import { zoneFromPowerdns } from "./import/from_powerdns.ts";
import { zoneFromServer } from "./import/from_server.ts";
import { type ImportedZone, placeholderNotes } from "./import/imported.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, maybe, number, object, orNull, text, yesNo } from "./json_shape.ts";
import { Progress } from "./progress.ts";
import { ASK_FLAGS, SERVER } from "./server_form.ts";
import { SOURCE_FLAGS, SOURCE_URL, sourceUrl, withEditor } from "./source_flags.ts";
import { planLines, rowList } from "./source_plan.ts";
import { count } from "./table.ts";
import { inPieces } from "./zone_text.ts";

const FLAGS = {
  from: optional(SERVER, { help: "take the zone from this server, by AXFR", env: false }),
  "from-powerdns": optional({ ...SOURCE_URL, placeholder: "URL" }, {
    help: "take it from a PowerDNS database: gpgsql's tables, or sqlite:FILE of gsqlite3",
    env: false,
  }),
  ns: repeated(NAME, {
    help: "name servers at the zone's apex, in place of those that come with it",
    env: false,
  }),
  "without-dnssec": toggle({
    help: "leave out signatures, keys and denials, which nobody renews here",
    env: false,
  }),
  "dry-run": toggle({ help: "only print what would change in the source", env: false }),
  ...ASK_FLAGS,
  ...JSON_FLAG,
  ...SOURCE_FLAGS,
};

/** Records that belong to a signed zone; the last is BIND's own. */
const DNSSEC_TYPES: ReadonlySet<number | undefined> = new Set(
  [
    ...["RRSIG", "NSEC", "DNSKEY", "NSEC3", "NSEC3PARAM", "CDS", "CDNSKEY", "ZONEMD"],
    "TYPE65534",
  ].map(findTypeCode),
);

export const importZone = defineCommand({
  name: "import",
  summary: "replace a zone's records by those of a file, another server or a PowerDNS database",
  details: [
    "Replaces the zone's settings and records in one transaction; the zone is made if it is not " +
    "there. Its SOA record gives the settings, and its serial is one that published serials will " +
    "lie above. With --dry-run it prints what would go from the source behind -, what would come " +
    "behind +, and changes nothing.",
    "A file is an RFC 1035 master file: names are relative to the zone until $ORIGIN says " +
    "otherwise; $INCLUDE is followed, BIND's $GENERATE written out. Exports of Cloudflare and " +
    "Hetzner are known by what stands in them; what is read otherwise than written is said.",
    "--from takes the zone by AXFR, signed with key=KEY where --tsig-key-file has it. " +
    "--from-powerdns reads the tables domains and records; with ?schema=NAME those of a schema. " +
    "What only PowerDNS can answer, ALIAS and LUA, is refused.",
  ],
  positionals: [
    { name: "ZONE", help: ZONE.takes },
    { name: "FILE", help: "the file; - for standard input", optional: true, isPath: true },
  ],
  flags: FLAGS,
  json: object("what was imported, or would be", {
    zone: text("the zone"),
    from: text("where it came from"),
    provider: orNull(text("whose export it was taken for; null for nobody's in particular")),
    written: yesNo("whether the source was changed; false with --dry-run"),
    records: number("its records beside the SOA"),
    serial: orNull(number("published serials will lie above it; null for none")),
    notes: list("what was read otherwise than written, or should be known", text("a sentence")),
    soa: maybe(yesNo("with --dry-run: whether the SOA's fields change")),
    removed: maybe(rowList("with --dry-run: rows that would go")),
    added: maybe(rowList("with --dry-run: records that would come")),
  }),
  examples: [
    "import example.org example.org.zone",
    "import example.org cloudflare.txt --ns ns1.provider.example. --ns ns2.provider.example. --dry-run",
    "import example.org --from 192.0.2.53,key=move.example.org --tsig-key-file move.key",
    "import example.org --from-powerdns postgres://pdns@127.0.0.1/pdns",
    "import example.org - < example.org.zone",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const taken = await takeZone(zone, args[1], flags, context);
    const imported = adjusted(taken, zone, flags.ns, flags["without-dnssec"]);
    checkServable(zone, imported, context);
    for (const note of imported.notes) {
      context.complain(escapeControls(`zonecast: note: ${note}`));
    }
    const { settings, edits } = imported;
    const plan = await withEditor(flags.source, context, async (editor) => {
      if (flags["dry-run"]) {
        const isSqlite = sourceUrl(flags.source, context).startsWith("sqlite:");
        return await planned(editor, zone, imported, isSqlite);
      }
      await editor.replaceZone(settings, edits);
    });
    if (flags.json) await printJson(context, outcomeJson(imported, zone, plan));
    else await printOutcome(imported, zone, plan, context);
    return EXIT.GOOD;
  },
});

type Flags = Pick<
  Parameters<Parameters<typeof defineCommand<typeof FLAGS>>[0]["run"]>[0]["flags"],
  "from" | "from-powerdns" | "key" | "tsig-key-file" | "tls-ca"
>;

/** The zone from the one place that is named. @throws {UsageError} none is, or two */
async function takeZone(
  zone: ZoneName,
  file: string | undefined,
  flags: Flags,
  context: Context,
): Promise<ImportedZone> {
  const { from, "from-powerdns": powerdns } = flags;
  const places = [file, from, powerdns].filter((place) => place !== undefined);
  if (places.length !== 1) {
    throw new UsageError(
      places.length === 0
        ? "import: FILE is missing; usage: zonecast import ZONE FILE, or --from SERVER, or --from-powerdns URL"
        : "import: FILE, --from and --from-powerdns exclude each other",
    );
  }
  if (from) return await zoneFromServer(from, flags, zone, context);
  if (powerdns) return await zoneFromPowerdns(powerdns, zone, context);
  return await zoneFromFile(file!, zone, context);
}

/** The zone with the name servers wanted, and without what is not. */
function adjusted(
  imported: ImportedZone,
  zone: ZoneName,
  ns: readonly string[],
  withoutDnssec: boolean,
): ImportedZone {
  const notes = [...imported.notes, ...placeholderNotes(imported.settings)];
  const isSigning = ({ type }: RecordEdit) => DNSSEC_TYPES.has(findTypeCode(type));
  let edits = imported.edits;
  const signing = edits.filter(isSigning).length;
  if (withoutDnssec) edits = edits.filter((edit) => !isSigning(edit));
  else if (signing > 0) {
    notes.push(
      `${count(signing, "record")} of a signed zone: nobody renews signatures here, and a record ` +
        "changed has none; --without-dnssec leaves them out, once the DS at the parent is gone",
    );
  }
  if (ns.length > 0) {
    edits = [
      ...edits.filter(({ name, type }) => type !== "NS" || !isApex(name, zone)),
      ...ns.map((name): RecordEdit => ({
        name: "@",
        type: "NS",
        content: absolute(name, zone.apex),
        ttl: null,
      })),
    ];
  }
  return { ...imported, edits, notes };
}

function isApex(name: string, zone: ZoneName): boolean {
  return canonicalKey(parseName(name, zone.apex)) === canonicalKey(zone.apex);
}

/**
 * Judges the zone as the server will. What would not be served is refused; what
 * would be served otherwise than written is warned of.
 */
function checkServable(
  zone: ZoneName,
  { settings, edits, provider }: ImportedZone,
  context: Context,
): void {
  using progress = new Progress(context);
  progress.show(`${zone.text}: checking records`, edits.length);
  const build = new ZoneBuild(settings);
  for (const edit of edits) build.add(edit);
  const steps = build.finish(undefined, { policy: "increment", nowMs: 0, floors: [] });
  while (!steps.next().done); // steps are places to pause; there is nobody to pause for
  progress.end();
  const { listed, bad } = build.problems;
  for (const problem of listed) {
    const { name, type, reason } = problem;
    const what = [name || zone.text, type].filter(Boolean).join(" ");
    const kind = isBadRow(problem) ? "" : "warning: ";
    context.complain(escapeControls(`zonecast: ${kind}${what}: ${reason}`));
  }
  if (bad === 0) return;
  const flattened = listed.some(({ code, name }) =>
    code === "cname-and-other-data" && isApex(name, zone)
  );
  throw new CommandError(
    "import-unservable",
    `Cannot import ${zone.text}: ${count(bad, "problem")}, as above`,
    flattened && provider === "Cloudflare"
      ? "Cloudflare answers a CNAME at the apex with addresses: write those in its place"
      : provider === "PowerDNS"
      ? "write addresses in place of ALIAS and LUA records; the zone is as it was"
      : "mend the file; the zone is as it was",
  );
}

/** What would change in the source. */
interface Plan extends Restored {
  /** The zone as the source has it; undefined where it has none. */
  readonly existing: ZoneSettings | undefined;
  readonly before: ResourceRecord | undefined;
  readonly after: ResourceRecord;
  readonly soa: boolean;
}

async function planned(
  editor: SourceEditor,
  zone: ZoneName,
  { settings, edits }: ImportedZone,
  isSqlite: boolean,
): Promise<Plan> {
  const key = canonicalKey(zone.apex);
  const existing = (await zonesOf(editor, isSqlite)).find(({ name }) =>
    canonicalKey(parseName(name)) === key
  );
  const serial = settings.serialFloor ?? 0;
  const before = existing && makeSoa(zone.apex, existing, existing.serialFloor ?? 0);
  const after = makeSoa(zone.apex, settings, serial);
  const { removed, added } = existing
    ? await editor.restoreZone(zone.text, settings, edits, true)
    : { removed: [], added: edits };
  return { existing, before, after, soa: !before || !equalRecords(before, after), removed, added };
}

/** The source's zones; none where a SQLite file is yet to be made, as the import itself would. */
async function zonesOf(editor: SourceEditor, isSqlite: boolean): Promise<ZoneSettings[]> {
  try {
    return (await editor.zones()).map(({ settings }) => settings);
  } catch (error) {
    if (isSqlite && error instanceof SourceError && error.code === "source-unreachable") return [];
    throw error;
  }
}

function outcomeJson(imported: ImportedZone, zone: ZoneName, plan: Plan | undefined) {
  const { from, provider = null, settings, edits, notes } = imported;
  return {
    zone: zone.text,
    from,
    provider,
    written: !plan,
    records: edits.length,
    serial: settings.serialFloor,
    notes,
    ...(plan && { soa: plan.soa, removed: plan.removed, added: plan.added }),
  };
}

async function printOutcome(
  { settings, edits, from }: ImportedZone,
  zone: ZoneName,
  plan: Plan | undefined,
  context: Context,
): Promise<void> {
  const above = settings.serialFloor === null
    ? ""
    : `; published serials will lie above ${settings.serialFloor}`;
  if (!plan) {
    const records = `${count(edits.length, "record")} beside the SOA`;
    await context.print(`imported zone ${zone.text}: ${records}${above}\n`);
    return;
  }
  const paint = paintFor(context);
  const soa = plan.soa ? { before: plan.before, after: plan.after } : undefined;
  const lines = planLines(plan, soa, plan.existing ?? settings, zone);
  for (const piece of inPieces(paintedDiff(lines, paint))) await context.print(piece);
  const { removed, added } = plan;
  await context.print(
    `would import zone ${zone.text} from ${from}: ${count(removed.length, "record")} removed, ` +
      `${added.length} added${plan.soa ? ", SOA changed" : ""}${above}; nothing was changed\n`,
  );
}
