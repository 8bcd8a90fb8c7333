/** `zonecast serve`: reads the flags, runs the server until a signal ends it. */
import { formatName, ZonecastError } from "../dns/mod.ts";
import {
  createLogger,
  defaultLogFormat,
  formatSocketAddress,
  type Logger,
  type LogLevel,
  parseCidr,
  serviceManager,
  type SocketAddress,
} from "../ops/mod.ts";
import { type Context, defineCommand } from "./command.ts";
import { strayVariables } from "./environment.ts";
import { EXIT, UsageError } from "./errors.ts";
import type { FlagValues } from "./flags.ts";
import { RunningServer, type ServeConfig } from "./running_server.ts";
import { DEFAULT_LIMITS, KeyRing, type ServerLimits, type TlsCertificate } from "../server/mod.ts";
import type { TsigKey } from "../wire/mod.ts";
import { Service } from "./service.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { sourceUrl } from "./source_flags.ts";
import { certificateFiles, CertificateSource, readAuthorities } from "./tls_certificate.ts";
import { loadKeys } from "./tsig_keys.ts";
import { controlPath, statePath } from "./state_flags.ts";
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
    const manager = serviceManager(context.env, Deno.pid);
    const service = new Service(manager, `${config.control}.notify`, log);
    try {
      const server = await RunningServer.start(config, log);
      const use = (certificate: TlsCertificate) => server.replaceCertificate(certificate);
      const reload = new Reload(flags, reread, (fresh) => {
        server.reconfigure(readConfig(fresh, context, keys.ring, certificate, authorities));
        level.level = fresh["log-level"];
      }, log);
      onSignal("SIGHUP", () =>
        service.reloading(server, async () => {
          await keys.reload(reload.read(), reload);
          await certificate?.reload(use);
        }));
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

type ServeFlags = FlagValues<typeof SERVE_FLAGS>;

/** @throws {UsageError} no source, two secondaries of one name, one address twice */
function readConfig(
  flags: ServeFlags,
  context: Context,
  keys: KeyRing,
  certificate: CertificateSource | undefined,
  authorities: readonly string[],
): ServeConfig {
  refuseTwice("secondary", flags.secondary.map(({ name }) => name), "name one NAME=IP");
  const streams = [...flags.listen, ...flags["listen-tls"]];
  refuseTwice("listen", streams.filter(({ port }) => port !== 0).map(formatSocketAddress));
  const state = statePath(flags.state, context);
  return {
    sourceUrl: sourceUrl(flags.source, context),
    state,
    control: controlPath(flags.control, state, context),
    controlGroup: flags["control-group"],
    drainMs: flags["drain-timeout"],
    listen: flags.listen,
    secondaries: flags.secondary,
    allowTransfer: flags["allow-transfer"],
    keys,
    tls: certificate && { listen: flags["listen-tls"], certificate: certificate.current },
    tlsAuthorities: authorities,
    transfersOverTlsOnly: flags["transfer-transport"] === "tls",
    allowQuery: flags["allow-query"].length > 0 ? flags["allow-query"] : undefined,
    zones: flags.zone.map(({ apex }) => apex),
    channel: flags.channel,
    pollIntervalMs: flags["poll-interval"],
    fullReadIntervalMs: flags["full-read-interval"],
    minPublishIntervalMs: flags["min-publish-interval"],
    serialPolicy: flags.serial,
    serialFloor: flags["serial-floor"],
    journalMaxOctets: flags["journal-max-size"],
    journalMaxAgeMs: flags["journal-max-age"],
    ixfrCondense: flags["ixfr-condense"] === "on",
    feedRetentionMs: flags["feed-retention"],
    lagAlarmMs: flags["lag-alarm"],
    // Our own questions, which feed the watchdog, are never dropped.
    rateExempt: [
      ...flags["rrl-exempt"],
      ...flags.listen.filter((each) => !isWildcard(each)).map(({ ip }) => parseCidr(ip)),
    ],
    serverId: flags["server-id"],
    chaosVersion: flags["chaos-version"],
    limits: limitsOf(flags),
  };
}

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

/** The TSIG keys, and where they are read again from. */
class KeySource {
  private constructor(
    readonly ring: KeyRing,
    readonly load: (flags: ServeFlags) => Promise<TsigKey[]>,
    readonly log: Logger,
  ) {}

  /** @throws {KeyFileError | ServerError} a file cannot be used, or a key that is named is in none */
  static async open(flags: ServeFlags, context: Context, log: Logger): Promise<KeySource> {
    const load = (flags: ServeFlags) =>
      loadKeys(flags["tsig-key-file"], context.env("CREDENTIALS_DIRECTORY"));
    const keys = await load(flags);
    const source = new KeySource(new KeyRing(keys, { needed: neededKeys(flags) }), load, log);
    source.#warn(keys);
    return source;
  }

  /** Reads them again, then takes the flags; where that fails all stays as it was. */
  async reload(flags: ServeFlags | undefined, reload: Reload): Promise<void> {
    if (!flags) return;
    try {
      const keys = await this.load(flags);
      this.ring.replace(keys, neededKeys(flags));
      reload.take(flags);
      this.log.info("TSIG keys read again", { keys: this.ring.size });
      this.#warn(keys);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      this.log.error("the TSIG keys stay as they were", { error, hint: error.hint });
    }
  }

  /** Says what works and may yet be wrong with the keys. */
  #warn(keys: readonly TsigKey[]): void {
    for (const { name, algorithm } of keys) {
      if (algorithm.name !== "hmac-md5") continue;
      this.log.warn("a TSIG key's algorithm is weak", {
        key: formatName(name),
        algorithm: algorithm.name,
        hint: "RFC 8945 forbids hmac-md5 for new keys: `zonecast keygen` makes a better one",
      });
    }
    for (const name of this.ring.absent) {
      this.log.warn("a TSIG key that is named is in no file", {
        key: formatName(name),
        hint: "requests signed with it are refused; the other keys named beside it work",
      });
    }
  }
}

