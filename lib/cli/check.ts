/** `zonecast check`. */
import { canonicalKey, ZonecastError } from "../dns/mod.ts";
import { createLogger } from "../ops/mod.ts";
import { type Forecast, forecast, type ZoneForecast } from "../primary.ts";
import { KeyRing } from "../server/mod.ts";
import { openSource, type Source } from "../source/mod.ts";
import { listRecords } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { type Baseline, readBaseline } from "./check_baseline.ts";
import { CHECK_SHAPE, checkReport, isGood } from "./check_report.ts";
import { type Paint, paintFor } from "./colour.ts";
import { type Context, defineCommand } from "./command.ts";
import { mergedLines } from "./diff_text.ts";
import { CommandError, EXIT } from "./errors.ts";
import { ZONE } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { Progress } from "./progress.ts";
import { readConfig } from "./serve_config.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { serverPaths } from "./state_flags.ts";
import { count } from "./table.ts";

/** The source must be there within this time, ms. */
const SOURCE_MS = 15_000;

export const check = defineCommand({
  name: "check",
  summary: "tell what would be published, held or refused, and publish nothing",
  details: [
    "Takes the flags of serve, reads all of the source, and compares it with what the running " +
    "server serves or, when none runs, with its state file. Prints records that would go behind " +
    "-, those that would come behind +, what the guard would hold and why, and what cannot be " +
    "served as written.",
    "Exit code 0: all of it can be published; 3: something would be held, or is not served as written.",
  ],
  positionals: [{ name: "ZONE", help: `${ZONE.takes}; all when left out`, optional: true }],
  flags: { ...SERVE_FLAGS, ...JSON_FLAG },
  json: CHECK_SHAPE,
  examples: ["check", "check example.org --json", "check --flags-file /etc/zonecast/flags"],
  async run({ flags, args }, context) {
    const only = args[0] === undefined ? undefined : readArgument("ZONE", ZONE, args[0]);
    const config = readConfig(flags, context, new KeyRing([]), undefined, []);
    const wanted = (only ? [only.apex] : config.zones).map((apex) => canonicalKey(apex));
    const isWanted = (key: string) => wanted.length === 0 || wanted.includes(key);
    const baseline = await readBaseline(serverPaths(flags, context), isWanted);
    const log = createLogger({ format: "text", level: "error", journal: false });
    const source = openSource(config.sourceUrl, {
      channel: config.channel,
      create: false,
      log,
    });
    using progress = new Progress(context);
    try {
      await untilUp(source);
      const found = await forecast({
        source,
        served: baseline.versions,
        remembered: baseline.remembered,
        guard: config.guard,
        serialPolicy: config.serialPolicy,
        badRows: config.badRows,
        isWanted,
        maxRecords: config.maxRecords,
        now: Date.now,
        log,
        onRows: (rows) => progress.show("rows read", rows),
      });
      progress.end();
      const missing = only && !found.zones.some(({ apexKey }) => isWanted(apexKey));
      if (missing) {
        throw new CommandError(
          "zone-unknown",
          `There is no zone ${only.text} in the source, and none is served`,
          "`zonecast zones` lists those there are",
        );
      }
      // Rows of other zones are not what was asked for.
      const problems = only
        ? found.problems.filter(({ zone }) => isOf(zone, wanted[0]))
        : found.problems;
      const result = { ...found, problems };
      if (flags.json) await printJson(context, checkReport(baseline, result));
      else await print(baseline, result, context);
      return isGood(result) ? EXIT.GOOD : EXIT.DIFFERENT;
    } finally {
      await source.close();
    }
  },
});

function isOf(zone: string, apexKey: string): boolean {
  try {
    return canonicalKey(ZONE.parse(zone).apex) === apexKey;
  } catch (error) {
    if (error instanceof ZonecastError) return false;
    throw error;
  }
}

/** Starts a source, and waits until it can be read. @throws {CommandError} it is not there in time */
function untilUp(source: Source): Promise<void> {
  return new Promise((resolve, reject) => {
    const away = (reason: string, hint?: string) =>
      reject(
        new CommandError(
          "source-unreachable",
          `Cannot read ${source.description}: ${reason}`,
          hint,
        ),
      );
    const timer = setTimeout(
      () => away(`it is not there within ${SOURCE_MS / 1000} s`),
      SOURCE_MS,
    );
    source.start(() => {
      clearTimeout(timer);
      resolve();
    }, ({ up, reason, hint }) => {
      if (up) return;
      clearTimeout(timer);
      away(reason ?? "it is away", hint);
    });
  });
}

async function print(baseline: Baseline, found: Forecast, context: Context): Promise<void> {
  const paint = paintFor(context);
  const { zones, problems } = found;
  const compared = {
    server: "compared with what the server serves",
    "state file": "no server runs: compared with its state file",
    nothing: "nothing has been published yet",
  }[baseline.from];
  await context.print(`${paint.faint(compared)}\n`);
  for (const zone of zones) {
    for (const line of zoneLines(zone, paint)) await context.print(line + "\n");
  }
  if (zones.length === 0) await context.print("there is no zone\n");
  for (const { zone, severity, name, type, content, reason, hint } of problems) {
    const what = [zone, name, type, content].filter((part) => part !== "").join(" ");
    const kind = severity === "error" ? paint.bad("problem") : "warning";
    await context.print(`${kind} ${what}: ${reason}\n`);
    if (hint) await context.print(`        ${paint.faint("fix:")} ${hint}\n`);
  }
  const unchanged = zones.filter(({ kind, hold }) => kind === "unchanged" && !hold).length;
  if (unchanged > 0) {
    await context.print(`${count(unchanged, "zone")} would stay as published\n`);
  }
}

function* zoneLines(forecast: ZoneForecast, paint: Paint): Generator<string> {
  const { zone, kind, current, next, diff, hold } = forecast;
  switch (kind) {
    case "first":
      yield `${zone} would be published for the first time: ${count(next!.records, "record")}`;
      break;
    case "changed": {
      const { removed, added } = diff!;
      yield `${zone} would be published anew, from serial ${current!.serial}: ` +
        `${count(removed.count, "record")} would go, ${added.count} would come`;
      yield* painted(mergedLines(listRecords(removed), listRecords(added)), paint);
      if (removed.count + added.count === 0) yield "  its SOA alone would change";
      break;
    }
    case "refused":
      yield `${zone} ${paint.bad("cannot be published")}` +
        (current ? `: serial ${current.serial} would be served on` : "");
      break;
    case "removed":
      yield `${zone} ${paint.warn("would be served no more")}: it is gone from the source`;
  }
  if (!hold) return;
  const { id, why, ownerCount, removedCount, addedCount, difference } = hold;
  yield `${zone} ${paint.bad("would be held")} as ${id}: ${why}`;
  yield `  ${count(ownerCount, "owner")} would be served as before: ` +
    `${count(removedCount, "record")} would go, ${addedCount} would come`;
  if (!difference || hold.reasons.includes("zone-removed")) return;
  yield* painted(
    mergedLines(listRecords(difference.removed), listRecords(difference.added)),
    paint,
  );
}

function* painted(lines: Iterable<string>, paint: Paint): Generator<string> {
  for (const line of lines) yield `  ${line.startsWith("-") ? paint.bad(line) : paint.good(line)}`;
}
