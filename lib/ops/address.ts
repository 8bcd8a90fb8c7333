/**
 * IP addresses, prefixes and socket addresses: text ⇄ octets. Pure.
 *
 * An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4 address: a
 * dual-stack socket names its peers that way, and an access list must not care.
 *
 * Specs: RFC 4291 §2.2 (text forms), RFC 5952 §4 (the one form written).
 * Limitation: no zone identifiers (`fe80::1%eth0`).
 */
import { ZonecastError } from "../dns/mod.ts";

/** An IP address: 4 or 16 octets, never IPv4-mapped. */
export type IpAddress = Uint8Array;

/** Where to listen or send to. */
export interface SocketAddress {
  /** IP address as {@link formatIp} writes it. */
  readonly ip: string;
  /** 0 to 65535; 0 lets the system choose when listening. */
  readonly port: number;
}

/** All addresses that begin with the same bits. */
export interface Cidr {
  /** The bits after the prefix are 0. */
  readonly ip: IpAddress;
  /** Bits, 0 to 32 or 128. */
  readonly prefix: number;
}

/** A text that is no address, or an address that cannot be used. */
export class AddressError extends ZonecastError {
  override readonly name = "AddressError";
}

const V4_OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const V6_GROUP = /^[0-9A-Fa-f]{1,4}$/;

function readV4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  // A leading zero means octal to some; it is refused, as inet_pton does.
  if (parts.length !== 4 || !parts.every((p) => V4_OCTET.test(p) && Number(p) <= 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** The 16-bit groups of one side of `::`, or undefined. */
function readGroups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (V6_GROUP.test(part)) groups.push(parseInt(part, 16));
    else {
      const v4 = mayEndInV4 && index === parts.length - 1 ? readV4(part) : undefined;
      if (!v4) return undefined;
      groups.push(v4[0] << 8 | v4[1], v4[2] << 8 | v4[3]);
    }
  }
  return groups;
}

function readV6(text: string): Uint8Array | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const head = readGroups(sides[0], sides.length === 1);
  const tail = sides.length === 2 ? readGroups(sides[1], true) : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  // `::` stands for at least one group (RFC 4291 §2.2).
  if (sides.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const octets = new Uint8Array(16);
  groups.forEach((group, i) => {
    octets[2 * i] = group >> 8;
    octets[2 * i + 1] = group;
  });
  return octets;
}

/** The IPv4 address inside a mapped one; any other address unchanged. */
function unmapped(ip: Uint8Array): IpAddress {
  const isMapped = ip.length === 16 && ip[10] === 0xff && ip[11] === 0xff &&
    ip.subarray(0, 10).every((octet) => octet === 0);
  return isMapped ? ip.slice(12) : ip;
}

/** The address a text names, a mapped IPv4 address as IPv4; undefined when it names none. */
export function readIp(text: string): IpAddress | undefined {
  const ip = text.includes(":") ? readV6(text) : readV4(text);
  return ip && unmapped(ip);
}

/**
 * The address a text names, a mapped IPv4 address as IPv4.
 *
 * @throws {AddressError} it names none
 */
export function parseIp(text: string): IpAddress {
  const ip = readIp(text);
  if (!ip) throw new AddressError("address-malformed", `"${text}" is no IP address`);
  return ip;
}

/** An address as text: lower case, the longest run of zero groups as `::` (RFC 5952 §4). */
export function formatIp(ip: IpAddress): string {
  if (ip.length === 4) return ip.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => ip[2 * i] << 8 | ip[2 * i + 1]);
  let [from, length] = [-1, 1]; // a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [from, length] = [i, end - i];
    if (end > i) i = end;
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  return from < 0
    ? hex(groups)
    : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

/**
 * An address of a peer in the one form used for comparison and in the log.
 *
 * @param text  as a socket gives it; unchanged when it is no IP address
 */
export function normalIp(text: string): string {
  const ip = readIp(text);
  return ip ? formatIp(ip) : text;
}

/**
 * The prefix a text names: `192.0.2.0/24`, `2001:db8::/32`, or one address.
 *
 * @throws {AddressError} no prefix, or one with bits set behind its length
 */
export function parseCidr(text: string): Cidr {
  const [address, length, ...rest] = text.split("/");
  const ip = readIp(address);
  if (!ip || rest.length > 0) {
    throw new AddressError("cidr-malformed", `"${text}" is no IP address or prefix`);
  }
  const bits = ip.length * 8;
  if (length === undefined) return { ip, prefix: bits };
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits) {
    throw new AddressError(
      "cidr-length",
      `"${text}" has no prefix length from 0 to ${bits} behind its slash`,
    );
  }
  const prefix = Number(length);
  const first = masked(ip, prefix);
  if (first.some((octet, i) => octet !== ip[i])) {
    throw new AddressError(
      "cidr-bits",
      `"${text}" has bits set behind its prefix length; the prefix is ${formatIp(first)}/${prefix}`,
    );
  }
  return { ip: first, prefix };
}

function masked(ip: IpAddress, prefix: number): IpAddress {
  return ip.map((octet, i) => octet & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i))));
}

/** A prefix as text, with its length; a lone address without. */
export function formatCidr(cidr: Cidr): string {
  const ip = formatIp(cidr.ip);
  return cidr.prefix === cidr.ip.length * 8 ? ip : `${ip}/${cidr.prefix}`;
}

/** Whether an address lies in a prefix; never across address families. */
export function cidrContains(cidr: Cidr, ip: IpAddress): boolean {
  if (ip.length !== cidr.ip.length) return false;
  const first = masked(ip, cidr.prefix);
  return cidr.ip.every((octet, i) => octet === first[i]);
}

/**
 * A socket address: `127.0.0.1:53`, `[::1]:53`; without a port when a default is given.
 *
 * @param defaultPort  taken when the text has no port; without one a port must stand there
 * @throws {AddressError} host names, bare IPv6 addresses with a port, bad ports
 */
export function parseSocketAddress(text: string, defaultPort?: number): SocketAddress {
  const [host, portText] = splitPort(text);
  const ip = readIp(host);
  if (!ip) {
    throw new AddressError(
      "address-malformed",
      /^[A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9.-]*$/.test(host)
        ? `"${host}" is a name, not an IP address`
        : `"${host}" is no IP address`,
    );
  }
  if (portText === undefined) {
    if (defaultPort === undefined) {
      throw new AddressError("address-port", `"${text}" has no port`);
    }
    return { ip: formatIp(ip), port: defaultPort };
  }
  if (!/^[0-9]{1,5}$/.test(portText) || Number(portText) > 65535) {
    throw new AddressError("address-port", `"${portText}" is no port from 0 to 65535`);
  }
  return { ip: formatIp(ip), port: Number(portText) };
}

/** Host and port; a bare IPv6 address has colons of its own, so its port needs brackets. */
function splitPort(text: string): [host: string, port: string | undefined] {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) return [bracketed[1], bracketed[2]];
  const colon = text.indexOf(":");
  if (colon < 0 || text.includes(":", colon + 1)) return [text, undefined];
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** A socket address as text, an IPv6 address in brackets. */
export function formatSocketAddress(address: SocketAddress): string {
  return address.ip.includes(":")
    ? `[${address.ip}]:${address.port}`
    : `${address.ip}:${address.port}`;
}
