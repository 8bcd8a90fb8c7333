/** `zonecast verify`. */
import { formatName, formatRdata, parseName, type ResourceRecord, typeName } from "../dns/mod.ts";
import { Asker } from "../server/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import { readArgument } from "./arguments.ts";
import { paintFor } from "./colour.ts";
import { type Context, defineCommand } from "./command.ts";
import { recordLine } from "./diff_text.ts";
import { EXIT, UsageError } from "./errors.ts";
import { repeated, toggle, type ValueForm, withDefault } from "./flags.ts";
import { RR_TYPE, ZONE } from "./forms.ts";
import { withHistory } from "./history.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, number, object, orNull, text, word, yesNo } from "./json_shape.ts";
import { COUNT } from "./number_forms.ts";
import { Progress } from "./progress.ts";
import type { CompareRules, IgnoreRule, RRsetDifference } from "./rrset_compare.ts";
import {
  ASK_FLAGS,
  AskSetup,
  failureOf,
  patience,
  SERVER,
  serverName,
  TIMEOUT_FLAG,
} from "./server_form.ts";
import { CONTROL_FLAG, serverPaths, STATE_FLAG } from "./state_flags.ts";
import { count } from "./table.ts";
import { type Verdict, verifyServer } from "./verify_server.ts";

/** An RRset to leave out, its owner as written. */
const RRSETS: ValueForm<{ readonly owner: string | undefined; readonly type: number }> = {
  placeholder: "[NAME/]TYPE",
  takes: "an RR type, or a name in the zone and a type, such as SOA or @/NS",
  parse: (text) => {
    const at = text.lastIndexOf("/");
    const type = text.slice(at + 1);
    const owner = at < 0 ? undefined : text.slice(0, at);
    if (owner !== undefined && owner !== "@") parseName(owner);
    return { owner, type: type.toUpperCase() === "SOA" ? 6 : RR_TYPE.parse(type) };
  },
};

const RRSET = (whose: string) =>
  orNull(object(`the RRset ${whose}; null where there is none`, {
    ttl: number("seconds"),
    content: list("its records", text("data, in presentation format")),
  }));

const VERIFY_SHAPE = object("a zone as published, and each server compared with it", {
  zone: text("the zone, absolute"),
  serial: number("its published serial"),
  records: number("its records, the SOA counted"),
  equal: yesNo("whether all servers were compared, and have the same"),
  servers: list(
    "the servers, in the order given",
    object("a server; what could not be found out is null", {
      server: text("as given, with its address"),
      method: orNull(word("how it was compared", ["axfr", "questions"])),
      noTransfer: orNull(text("why the zone was not transferred, where questions took its place")),
      serial: orNull(number("the serial it shows")),
      compared: orNull(number("RRsets compared")),
      leftOut: orNull(number("RRsets published here that no question brings")),
      equal: orNull(yesNo("whether it has the same")),
      differences: orNull(list(
        "what differs",
        object("an RRset", {
          name: text("its owner, absolute"),
          type: text("its RR type"),
          ours: RRSET("as published here"),
          theirs: RRSET("as the server has it"),
        }),
      )),
      error: orNull(text("why it could not be compared")),
      hint: orNull(text("what to do about that")),
    }),
  ),
});

/** What became of one server. */
type Outcome =
  & { readonly server: string }
  & ({ readonly verdict: Verdict } | { readonly failure: ReturnType<typeof failureOf> });

export const verify = defineCommand({
  name: "verify",
  summary: "compare a zone as published here with what other servers have, RRset by RRset",
  details: [
    "Compares what the running server publishes (or, when none is running, its state file) with " +
    "each server: all of it by AXFR where the server lets this machine transfer, else by " +
    "questions, --rate a second. Questions cannot show names that only the other server has. " +
    "Letter case counts for nothing, TTLs count.",
    "Prints what the server has behind -, what is published here behind +. Exit code 0: all " +
    "servers have the same; 3: one has not; 1: one could not be compared.",
    "Moving a zone here from another provider, its SOA and name servers differ by intent: " +
    "--ignore SOA --ignore @/NS.",
  ],
  positionals: [{ name: "ZONE", help: ZONE.takes }],
  flags: {
    against: repeated(SERVER, { help: "a server to compare with", env: false }),
    ...ASK_FLAGS,
    ignore: repeated(RRSETS, { help: "leave these RRsets out", env: false }),
    "ignore-ttl": toggle({ help: "TTLs may differ", env: false }),
    questions: toggle({ help: "ask, also where a transfer may be had", env: false }),
    rate: withDefault(COUNT, "100", { help: "questions a second to one server", env: false }),
    ...TIMEOUT_FLAG,
    ...JSON_FLAG,
    ...CONTROL_FLAG,
    ...STATE_FLAG,
  },
  json: VERIFY_SHAPE,
  examples: [
    "verify example.org --against 192.0.2.53 --against 203.0.113.53",
    "verify example.org --against ns1.provider.example --ignore SOA --ignore @/NS",
    "verify example.org --against 192.0.2.53,key=ns1.example.org --tsig-key-file keys --json",
  ],
  async run({ flags, args }, context) {
    const zone = readArgument("ZONE", ZONE, args[0]);
    if (flags.against.length === 0) {
      throw new UsageError(`verify: --against is missing; it takes ${SERVER.takes}`);
    }
    const rules: CompareRules = {
      ignore: flags.ignore.map(({ owner, type }): IgnoreRule => ({
        type,
        owner: owner === undefined ? undefined : parseName(owner, zone.apex),
      })),
      ignoreTtl: flags["ignore-ttl"],
    };
    const setup = await AskSetup.read(flags, context);
    const version = await withHistory(
      serverPaths(flags, context),
      zone,
      context,
      (history) => history.current(),
    );
    using asker = new Asker({ ca: setup.authorities, ...patience(flags.timeout) });
    const outcomes: Outcome[] = [];
    for (const written of flags.against) {
      const server = await setup.server(written);
      const name = serverName(written, server);
      using progress = new Progress(context);
      const { rate, questions: questionsOnly } = flags;
      try {
        const options = { rules, rate, questionsOnly, progress };
        const verdict = await verifyServer(asker, server, name, version, options);
        outcomes.push({ server: name, verdict });
      } catch (error) {
        outcomes.push({ server: name, failure: failureOf(error) });
      }
      if (!flags.json) {
        progress.end();
        await printOutcome(outcomes.at(-1)!, context);
      }
    }
    if (flags.json) await printJson(context, report(version, outcomes));
    return exitOf(outcomes);
  },
});

