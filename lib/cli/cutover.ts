/** `zonecast cutover`. */
import { formatName } from "../dns/mod.ts";
import { formatDuration } from "../ops/mod.ts";
import { Asker } from "../server/mod.ts";
import { readArgument } from "./arguments.ts";
import { type Paint, paintFor } from "./colour.ts";
import { type Context, defineCommand } from "./command.ts";
import type { CutoverFacts, NameServerSet, ParentView, ZoneServerView } from "./cutover_facts.ts";
import { readMemory, remember, writeMemory } from "./cutover_memory.ts";
import { observe } from "./cutover_observe.ts";
import { type CutoverStep, isOver, planCutover } from "./cutover_plan.ts";
import { hostText, Resolver, systemResolver } from "./cutover_resolve.ts";
import { CUTOVER_SHAPE } from "./cutover_shape.ts";
import { CommandError, EXIT } from "./errors.ts";
import { optional, repeated, toggle, withDefault } from "./flags.ts";
import { FILE, TTL, ZONE } from "./forms.ts";
import { withHistory } from "./history.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { COUNT } from "./number_forms.ts";
import { Progress } from "./progress.ts";
import { NAMED_SERVER, patience, placeOf, SERVER, TIMEOUT_FLAG } from "./server_form.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { isoTime } from "./status.ts";

