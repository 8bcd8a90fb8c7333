/**
 * A secondary as configured, and the text that configures it.
 *
 * Pure.
 */
import { type Name, NameError, parseName, ZonecastError } from "../dns/mod.ts";
import {
  AddressError,
  type Cidr,
  formatIp,
  formatSocketAddress,
  parseCidr,
  parseIp,
  parseSocketAddress,
  readIp,
  type SocketAddress,
} from "../ops/mod.ts";

/** Who is met over TLS. */
export interface TlsPeer {
  /** The name its certificate must be for; undefined: its address. */
  readonly hostname: string | undefined;
}

/** A server that is notified and may transfer. */
export interface Secondary {
  /** As given, else its address. */
  readonly name: string;
  /** Whom NOTIFY goes to. */
  readonly ip: string;
  readonly port: number;
  /** Whose requests count as its own and may transfer; its IP address by default. */
  readonly from: readonly Cidr[];
  /** NOTIFY goes over TLS; undefined: over UDP. */
  readonly tls: TlsPeer | undefined;
  /** The local address NOTIFY over UDP, and questions, leave from; undefined lets the system choose. */
  readonly via: string | undefined;
  /** False: it is never notified. */
  readonly notify: boolean;
  /** Whose SOA is watched; by default the address NOTIFY goes to. Empty: none. */
  readonly watch: readonly SocketAddress[];
  /** False: it is sent whole zones only. */
  readonly ixfr: boolean;
  /**
   * Names of its TSIG keys: what it is sent is signed with the first, its requests
   * with any of them. Empty: nothing is signed.
   */
  readonly keys: readonly Name[];
}

/** A text that configures no secondary. */
export class SecondaryError extends ZonecastError {
  override readonly name = "SecondaryError";
}

/** What {@link parseSecondary} takes; for usage texts and errors. */
export const SECONDARY_TAKES =
  "[NAME=]IP[:PORT], and behind commas: key=KEY, tls[=HOSTNAME], from=CIDR, watch=IP[:PORT]|off, " +
  "via=IP, no-ixfr, notify=off";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const DNS_PORT = 53;
const TLS_PORT = 853;

/**
 * The secondary a text configures.
 *
 * `key`, `from` and `watch` may be repeated, and take several values joined by `+`. An
 * IPv6 address with a port stands in brackets.
 *
 * @throws {SecondaryError} the message names the part that was not understood
 */
export function parseSecondary(text: string): Secondary {
  const [target, ...options] = text.split(",").map((part) => part.trim());
  const [name, address] = splitName(text, target);
  const isTls = options.some((option) => option === "tls" || option.startsWith("tls="));
  const { ip, port } = targetAddress(text, address, isTls ? TLS_PORT : DNS_PORT);
  let tls: TlsPeer | undefined;
  const from: Cidr[] = [];
  const watch: SocketAddress[] = [];
  const keys: Name[] = [];
  let watchOff = false;
  let via: string | undefined;
  let notify = true;
  let ixfr = true;
  for (const option of options) {
    const [key, value] = splitOption(option);
    if (key === "from" && value) {
      for (const cidr of value.split("+")) from.push(understood(text, () => parseCidr(cidr)));
    } else if (key === "key" && value) {
      for (const one of value.split("+")) keys.push(understood(text, () => parseName(one)));
    } else if (option === "tls") {
      tls = { hostname: undefined };
    } else if (key === "tls" && value) {
      tls = { hostname: value };
    } else if (option === "watch=off") {
      watchOff = true;
    } else if (key === "watch" && value) {
      for (const one of value.split("+")) watch.push(targetAddress(text, one));
    } else if (key === "via" && value) {
      via = localAddress(text, ip, value);
    } else if (option === "notify=off") {
      notify = false;
    } else if (option === "no-ixfr") {
      ixfr = false;
    } else {
      throw malformed(text, `"${option}" is no option of a secondary`);
    }
  }
  if (watchOff && watch.length > 0) {
    throw malformed(text, "watch=off and watch=IP exclude each other");
  }
  if (from.length === 0) from.push(parseCidr(ip));
  if (!watchOff && watch.length === 0) watch.push({ ip, port: tls ? DNS_PORT : port });
  const distinct = [...new Map(watch.map((one) => [formatSocketAddress(one), one])).values()];
  return {
    name: name ?? formatTarget(ip, port),
    ip,
    port,
    tls,
    from,
    via,
    notify,
    watch: distinct,
    ixfr,
    keys,
  };
}

/** An address to send to. */
function targetAddress(text: string, address: string, defaultPort = DNS_PORT): SocketAddress {
  const target = understood(text, () => parseSocketAddress(address, defaultPort));
  if (target.port === 0) throw malformed(text, "port 0 cannot be sent to");
  return target;
}

/**
 * Several secondaries, their names distinct.
 *
 * @throws {SecondaryError}
 */
export function parseSecondaries(texts: readonly string[]): Secondary[] {
  const secondaries = texts.map(parseSecondary);
  for (const [i, { name }] of secondaries.entries()) {
    if (secondaries.findIndex((other) => other.name === name) === i) continue;
    throw new SecondaryError(
      "secondary-twice",
      `Two secondaries are called "${name}"`,
      "give one of them another name: NAME=IP",
    );
  }
  return secondaries;
}

function splitName(text: string, target: string): [name: string | undefined, address: string] {
  const at = target.indexOf("=");
  if (at < 0) return [undefined, target];
  const name = target.slice(0, at);
  if (!NAME.test(name)) {
    throw malformed(text, `"${name}" is no name (letters, digits, ".", "_", "-")`);
  }
  return [name, target.slice(at + 1)];
}

function splitOption(option: string): [key: string, value: string | undefined] {
  const at = option.indexOf("=");
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}

function formatTarget(ip: string, port: number): string {
  return port === DNS_PORT ? ip : formatSocketAddress({ ip, port });
}

function localAddress(text: string, target: string, value: string): string {
  const local = understood(text, () => parseIp(value));
  if (local.length !== readIp(target)?.length) {
    throw malformed(text, `via=${value} is of another address family than ${target}`);
  }
  return formatIp(local);
}

/** Runs a parser and says which secondary its complaint is about. */
function understood<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AddressError || error instanceof NameError) {
      throw malformed(text, error.message);
    }
    throw error;
  }
}

function malformed(text: string, reason: string): SecondaryError {
  return new SecondaryError(
    "secondary-malformed",
    `Cannot read secondary "${text}": ${reason}`,
    `it takes ${SECONDARY_TAKES}`,
  );
}