function exitOf(outcomes: readonly Outcome[]): number {
  if (outcomes.some((outcome) => "failure" in outcome)) return EXIT.FAILED;
  const isEqual = outcomes.every((one) => "verdict" in one && one.verdict.differences.length === 0);
  return isEqual ? EXIT.GOOD : EXIT.DIFFERENT;
}

async function printOutcome(outcome: Outcome, context: Context): Promise<void> {
  const { server } = outcome;
  const paint = paintFor(context);
  if ("failure" in outcome) {
    const { message, hint } = outcome.failure;
    const options = hint === undefined ? [] : [hint];
    context.complain(
      `zonecast: ${server}: ${message}${options.map((each) => `\n  hint: ${each}`).join("")}`,
    );
    return;
  }
  const { verdict } = outcome;
  const { differences, compared, leftOut, serial, noTransfer } = verdict;
  const how = verdict.method === "axfr" ? "transferred" : "by questions";
  const result = differences.length === 0 ? paint.good("the same") : paint.bad(
    `${count(differences.length, "RRset")} differ${differences.length === 1 ? "s" : ""}`,
  );
  await context.print(
    `${server}: ${result} (${count(compared, "RRset")} compared, ${how}, serial ${serial})\n`,
  );
  if (noTransfer) await context.print(paint.faint(`  not transferred: ${noTransfer}\n`));
  if (verdict.method === "questions") {
    const rest = leftOut > 0 ? `; ${count(leftOut, "RRset")} of ours cannot be asked for` : "";
    await context.print(
      paint.faint(`  names that only this server has cannot be seen by questions${rest}\n`),
    );
  }
  for (const difference of differences) {
    for (const line of differenceLines(difference)) {
      const painted = line.startsWith("-") ? paint.bad(line) : paint.good(line);
      await context.print(`  ${painted}\n`);
    }
  }
}

/** What the other has behind -, what we publish behind +; what is on both sides is not shown. */
function differenceLines({ owner, ours, theirs }: RRsetDifference): string[] {
  // One spelling of the owner: its case is no difference.
  const lines = (records: readonly ResourceRecord[]) =>
    records.map((record) => recordLine({ ...record, owner }));
  const [plus, minus] = [lines(ours), lines(theirs)];
  return [
    ...minus.filter((line) => !plus.includes(line)).map((line) => `- ${line}`),
    ...plus.filter((line) => !minus.includes(line)).map((line) => `+ ${line}`),
  ];
}

function report(version: ZoneVersion, outcomes: readonly Outcome[]) {
  return {
    zone: formatName(version.apex),
    serial: version.serial,
    records: version.records,
    equal: exitOf(outcomes) === EXIT.GOOD,
    servers: outcomes.map(serverReport),
  };
}

function serverReport(outcome: Outcome) {
  const verdict = "verdict" in outcome ? outcome.verdict : undefined;
  const failure = "failure" in outcome ? outcome.failure : undefined;
  return {
    server: outcome.server,
    method: verdict?.method ?? null,
    noTransfer: verdict?.noTransfer ?? null,
    serial: verdict?.serial ?? null,
    compared: verdict?.compared ?? null,
    leftOut: verdict?.leftOut ?? null,
    equal: verdict ? verdict.differences.length === 0 : null,
    differences: verdict?.differences.map(({ owner, type, ours, theirs }) => ({
      name: formatName(owner),
      type: typeName(type),
      ours: rrset(ours),
      theirs: rrset(theirs),
    })) ?? null,
    error: failure?.message ?? null,
    hint: failure?.hint ?? null,
  };
}

function rrset(records: readonly ResourceRecord[]) {
  if (records.length === 0) return null;
  const content = records.map(({ type, rdata }) => formatRdata(type, rdata));
  return { ttl: records[0].ttl, content };
}