export const cutover = defineCommand({
  name: "cutover",
  summary: "plan the move of a zone's name servers, as dated steps; again: what is done",
  details: [
    "The new name servers are the NS records of the zone as it is published here. Looks at the " +
    "parent's servers, at the servers it names now and at the new ones, and prints who still " +
    "points where, what is done, what is to do, and from when: every change waits for the TTL of " +
    "what was before it. It changes nothing but its plan file, which keeps what was seen when; " +
    "run it again after each step.",
    "The parent's servers are found by --resolver, or named with --parent. Exit code 0: the move " +
    "is over; 3: steps are left; 1: the parent could not be asked.",
  ],
  positionals: [{ name: "ZONE", help: ZONE.takes }],
  flags: {
    parent: repeated(SERVER, { help: "a server of the parent zone", env: false }),
    resolver: optional(SERVER, {
      help: "finds the parent's servers and addresses of name servers",
      env: false,
      defaultText: "the first of /etc/resolv.conf",
    }),
    at: repeated(NAMED_SERVER, { help: "where a name server is", env: false }),
    plan: optional(FILE, {
      help: "keeps what was seen, and when",
      env: false,
      defaultText: "./ZONE.cutover.json",
    }),
    ttl: withDefault(TTL, "300", { help: "what NS records are lowered to", env: false }),
    "no-lower": toggle({ help: "switch without a lowered TTL", env: false }),
    sample: withDefault(COUNT, "25", { help: "names compared at the old servers", env: false }),
    rate: withDefault(COUNT, "100", { help: "questions a second to one server", env: false }),
    ...TIMEOUT_FLAG,
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: CUTOVER_SHAPE,
  examples: [
    "cutover example.org",
    "cutover example.org --parent a0.org.example --ttl 5m --plan example.org.plan",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    const name = formatName(zone.apex);
    const plan = flags.plan ?? `./${zone.text.replaceAll("/", "_")}.cutover.json`;
    const before = await readMemory(plan, name);
    const version = await withHistory(
      serverPaths(flags, context),
      zone,
      context,
      (history) => history.current(),
    );
    using asker = new Asker(patience(flags.timeout));
    using progress = new Progress(context);
    const places = await Promise.all(
      flags.at.map(async ({ name, server }) => [hostText(name), await placeOf(server)] as const),
    );
    const { facts, old } = await observe({
      asker,
      zone: zone.apex,
      version,
      parents: await Promise.all(flags.parent.map(placeOf)),
      places: new Map(places),
      resolver: async () =>
        new Resolver(
          asker,
          flags.resolver ? await placeOf(flags.resolver) : await systemResolver(),
        ),
      progress,
      sample: flags.sample,
      rate: flags.rate,
      knownOld: before?.old ?? [],
      now: Date.now(),
    });
    refuseSilentParent(facts.parent);
    const options = { lowTtl: flags.ttl, noLower: flags["no-lower"] };
    const memory = remember(before, facts, old, options);
    await writeMemory(plan, memory);
    const steps = planCutover(facts, memory, options);
    progress.end();
    if (flags.json) await printJson(context, report(facts, plan, steps));
    else await context.print(render(facts, plan, steps, context));
    return isOver(steps) ? EXIT.GOOD : EXIT.DIFFERENT;
  },
});

/** @throws {CommandError} none of the parent's servers said anything */
function refuseSilentParent(parent: readonly ParentView[]): void {
  if (parent.some(({ fault }) => fault === undefined)) return;
  const why = parent.map(({ server, fault }) => `${server}: ${fault}`).join("; ");
  throw new CommandError(
    "parent-silent",
    `No server of the parent zone could be asked${why ? `: ${why}` : ""}`,
    "name one with --parent",
  );
}

const STATES = { done: "done", now: "NOW", waiting: "waits", later: "later" } as const;

function render(
  facts: CutoverFacts,
  plan: string,
  steps: readonly CutoverStep[],
  context: Context,
): string {
  const paint = paintFor(context);
  const lines = [
    paint.strong(
      `${facts.zone} serial ${facts.ours.serial}, name servers ${
        facts.ours.nameServers.names.join(", ") || "none"
      }`,
    ),
    "",
    "who points where",
    ...pointLines(facts).map((line) => `  ${line}`),
    "",
    "steps",
    ...steps.flatMap((step, index) => stepLines(step, index, facts.now, paint)),
    "",
    isOver(steps)
      ? paint.good("the move is over")
      : `what was seen is kept in ${plan}; run this again after each step`,
  ];
  return lines.join("\n") + "\n";
}

function pointLines({ parent, old, fresh }: CutoverFacts): string[] {
  const set = (names: NameServerSet | undefined) =>
    names ? `${names.names.join(", ")} (TTL ${names.ttl})` : "no name servers";
  const zoneServer = (kind: string) => (view: ZoneServerView) =>
    `${kind} ${view.server}: ${
      view.fault ?? (view.isAuthoritative
        ? `serial ${view.serial}, ${set(view.nameServers)}`
        : "does not have the zone")
    }`;
  return [
    ...parent.map((view) =>
      `parent ${view.server}: ${view.fault ?? set(view.delegation)}` +
      (view.ds.length > 0 ? `, DS ${view.ds.join(", ")} (TTL ${view.dsTtl})` : "")
    ),
    ...old.map(zoneServer("old")),
    ...fresh.map(zoneServer("new")),
  ];
}

function stepLines(
  { state, title, seenAt, from, optional, notes }: CutoverStep,
  index: number,
  now: number,
  paint: Paint,
): string[] {
  const tone = { done: paint.good, now: paint.bad, waiting: paint.warn, later: paint.faint };
  const date = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
  const when = {
    done: seenAt === undefined ? "" : `seen ${date(seenAt)}`,
    now: "",
    waiting: `until ${date(from)}, ${formatDuration(Math.ceil((from - now) / 60_000) * 60_000)}`,
    later: `not before ${date(from)}`,
  }[state];
  const head = `  ${index + 1}. ${tone[state](STATES[state].padEnd(5))}  ${title}` +
    (optional ? " (optional)" : "") + (when ? `  ${paint.faint(when)}` : "");
  return [head, ...state === "done" ? [] : notes.map((note) => `            ${note}`)];
}

function report(facts: CutoverFacts, plan: string, steps: readonly CutoverStep[]) {
  const set = (names: NameServerSet | undefined) => ({
    nameServers: names ? [...names.names] : null,
    ttl: names?.ttl ?? null,
  });
  const zoneServer = (view: ZoneServerView) => ({
    name: view.name,
    address: view.address,
    hasZone: view.isAuthoritative,
    serial: view.serial ?? null,
    ...set(view.nameServers),
    error: view.fault ?? null,
  });
  return {
    zone: facts.zone,
    at: isoTime(facts.now)!,
    serial: facts.ours.serial,
    ...set(facts.ours.nameServers),
    over: isOver(steps),
    plan,
    parent: facts.parent.map((view) => ({
      server: view.server,
      ...set(view.delegation),
      ds: [...view.ds],
      error: view.fault ?? null,
    })),
    old: facts.old.map(zoneServer),
    new: facts.fresh.map(zoneServer),
    steps: steps.map(({ id, state, title, seenAt, from, optional, notes }) => ({
      id,
      state,
      title,
      seenAt: isoTime(seenAt) ?? null,
      from: isoTime(from)!,
      optional,
      notes: [...notes],
    })),
  };
}
