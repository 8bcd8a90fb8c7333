/** `zonecast serve`: reads the flags, runs the server until a signal ends it. */
import {
  createLogger,
  defaultLogFormat,
  formatSocketAddress,
  type Logger,
  type LogLevel,
  serviceManager,
} from "../ops/mod.ts";
import type { TlsCertificate } from "../server/mod.ts";
import { type Context, defineCommand } from "./command.ts";
import { strayVariables } from "./environment.ts";
import { EXIT, UsageError } from "./errors.ts";
import { Reload } from "./reload.ts";
import { RunningServer } from "./running_server.ts";
import { isWildcard, readConfig, secondariesOf, type ServeFlags } from "./serve_config.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { KeySource } from "./serve_keys.ts";
import { Service } from "./service.ts";
import { certificateFiles, CertificateSource, readAuthorities } from "./tls_certificate.ts";
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
    const keys = await KeySource.open(flags, context, log);
    const certificate = await openCertificate(flags, context, log);
    const authorities = await Promise.all(flags["tls-ca"].map(readAuthorities));
    const config = readConfig(flags, context, keys.ring, certificate, authorities);
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
        server.reconfigure(readConfig(fresh, context, keys.ring, certificate, authorities));
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

/**
 * The certificate TLS is served with; undefined where TLS is not spoken.
 *
 * @throws {UsageError} flags that make no sense without each other
 * @throws {TlsFileError} a file cannot be used
 */
async function openCertificate(
  flags: ServeFlags,
  context: Context,
  log: Logger,
): Promise<CertificateSource | undefined> {
  const { "tls-cert": cert, "tls-key": key } = flags;
  if (flags["listen-tls"].length === 0) {
    if (flags["transfer-transport"] === "tls") {
      throw new UsageError("--transfer-transport tls: no --listen-tls says where");
    }
    if (cert !== undefined || key !== undefined) {
      throw new UsageError("--tls-cert and --tls-key are for --listen-tls, which is not there");
    }
    return undefined;
  }
  const files = await certificateFiles({ cert, key }, context.env("CREDENTIALS_DIRECTORY"));
  if (!files) throw new UsageError("--listen-tls: it needs --tls-cert and --tls-key");
  return await CertificateSource.open(files, log);
}

/** @param threshold  its level may change later */
function openLog(flags: ServeFlags, context: Context, threshold: { level: LogLevel }): Logger {
  const format = flags["log-format"] ?? defaultLogFormat(context.errIsTerminal);
  const journal = context.env("JOURNAL_STREAM") !== undefined && !context.errIsTerminal;
  return createLogger(Object.assign(threshold, { format, journal }));
}

/** Says what works and may yet be wrong. */
function warnOfRisks(flags: ServeFlags, context: Context, log: Logger): void {
  for (const { name, meant } of strayVariables(context.envNames(), SERVE_FLAGS)) {
    log.warn("a variable of the environment is not known", {
      name,
      hint: meant ? `did you mean ${meant}?` : "`zonecast serve --help` lists those there are",
    });
  }
  const inProcessList = flags.source !== undefined &&
    context.env("ZONECAST_SOURCE") !== flags.source;
  if (inProcessList && hasPassword(flags.source ?? "")) {
    log.warn("the source's password stands in the process list", {
      hint: "give the URL in the environment: ZONECAST_SOURCE",
    });
  }
  for (const address of flags.listen.filter(isWildcard)) {
    log.warn("listening on every address", {
      address: formatSocketAddress(address),
      hint: "an answer over UDP may leave from another address than was asked; name each address",
    });
  }
  if (secondariesOf(flags).length === 0 && flags["allow-transfer"].length === 0) {
    log.warn("nobody may transfer", { hint: "name the secondaries with --secondary or --preset" });
  }
}

function hasPassword(url: string): boolean {
  return URL.canParse(url) && (new URL(url).password !== "" || /[?&]password=/.test(url));
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