/** Lists of keys of which one each must be there. */
function neededKeys(flags: ServeFlags) {
  return [...flags.secondary, ...flags["allow-transfer"]].map(({ keys }) => keys);
}

/** Flags that a reload changes; the others wait for a restart. */
const CHANGEABLE = [
  "allow-query",
  "allow-transfer",
  "drain-timeout",
  "log-level",
  "rrl-exempt",
  "tsig-key-file",
];

/** The flags read again, and which of them differ. */
class Reload {
  /** @param flags  those in force; @param apply  puts into force what may change */
  constructor(
    private flags: ServeFlags,
    readonly reread: () => ServeFlags,
    readonly apply: (flags: ServeFlags) => void,
    readonly log: Logger,
  ) {}

  /** The flags with those that cannot change as they were; undefined when they are wrong. */
  read(): ServeFlags | undefined {
    try {
      const fresh = this.reread();
      const differ = this.#differing(fresh).filter((name) => !CHANGEABLE.includes(name));
      if (differ.length > 0) {
        this.log.warn("flags have changed that need a restart", {
          flags: differ.map((name) => `--${name}`).join(" "),
        });
      }
      const kept = Object.entries(this.flags).filter(([name]) => !CHANGEABLE.includes(name));
      return { ...fresh, ...Object.fromEntries(kept) };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.log.error("the flags stay as they were", { error, hint: error.hint });
      return undefined;
    }
  }

  take(flags: ServeFlags): void {
    const differ = this.#differing(flags);
    this.apply(flags);
    this.flags = flags;
    if (differ.length === 0) return;
    this.log.info("flags changed", { flags: differ.map((name) => `--${name}`).join(" ") });
  }

  #differing(fresh: ServeFlags): string[] {
    const text = (value: unknown) =>
      Deno.inspect(value, { depth: 20, iterableLimit: Infinity, strAbbreviateSize: Infinity });
    const before = new Map<string, unknown>(Object.entries(this.flags));
    return Object.entries(fresh)
      .filter(([name, value]) => text(value) !== text(before.get(name)))
      .map(([name]) => name);
  }
}

/** The limits there are flags for; the server has the others. */
function limitsOf(flags: ServeFlags): Partial<ServerLimits> {
  const connections = flags["max-connections"];
  const { strangerConnections } = DEFAULT_LIMITS;
  const share = Math.ceil(strangerConnections * connections / DEFAULT_LIMITS.connections);
  return {
    connections,
    strangerConnections: share,
    connectionsPerStranger: flags["max-connections-per-address"],
    idleMs: flags["tcp-idle-timeout"],
    writeMs: flags["tcp-stall-timeout"],
    transfers: flags["max-transfers"],
    transfersPerClient: flags["max-transfers-per-client"],
    bufferOctets: flags["max-buffers"],
    udpOctets: flags["max-udp-size"],
    answersPerSecond: flags.rrl,
    slip: flags["rrl-slip"],
  };
}

/** @param threshold  its level may change later */
function openLog(flags: ServeFlags, context: Context, threshold: { level: LogLevel }): Logger {
  const format = flags["log-format"] ?? defaultLogFormat(context.errIsTerminal);
  const journal = context.env("JOURNAL_STREAM") !== undefined && !context.errIsTerminal;
  return createLogger(Object.assign(threshold, { format, journal }));
}

function refuseTwice(flag: string, values: readonly string[], hint?: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new UsageError(`--${flag}: "${twice}" is there twice`, hint);
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
  if (flags.secondary.length === 0 && flags["allow-transfer"].length === 0) {
    log.warn("nobody may transfer", { hint: "name the secondaries with --secondary" });
  }
}

function hasPassword(url: string): boolean {
  return URL.canParse(url) && (new URL(url).password !== "" || /[?&]password=/.test(url));
}

function isWildcard({ ip }: SocketAddress): boolean {
  return ip === "0.0.0.0" || ip === "::";
}

/** Does something at each signal of a kind, one after another. */
function onSignal(signal: Deno.Signal, act: () => Promise<void>): void {
  let last = Promise.resolve();
  Deno.addSignalListener(signal, () => last = last.then(act));
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
