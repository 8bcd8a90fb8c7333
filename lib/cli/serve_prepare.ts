/** From the flags of `serve` to all that serving is begun with: keys, certificate, configuration. */
import { formatSocketAddress, type Logger } from "../ops/mod.ts";
import type { Context } from "./command.ts";
import { strayVariables } from "./environment.ts";
import { UsageError } from "./errors.ts";
import type { ServeConfig } from "./running_server.ts";
import {
  isLoopback,
  isWildcard,
  readConfig,
  secondariesOf,
  type ServeFlags,
} from "./serve_config.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { KeySource } from "./serve_keys.ts";
import { certificateFiles, CertificateSource, readAuthorities } from "./tls_certificate.ts";

/** What serving is begun with. */
export interface Prepared {
  readonly keys: KeySource;
  /** Undefined where TLS is not spoken. */
  readonly certificate: CertificateSource | undefined;
  /** The configuration of flags, which may have been read again. */
  configOf(flags: ServeFlags): ServeConfig;
}

/**
 * Reads the files that flags name, and checks that all of it fits together.
 *
 * @throws {ZonecastError} a flag is wrong, or a file cannot be used
 */
export async function prepareServing(
  flags: ServeFlags,
  context: Context,
  log: Logger,
): Promise<Prepared> {
  const keys = await KeySource.open(flags, context, log);
  const certificate = await openCertificate(flags, context, log);
  const authorities = await Promise.all(flags["tls-ca"].map(readAuthorities));
  const configOf = (flags: ServeFlags) =>
    readConfig(flags, context, keys.ring, certificate, authorities);
  configOf(flags);
  return { keys, certificate, configOf };
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

/** Says what works and may yet be wrong. */
export function warnOfRisks(flags: ServeFlags, context: Context, log: Logger): void {
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
  for (const address of flags.http.filter((each) => !isLoopback(each))) {
    log.warn("whoever reaches the HTTP address reads all zones", {
      address: formatSocketAddress(address),
      hint:
        "let it be 127.0.0.1 or [::1], with a reverse proxy that asks for a password and has TLS",
    });
  }
  if (context.systemCalls === undefined) {
    log.info("UDP is answered one datagram at a time", {
      why: "the C library may not be called, or is not glibc",
      hint: "all are answered, but fewer a second; the built executable may call it",
    });
  }
  if (secondariesOf(flags).length === 0 && flags["allow-transfer"].length === 0) {
    log.warn("nobody may transfer", { hint: "name the secondaries with --secondary or --preset" });
  }
}

function hasPassword(url: string): boolean {
  return URL.canParse(url) && (new URL(url).password !== "" || /[?&]password=/.test(url));
}
