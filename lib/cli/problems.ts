/** `zonecast problems`. */
import { escapeControls, formatAge, isJsonObject, type JsonValue } from "../ops/mod.ts";
import type { StateStore } from "../store/mod.ts";
import { readArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { CommandError, EXIT } from "./errors.ts";
import { ZONE, type ZoneName } from "./forms.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, maybe, number, object, text, time, word } from "./json_shape.ts";
import { askOrRead } from "./live.ts";
import {
  countProblems,
  type ListedProblem,
  type ProblemNumbers,
  problemsParts,
} from "./problems_parts.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { count } from "./table.ts";
import { inPieces } from "./zone_text.ts";

/** What is told. */
interface ProblemsReport extends ProblemNumbers {
  readonly problems: ListedProblem[];
}

const SHAPE = object("what is wrong with rows, owners and zones", {
  errors: number("how many are not served as written, all of them"),
  warnings: number("how many are served and hardly should be, all of them"),
  problems: list(
    "each; of very many one for each zone says how many are not listed",
    object("a problem", {
      zone: text("the zone, or what stands in its place in the source"),
      severity: word("whether it is served as written", ["error", "warning"]),
      scope: word("what is meant", ["row", "owner", "rrset", "zone"]),
      name: text("of the row or owner; empty where the zone is meant"),
      type: text("the RR type; empty where the owner or the zone is meant"),
      content: text("the row's content, its first 200 characters; empty where no row is meant"),
      code: text("the verdict, as the README lists them"),
      reason: text("why"),
      hint: maybe(text("what to do")),
      since: time("when it was first seen"),
    }),
  ),
});

export const problems = defineCommand({
  name: "problems",
  summary: "list what of the source is not served as written, and why",
  details: [
    "Of the running server. With none running, its state file is read for what was known when " +
    "it ended, and standard error says so.",
    "An error is not served as written; what is only warned of is. The exit code is 3 when " +
    "there are errors, 0 when there are none, or only warnings.",
  ],
  positionals: [{ name: "ZONE", help: `${ZONE.takes}; left out: all`, optional: true }],
  flags: {
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: SHAPE,
  examples: ["problems", "problems example.org --json"],
  async run({ flags, args }, context) {
    const zone = args[0] === undefined ? undefined : readArgument("ZONE", ZONE, args[0]);
    const request = { command: "problems", ...zone && { zone: zone.text } };
    const offline = (store: StateStore) => storedProblems(store, zone);
    const parts = askOrRead(serverPaths(flags, context), request, offline, context);
    const report = await collect(parts);
    if (flags.json) await printJson(context, report);
    else {
      for (const piece of inPieces(render(report, Date.now()))) await context.print(piece);
    }
    return report.errors > 0 ? EXIT.DIFFERENT : EXIT.GOOD;
  },
});

async function* storedProblems(store: StateStore, zone: ZoneName | undefined) {
  const { zones, problems } = await store.load();
  if (!problems) {
    throw new CommandError(
      "problems-unknown",
      "The state file does not say which problems there are",
      "an older zonecast wrote it, or none has read the source yet: start the server",
    );
  }
  const published = new Set(zones.map(({ version }) => version.apexKey));
  yield* problemsParts({
    problems: problems.problems,
    counts: countProblems(problems.problems),
    isPublished: (apexKey) => published.has(apexKey),
  }, zone);
}

/** Our own server wrote the parts, so their fields are taken as they are. */
async function collect(parts: AsyncIterable<JsonValue>): Promise<ProblemsReport> {
  let numbers: ProblemNumbers = { errors: 0, warnings: 0 };
  const problems: ListedProblem[] = [];
  for await (const part of parts) {
    if (!isJsonObject(part)) continue;
    if (isJsonObject(part.problem)) problems.push(part.problem as ListedProblem);
    if (isJsonObject(part.numbers)) numbers = part.numbers as ProblemNumbers;
  }
  return { ...numbers, problems: problems.sort(byZone) };
}

/** Errors first within each zone, then as the server lists them. */
function byZone(a: ListedProblem, b: ListedProblem): number {
  if (a.zone !== b.zone) return a.zone < b.zone ? -1 : 1;
  return a.severity === b.severity ? 0 : a.severity === "error" ? -1 : 1;
}

/** In lines. */
function* render({ errors, warnings, problems }: ProblemsReport, now: number): Generator<string> {
  for (const problem of problems) {
    yield* renderOne(problem, now);
    yield "";
  }
  if (errors + warnings === 0) yield "no problems";
  else yield `${count(errors, "error")}, ${count(warnings, "warning")}`;
}

function renderOne(problem: ListedProblem, now: number): string[] {
  const { zone, severity, name, type, content, code, reason, hint, since } = problem;
  const what = [zone, name, type, content].filter(Boolean).join(" ");
  const lines = [
    `${severity}: ${what}`,
    `  ${reason} (${code}, for ${formatAge(now - Date.parse(since))})`,
    ...hint ? [`  hint: ${hint}`] : [],
  ];
  return lines.map(escapeControls);
}
