/** `zonecast doctor`. */
import { type Finding, type FindingVerdict, worstVerdict } from "../ops/mod.ts";
import { Access, Asker, KeyRing } from "../server/mod.ts";
import { examineSource } from "../source/mod.ts";
import { paintFor } from "./colour.ts";
import { type Context, defineCommand } from "./command.ts";
import { examineMachine } from "./doctor_machine.ts";
import { flagsFinding, readPublished } from "./doctor_published.ts";
import { examineSecondary } from "./doctor_secondary.ts";
import { examineServer } from "./doctor_server.ts";
import { EXIT } from "./errors.ts";
import { withDefault } from "./flags.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { list, maybe, object, text, word } from "./json_shape.ts";
import { COUNT } from "./number_forms.ts";
import { Progress } from "./progress.ts";
import { readConfig, type ServeFlags } from "./serve_config.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { patience, TIMEOUT_FLAG } from "./server_form.ts";
import { serverPaths } from "./state_flags.ts";
import { count } from "./table.ts";
import { readAuthorities } from "./tls_certificate.ts";
import { loadKeys } from "./tsig_keys.ts";

const VERDICTS = ["good", "warning", "bad", "unknown"] as const satisfies FindingVerdict[];

const SHAPE = object("what was found", {
  verdict: word("the worst of all", ["good", "warning", "bad"]),
  findings: list(
    "one after another, as they were found",
    object("one thing", {
      check: text("what was examined: udp, tcp, notify, tsig, clock, transfer, serial, content, …"),
      subject: text("of whom: server, machine, postgres, source, or the name of a secondary"),
      verdict: word("what it means; unknown: it could not be found out from here", VERDICTS),
      text: text("what was found"),
      fix: maybe(text("what to do")),
    }),
  ),
});

export const doctor = defineCommand({
  name: "doctor",
  summary: "test server, source, machine and each secondary; say what mends them",
  details: [
    "Takes the flags of serve, from the command line, --flags-file and the environment, and works " +
    "beside the running server or without one. Of each secondary: is it reached over UDP and TCP, " +
    "does it acknowledge NOTIFY, has it the key, do the clocks agree, may it transfer, has it our " +
    "serials, does it answer what is published. Of Postgres: rights, triggers on each table that " +
    "records come from, index, feed, notifications, pooler, clock. Of the server: from which " +
    "address its answers leave, whether strangers are refused. Of the machine: disk, file " +
    "descriptors.",
    "It changes nothing: its NOTIFY is for a serial that is published, its probe of the feed is " +
    "rolled back. Exit code 3: something is bad.",
  ],
  positionals: [],
  flags: {
    ...SERVE_FLAGS,
    sample: withDefault(COUNT, "25", {
      help: "names of a zone whose records are asked of each secondary, spread over the zone",
      env: false,
    }),
    rate: withDefault(COUNT, "100", { help: "questions a second to one server", env: false }),
    ...TIMEOUT_FLAG,
    ...JSON_FLAG,
  },
  json: SHAPE,
  examples: [
    "doctor --flags-file /etc/zonecast/flags",
    "doctor --source postgres://zonecast@db.internal/app --listen 198.51.100.1:53 " +
    "--secondary ns1=192.0.2.53 --json",
  ],
  async run({ flags }, context) {
    const report = new Report(flags.json, context);
    for await (const finding of examineAll(flags, context)) await report.add(finding);
    return await report.end();
  },
});

/** Everything, in the order in which one thing explains the next. */
async function* examineAll(
  flags: ServeFlags & Record<"sample" | "rate" | "timeout", number>,
  context: Context,
): AsyncGenerator<Finding> {
  const keys = new KeyRing(
    await loadKeys(flags["tsig-key-file"], context.env("CREDENTIALS_DIRECTORY")),
  );
  const authorities = await Promise.all(flags["tls-ca"].map(readAuthorities));
  const config = readConfig(flags, context, keys, undefined, authorities);
  const { secondaries, allowTransfer, allowQuery } = config;
  const access = new Access({ secondaries, allowTransfer, allowQuery });
  using asker = new Asker({ ca: authorities, ...patience(flags.timeout) });
  using progress = new Progress(context);
  progress.show("the server", 0);
  const published = await readPublished(serverPaths(flags, context));
  const { zones, listen } = published;
  yield* published.findings;
  const flagged = flagsFinding(published.secondaries, secondaries.map(({ name }) => name));
  if (flagged) yield flagged;
  const server = { zones, listen: listen ?? [], secondaries, allowTransfer, access, asker };
  yield* examineServer(server);
  yield* examineMachine(config.state, flags["max-connections"]);
  progress.show("the source", 1);
  yield* examineSource(config.sourceUrl, {
    cursor: published.cursor,
    retentionMs: config.feedRetentionMs,
  });
  const { sample, rate } = flags;
  const shared = { zones, asker, keys, access, progress, sample, rate };
  // Several at a time, told of in their order.
  for (let at = 0; at < secondaries.length; at += SECONDARIES_AT_ONCE) {
    const some = secondaries.slice(at, at + SECONDARIES_AT_ONCE);
    const found = some.map((secondary) =>
      Array.fromAsync(examineSecondary({ ...shared, secondary }))
    );
    for (const findings of await Promise.all(found)) yield* findings;
  }
}

/** Secondaries examined at a time. */
const SECONDARIES_AT_ONCE = 8;

const WORDS: Readonly<Record<FindingVerdict, string>> = {
  good: "good",
  warning: "warn",
  bad: "BAD ",
  unknown: " ?  ",
};

/** Prints findings as they come, or all at the end for programs. */
class Report {
  readonly #findings: Finding[] = [];
  #subject: string | undefined;

  constructor(readonly isJson: boolean, readonly context: Context) {}

  async add(finding: Finding): Promise<void> {
    this.#findings.push(finding);
    if (this.isJson) return;
    const { subject, verdict, text, fix } = finding;
    const paint = paintFor(this.context);
    const tone = { good: paint.good, warning: paint.warn, bad: paint.bad, unknown: paint.faint };
    // What is drawn on the other stream goes before, or it would stand in the line.
    if (this.context.errIsTerminal) this.context.draw("\r\x1b[K");
    if (subject !== this.#subject) {
      await this.context.print(
        `${this.#subject === undefined ? "" : "\n"}${paint.strong(subject)}\n`,
      );
      this.#subject = subject;
    }
    await this.context.print(`  ${tone[verdict](WORDS[verdict])}  ${text}\n`);
    if (fix) await this.context.print(`        ${paint.faint("fix:")} ${fix}\n`);
  }

  /** Says what it comes to. Returns the exit code. */
  async end(): Promise<number> {
    const verdict = worstVerdict(this.#findings);
    if (this.isJson) await printJson(this.context, { verdict, findings: this.#findings });
    else await this.context.print(`\n${this.#summary()}\n`);
    return verdict === "bad" ? EXIT.DIFFERENT : EXIT.GOOD;
  }

  #summary(): string {
    const number = (verdict: FindingVerdict) =>
      this.#findings.filter((each) => each.verdict === verdict).length;
    const [bad, warnings] = [number("bad"), number("warning")];
    const paint = paintFor(this.context);
    if (bad === 0 && warnings === 0) return paint.good("all is well");
    const parts = [
      ...bad > 0 ? [paint.bad(`${bad} bad`)] : [],
      ...warnings > 0 ? [paint.warn(count(warnings, "warning"))] : [],
    ];
    return `${parts.join(", ")}, of ${count(this.#findings.length, "check")}`;
  }
}
