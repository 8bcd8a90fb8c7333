/** The messages the witness sends, ready as octets: DNS by dns-packet, Postgres' simple queries. Pure. */
import * as dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";

export function hex(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Opcode UPDATE in the header (RFC 2136 §2.2). */
const UPDATE_FLAGS = 5 << 11;

let id = 0;

function encode(
  message: Omit<dnsPacket.Packet, "type">,
): Uint8Array {
  id = id + 1 & 0xffff;
  return dnsPacket.encode({ type: "query", id, flags: 0, ...message });
}

export function question(name: string, type: dnsPacket.RecordType): Uint8Array {
  return encode({ questions: [{ name, type }] });
}

/** IXFR with the serial the client has (RFC 1995 §3). */
export function ixfrQuery(zone: string, serial: number): Uint8Array {
  const data = { ...NO_SOA, serial };
  return encode({
    questions: [{ name: zone, type: "IXFR" as dnsPacket.RecordType }],
    authorities: [{ type: "SOA", name: zone, ttl: 0, data }],
  });
}

const NO_SOA = { mname: ".", rname: ".", refresh: 0, retry: 0, expire: 0, minimum: 0 };

/** UPDATE that adds an A record (RFC 2136 §2.5.1). */
export function updateMessage(zone: string, name: string, ttl: number, ip: string): Uint8Array {
  return encode({
    flags: UPDATE_FLAGS,
    questions: [{ name: zone, type: "SOA" }],
    authorities: [{ type: "A", name, ttl, data: ip }],
  });
}

/** RDATA of a SOA, uncompressed (RFC 1035 §3.3.13). */
export function soaRdata(mname: string, rname: string, serial: number): Uint8Array {
  const data = { mname, rname, serial, refresh: 3600, retry: 600, expire: 1209600, minimum: 300 };
  const message = encode({ answers: [{ type: "SOA", name: ".", data }] });
  return message.slice(12 + 1 + 10); // behind the header, the root's name, and up to RDLENGTH
}

export function decode(octets: Uint8Array): dnsPacket.DecodedPacket {
  return dnsPacket.decode(Buffer.from(octets));
}

/** RDATA of an A record. */
export function addressOctets(ip: string): Uint8Array {
  return Uint8Array.from(ip.split("."), Number);
}

/** The first message to Postgres: protocol 3.0, no TLS, no password. */
export function postgresStartup(user: string, database: string): Uint8Array {
  const text = new TextEncoder().encode(`user\0${user}\0database\0${database}\0\0`);
  const message = new Uint8Array(8 + text.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length);
  view.setUint32(4, 3 << 16);
  message.set(text, 8);
  return message;
}

/** A simple query: one message, answered when all its statements are done. */
export function postgresQuery(sql: string): Uint8Array {
  const text = new TextEncoder().encode(`${sql}\0`);
  const message = new Uint8Array(5 + text.length);
  message[0] = "Q".charCodeAt(0);
  new DataView(message.buffer).setUint32(1, message.length - 1);
  message.set(text, 5);
  return message;
}
