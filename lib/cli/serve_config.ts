/** From the flags of `zonecast serve` to what the server is told. Pure. */
import { formatSocketAddress, parseCidr, type SocketAddress } from "../ops/mod.ts";
import { DEFAULT_LIMITS, type KeyRing, type Secondary, type ServerLimits } from "../server/mod.ts";
import type { Context } from "./command.ts";
import { UsageError } from "./errors.ts";
import type { FlagValues } from "./flags.ts";
import { presetSecondaries } from "./preset_flag.ts";
import type { ServeConfig } from "./running_server.ts";
import type { SERVE_FLAGS } from "./serve_flags.ts";
import { sourceUrl } from "./source_flags.ts";
import { controlPath, statePath } from "./state_flags.ts";
import type { CertificateSource } from "./tls_certificate.ts";

export type ServeFlags = FlagValues<typeof SERVE_FLAGS>;

/** @throws {UsageError} no source, two secondaries of one name, one address twice */
export function readConfig(
  flags: ServeFlags,
  context: Context,
  keys: KeyRing,
  certificate: CertificateSource | undefined,
  authorities: readonly string[],
): ServeConfig {
  const secondaries = secondariesOf(flags);
  refuseTwice("secondary", secondaries.map(({ name }) => name), "name one NAME=IP");
  const streams = [...flags.listen, ...flags["listen-tls"], ...flags.http];
  refuseTwice("listen", streams.filter(({ port }) => port !== 0).map(formatSocketAddress));
  const state = statePath(flags.state, context);
  return {
    sourceUrl: sourceUrl(flags.source, context),
    state,
    control: controlPath(flags.control, state, context),
    controlGroup: flags["control-group"],
    drainMs: flags["drain-timeout"],
    listen: flags.listen,
    http: flags.http,
    secondaries,
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
    badRows: flags["bad-rows"],
    serialFloor: flags["serial-floor"],
    guard: {
      limits: { maxShrink: flags["max-shrink"], maxChange: flags["max-change"] },
      windowMs: flags["guard-window"],
    },
    maxRecords: flags["max-records"],
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

/** All secondaries: those named one by one, then those of presets. */
export function secondariesOf(
  { secondary, preset, listen }: Pick<ServeFlags, "secondary" | "preset" | "listen">,
): readonly Secondary[] {
  return [...secondary, ...preset.flatMap((choice) => presetSecondaries(choice, listen))];
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

function refuseTwice(flag: string, values: readonly string[], hint?: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new UsageError(`--${flag}: "${twice}" is there twice`, hint);
}

/** Whether only this machine reaches an address. */
export function isLoopback({ ip }: SocketAddress): boolean {
  return ip === "::1" || ip.startsWith("127.");
}

/** Whether an address stands for all of the machine. */
export function isWildcard({ ip }: SocketAddress): boolean {
  return ip === "0.0.0.0" || ip === "::";
}
