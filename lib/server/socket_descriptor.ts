/**
 * Which file descriptor a socket of the runtime has: it does not tell, so the descriptors are asked
 * for their names.
 *
 * Sources: getsockname(2), getpeername(2), ip(7), ipv6(7); the structures are those of Linux.
 */
import { formatIp, type SystemCalls } from "../ops/mod.ts";

/** Room for struct sockaddr_in and sockaddr_in6: family 0, port 2 (network order), address 4 or 8. */
export const NAME_OCTETS = 32;

export const SOCKET_TYPE = { stream: 1, datagram: 2 } as const;

const AF_INET = 2;
const AF_INET6 = 10;
const SOL_SOCKET = 1;
const SO_TYPE = 3;

/** Descriptors looked at, at most: each socket takes the lowest that is free; each look costs 0.3 µs. */
const DESCRIPTORS_LOOKED_AT = 65_536;

/** What is called. */
export type NameCalls = Pick<SystemCalls, "getpeername" | "getsockname" | "getsockopt">;

const name = new Uint8Array(NAME_OCTETS);
const type = new Uint8Array(4);
const length = new Uint8Array(4);

/**
 * The descriptor of an open socket; undefined when there is none with these names.
 *
 * It is the socket's for as long as the runtime has it open, and may be another's afterwards.
 *
 * @param bound  its own name, as the runtime has it
 * @param peer  whom it is connected to; undefined: that is not looked at
 * @param range  descriptors looked at: the first, and the one behind the last
 */
export function descriptorOf(
  calls: NameCalls,
  socketType: number,
  bound: Deno.NetAddr,
  peer?: Deno.NetAddr,
  [from, to]: readonly [from: number, to: number] = [0, DESCRIPTORS_LOOKED_AT],
): number | undefined {
  for (let fd = from; fd < to; fd++) {
    // First what tells most apart: the connections of a listener all have its name.
    if (peer && !isNamed(peer, calls.getpeername, fd)) continue;
    if (!isNamed(bound, calls.getsockname, fd)) continue;
    length[0] = 4;
    const asked = calls.getsockopt(fd, SOL_SOCKET, SO_TYPE, type, length);
    if (asked === 0 && type[0] === socketType) return fd;
  }
  return undefined;
}

function isNamed(
  { port, hostname }: Deno.NetAddr,
  call: NameCalls["getpeername" | "getsockname"],
  fd: number,
): boolean {
  length.set([NAME_OCTETS, 0, 0, 0]);
  if (call(fd, name, length) !== 0) return false;
  if (name[0] !== AF_INET && name[0] !== AF_INET6) return false;
  return portIn(name, 0) === port && ipIn(name, 0) === hostname;
}

export function isIPv4(octets: Uint8Array, at: number): boolean {
  return octets[at] === AF_INET;
}

export function portIn(octets: Uint8Array, at: number): number {
  return octets[at + 2] << 8 | octets[at + 3];
}

/** The address of a socket, as the runtime writes it: mapped IPv4 as `::ffff:1.2.3.4`. */
export function ipIn(octets: Uint8Array, at: number): string {
  if (isIPv4(octets, at)) return formatIp(octets.subarray(at + 4, at + 8));
  const ip = octets.subarray(at + 8, at + 24);
  // RFC 5952 §5: a mapped IPv4 address ends in that.
  return isMapped(ip) ? `::ffff:${formatIp(ip.subarray(12))}` : formatIp(ip);
}

function isMapped(ip: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (ip[i] !== 0) return false;
  return ip[10] === 0xff && ip[11] === 0xff;
}
