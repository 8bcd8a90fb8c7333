/** `zonecast serve`: reads the flags, runs the server until a signal ends it. */
import {
  createLogger,
  defaultLogFormat,
  type Logger,
  type LogLevel,
  serviceManager,
} from "../ops/mod.ts";
import type { TlsCertificate } from "../server/mod.ts";
import { type Context, defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { leadsToJournal } from "./journal_stream.ts";
import { Reload } from "./reload.ts";
import { RunningServer } from "./running_server.ts";
import type { ServeFlags } from "./serve_config.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { prepareServing, warnOfRisks } from "./serve_prepare.ts";
import { Service } from "./service.ts";
import { VERSION } from "./version.ts";

export const serve = defineCommand({
  name: "serve",
  summary: "serve the zones of a source to their secondaries",
  details: [
    "Runs in the foreground until SIGTERM or SIGINT, logs to standard error. What it last " +
    "published lies in the state file: it is served from the start, also while the source is " +
    "away, and changes made meanwhile are published when the source is back.",
    "A password belongs into the environment (ZONECAST_SOURCE), where `ps` does not show it.",
  ],
  positionals: [],
  flags: SERVE_FLAGS,
  examples: [
    "serve --source sqlite:zones.db --listen 127.0.0.1:5300 --allow-transfer 127.0.0.1",
    "serve --source postgres://zonecast@db.internal/app --listen 198.51.100.1:53 " +
    "--secondary ns1=192.0.2.53 --secondary ns2=203.0.113.53",
  ],
  async run({ flags, reread }, context) {
    const level = { level: flags["log-level"] };
    const log = openLog(flags, context, level);
    const { keys, certificate, configOf } = await prepareServing(flags, context, log);
    const config = { ...configOf(flags), systemCalls: context.systemCalls };
    log.info("starting", { version: VERSION, pid: Deno.pid });
    warnOfRisks(flags, context, log);
    const ending = endingSignal(log);
    // One that comes while the server starts waits: SIGHUP alone would end the process.
    const { promise: started, resolve: ready } = Promise.withResolvers<() => Promise<void>>();
    onSignal("SIGHUP", log, async () => await (await started)());
    const manager = serviceManager(context.env, Deno.pid);
    const service = new Service(manager, `${config.control}.notify`, log);
    try {
      const server = await RunningServer.start(config, log);
      const use = (certificate: TlsCertificate) => server.replaceCertificate(certificate);
      const reload = new Reload(flags, reread, (fresh) => {
        server.reconfigure(configOf(fresh));
        level.level = fresh["log-level"];
      }, log);
      ready(() =>
        service.reloading(server, async () => {
          await keys.reload(reload.read(), reload);
          await certificate?.reload(use);
        })
      );
      certificate?.watch(use);
      await service.ready(server);
      const signal = await ending;
      log.info("stopping", { signal });
      await service.stopping();
      certificate?.close();
      await server.close();
    } finally {
      service.close();
    }
    log.info("stopped");
    return EXIT.GOOD;
  },
});

/** @param threshold  its level may change later */
function openLog(flags: ServeFlags, context: Context, threshold: { level: LogLevel }): Logger {
  const format = flags["log-format"] ?? defaultLogFormat(context.errIsTerminal);
  const journal = leadsToJournal(context.env("JOURNAL_STREAM"));
  return createLogger(Object.assign(threshold, { format, journal }));
}

/** Does something at each signal of a kind, one after another; what fails is logged, and serving goes on. */
function onSignal(signal: Deno.Signal, log: Logger, act: () => Promise<void>): void {
  let last = Promise.resolve();
  const failed = (error: unknown) => {
    const cause = error instanceof Error ? error : new Error(String(error));
    log.error("the signal came to nothing", { signal, error: cause });
  };
  Deno.addSignalListener(signal, () => last = last.then(act).catch(failed));
}

/** The signal that asks to end. A second one ends the process at once. */
function endingSignal(log: Logger): Promise<Deno.Signal> {
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  let asked = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (asked) {
        log.warn("ending at once", { signal });
        Deno.exit(EXIT.FAILED);
      }
      asked = true;
      resolve(signal);
    });
  }
  return promise;
}
