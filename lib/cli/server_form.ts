/**
 * A server that a command asks: how it is written, and whom that is.
 *
 * Effects: looks host names up, by the system's resolver.
 */
import { lookup } from "node:dns/promises";
import { formatName, type Name, parseName, ZonecastError } from "../dns/mod.ts";
import { formatSocketAddress, normalIp, readIp, type SocketAddress } from "../ops/mod.ts";
import type { AskedServer, AskerOptions } from "../server/mod.ts";
import type { TsigKey } from "../wire/mod.ts";
import type { Context } from "./command.ts";
import { CommandError, UsageError } from "./errors.ts";
import { optional, repeated, type ValueForm, withDefault } from "./flags.ts";
import { FILE } from "./forms.ts";
import { INTERVAL } from "./number_forms.ts";
import { readAuthorities } from "./tls_certificate.ts";
import { loadKeys } from "./tsig_keys.ts";

/** A server as written. */
export interface ServerText {
  /** As the operator wrote it, without its options. */
  readonly text: string;
  /** An IP address or a host name. */
  readonly host: string;
  readonly port: number;
  /** Undefined: plain; else the name its certificate must be for, undefined for the host. */
  readonly tls: { readonly hostname: string | undefined } | undefined;
  readonly keyName: Name | undefined;
}

const HOST = /^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9.])?$/;

/** A server to ask: HOST[:PORT][,key=KEY][,tls[=HOSTNAME]]. */
export const SERVER: ValueForm<ServerText> = {
  placeholder: "SERVER",
  takes: "an address or host name, with a port if it is not 53 (853 with tls), and behind commas " +
    "key=KEY and tls[=HOSTNAME], such as 192.0.2.53,key=ns1 or [2001:db8::53]:5353",
  parse: (text) => {
    const [target, ...options] = text.split(",").map((part) => part.trim());
    let keyName: Name | undefined;
    let tls: ServerText["tls"];
    for (const option of options) {
      if (option === "tls") tls = { hostname: undefined };
      else if (option.startsWith("tls=") && option.length > 4) tls = { hostname: option.slice(4) };
      else if (option.startsWith("key=") && option.length > 4) keyName = parseName(option.slice(4));
      else throw new CommandError("value-form", `"${option}" is no option of it`);
    }
    const { host, port } = splitHost(target, tls ? 853 : 53);
    return { text: target, host, port, tls, keyName };
  },
};

/** Where NAME servers are, when that is not to be looked up: NAME=IP[:PORT]. */
export const NAMED_SERVER: ValueForm<{ name: Name; server: ServerText }> = {
  placeholder: "NAME=IP[:PORT]",
  takes: "the name of a name server and where it is, such as ns1.example.net=192.0.2.53",
  parse: (text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new CommandError("value-form", "no NAME= stands before its address");
    return { name: parseName(text.slice(0, at)), server: SERVER.parse(text.slice(at + 1)) };
  },
};

function splitHost(text: string, defaultPort: number): { host: string; port: number } {
  if (readIp(text)) return { host: normalIp(text), port: defaultPort };
  const [, host, digits] = /^\[?(.*?)\]?(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  if (!host || port < 1 || port > 65_535) {
    throw new CommandError("value-form", "it has no host, or no port from 1 to 65535");
  }
  if (readIp(host)) return { host: normalIp(host), port };
  if (!HOST.test(host)) throw new CommandError("value-form", "it is no address or host name");
  return { host, port };
}

/** The flag of commands that ask servers and wait for what they say. */
export const TIMEOUT_FLAG = {
  timeout: withDefault(INTERVAL, "4s", {
    help: "time for an answer; over UDP it is asked for three times in it",
    env: false,
  }),
};

/** What {@link TIMEOUT_FLAG} says, as an asker takes it. */
export function patience(ms: number): Pick<AskerOptions, "triesMs" | "streamMs"> {
  return { triesMs: [ms / 4, ms / 4, ms / 2], streamMs: ms };
}

/** The flags of commands that ask servers with keys and over TLS. */
export const ASK_FLAGS = {
  key: optional(
    {
      placeholder: "KEY",
      takes: "the name of a TSIG key that a key file has",
      parse: (text: string) => parseName(text),
    } as ValueForm<Name>,
    { help: "sign what is asked of servers that name no key of their own", env: false },
  ),
  "tsig-key-file": repeated(FILE, {
    help: "TSIG keys, as BIND or Knot has them in a file; a directory stands for its files",
    defaultText: "none, but systemd's credentials named tsig…",
  }),
  "tls-ca": repeated(FILE, {
    help: "authorities, in PEM, that vouch for servers with tls, beside the known public ones",
    defaultText: "none",
  }),
};

/** What {@link ASK_FLAGS} say. */
export interface AskFlags {
  readonly key: Name | undefined;
  readonly "tsig-key-file": readonly string[];
  readonly "tls-ca": readonly string[];
}

/** Keys and authorities of a command that asks. */
export class AskSetup {
  private constructor(
    readonly keys: readonly TsigKey[],
    readonly authorities: readonly string[],
    readonly defaultKey: Name | undefined,
  ) {}

  /** @throws {KeyFileError | TlsFileError} a file cannot be used */
  static async read(flags: AskFlags, context: Context): Promise<AskSetup> {
    const credentials = context.env("CREDENTIALS_DIRECTORY");
    const keys = await loadKeys(flags["tsig-key-file"], credentials);
    const authorities = await Promise.all(flags["tls-ca"].map(readAuthorities));
    return new AskSetup(keys, authorities, flags.key);
  }

  /**
   * A server as it is asked, its host looked up.
   *
   * @throws {UsageError} there is no key of its name
   * @throws {CommandError} there is no host of its name
   */
  async server(written: ServerText): Promise<AskedServer> {
    const { host, port, tls } = written;
    const name = written.keyName ?? this.defaultKey;
    const hostname = tls?.hostname ?? (readIp(host) ? undefined : host);
    return {
      ip: await addressOf(host),
      port,
      tls: tls && { hostname },
      key: name && this.#key(name),
    };
  }

  #key(name: Name): TsigKey {
    const text = formatName(name).toLowerCase();
    const key = this.keys.find((key) => formatName(key.name) === text);
    if (key) return key;
    throw new UsageError(
      `There is no TSIG key ${text}`,
      "name its file with --tsig-key-file; `zonecast keygen` makes one",
    );
  }
}

/** Where a server is, its host looked up. @throws {CommandError} there is no host of its name */
export async function placeOf({ host, port }: ServerText): Promise<SocketAddress> {
  return { ip: await addressOf(host), port };
}

/** An address of a host, as the system prefers them. @throws {CommandError} */
async function addressOf(host: string): Promise<string> {
  if (readIp(host)) return host;
  try {
    const { address } = await lookup(host);
    return normalIp(address);
  } catch (cause) {
    throw new CommandError(
      "host-unknown",
      `There is no address of ${host}: ${cause instanceof Error ? cause.message : cause}`,
      "give the server's IP address",
      { cause },
    );
  }
}

/** A server as messages name it: as written, and its address where that says more. */
export function serverName(written: ServerText, { ip, port }: SocketAddress): string {
  const address = formatSocketAddress({ ip, port });
  return readIp(written.host) ? address : `${written.text} (${address})`;
}

/** The message of an error that ends one server's part, not the command's; rethrows our own bugs. */
export function failureOf(error: unknown): { message: string; hint: string | undefined } {
  if (!(error instanceof ZonecastError)) throw error;
  return { message: error.message, hint: error.hint };
}
