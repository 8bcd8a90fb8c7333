/**
 * What a query's EDNS says of the response: its size, and the options it gets.
 *
 * Pure but for the cookies' secrets. Specs: RFC 6891 §6.1.1 (OPT answers OPT) and
 * §6.2.3 (sizes), RFC 5001 §2 (NSID), RFC 7314 §2 and §3.1 (EXPIRE), RFC 7828 §3.3
 * (keepalive), RFC 7830 and RFC 8467 §4.1 (padding), RFC 7873 §5.2 (cookies), RFC 8914
 * (extended errors). Options nobody here knows are ignored (RFC 6891 §6.1.2).
 */
import {
  EDE,
  type EdnsOption,
  type ExtendedError,
  MAX_MESSAGE_OCTETS,
  MAX_UDP_OCTETS,
  MIN_UDP_OCTETS,
  OPTION,
  type Padding,
  type Query,
  type ResponseEdns,
} from "../wire/mod.ts";
import { soaExpire, type ZoneVersion } from "../zone/mod.ts";
import type { Cookies } from "./cookies.ts";
import { type Signature, signedOctets } from "./signed_request.ts";

/** What responses say beside their records. */
export interface EdnsSettings {
  /** The longest message sent over UDP, and the longest taken, octets; undefined: 1,232. */
  readonly udpOctets?: number;
  /** Which server this is: `id.server`, and NSID; undefined: not told. */
  readonly serverId?: string;
  /** Undefined: cookies are ignored. */
  readonly cookies?: Cookies;
  /** How long a TCP connection may be idle, ms; undefined: not told. */
  readonly idleMs?: number;
}

/** Responses over TLS to those who pad are filled to a multiple of this (RFC 8467 §4.1). */
const PADDING_BLOCK_OCTETS = 468;

/** How a response leaves: as the query, the client's transport and the settings have it. */
export interface Envelope {
  /** What the OPT record says; undefined: there is none. */
  readonly edns: ResponseEdns | undefined;
  /** The longest message that transport and client take, octets. */
  readonly maxOctets: number;
  /** How it is signed; undefined: not. */
  readonly signature?: Signature;
  /** The client has shown by a cookie that its address is its own. */
  readonly validCookie: boolean;
}

/**
 * How a query's response leaves; undefined when an option is malformed, which is
 * answered FORMERR.
 *
 * @param ip  the client's address as its socket gives it
 */
export function envelopeOf(
  query: Pick<Query, "edns">,
  client: { readonly ip: string; readonly transport: "udp" | "tcp" | "tls" },
  settings: EdnsSettings,
  signature?: Signature,
): Envelope | undefined {
  const { edns } = query;
  const udpOctets = settings.udpOctets ?? MAX_UDP_OCTETS;
  // RFC 6891 §6.2.3: less than 512 counts as 512.
  const offered = Math.max(edns?.payloadOctets ?? MIN_UDP_OCTETS, MIN_UDP_OCTETS);
  const most = client.transport === "udp" ? Math.min(offered, udpOctets) : MAX_MESSAGE_OCTETS;
  const maxOctets = most - signedOctets(signature);
  if (!edns) return { edns: undefined, maxOctets, signature, validCookie: false };
  const { dnssecOk } = edns;
  const options: EdnsOption[] = [];
  let validCookie = false;
  let padding: Padding | undefined;
  // What options mean in another version than 0, only that version knows.
  for (const { code, octets } of edns.version === 0 ? edns.options : []) {
    if (options.some((option) => option.code === code)) continue; // the first one counts
    if (code === OPTION.COOKIE && settings.cookies) {
      const verdict = settings.cookies.check(octets, client.ip);
      if (!verdict) return undefined;
      validCookie = verdict.valid;
      options.push({ code, octets: verdict.octets });
    } else if (code === OPTION.NSID && settings.serverId !== undefined) {
      options.push({ code, octets: new TextEncoder().encode(settings.serverId) });
    } else if (code === OPTION.TCP_KEEPALIVE && client.transport !== "udp" && settings.idleMs) {
      // RFC 7828 §3.1: in units of 100 ms; over UDP it is ignored.
      options.push({ code, octets: uint(Math.min(settings.idleMs / 100, 0xffff), 2) });
    } else if (code === OPTION.PADDING && client.transport === "tls") {
      // RFC 7830 §4 and §6: who pads is padded, and never in the clear.
      padding = { blockOctets: PADDING_BLOCK_OCTETS, behindOctets: signedOctets(signature) };
    }
  }
  return {
    edns: { payloadOctets: udpOctets, dnssecOk, options, padding },
    maxOctets,
    signature,
    validCookie,
  };
}

/** An OPT record without options, for a response to a query whose own are malformed. */
export function plainEnvelope(
  query: Pick<Query, "edns">,
  settings: EdnsSettings,
  signature?: Signature,
): Envelope {
  // RFC 3225 §3: DO goes back as it came.
  const dnssecOk = query.edns?.dnssecOk ?? false;
  const edns = { payloadOctets: settings.udpOctets ?? MAX_UDP_OCTETS, dnssecOk };
  const maxOctets = MIN_UDP_OCTETS - signedOctets(signature);
  return { edns, maxOctets, signature, validCookie: false };
}

/** Made once: refusals are what floods are answered with. */
const EXTENDED_ERRORS: ReadonlyMap<number, EdnsOption> = new Map(
  Object.values(EDE).map((infoCode) => [infoCode, { code: OPTION.EDE, octets: uint(infoCode, 2) }]),
);

/** The same with an extended error (RFC 8914 §2), where there is an OPT record for it. */
export function withExtendedError(
  edns: ResponseEdns | undefined,
  infoCode: ExtendedError,
): ResponseEdns | undefined {
  return edns && withOption(edns, EXTENDED_ERRORS.get(infoCode)!);
}

/**
 * The same with the time after which the zone expires, if that is asked for.
 *
 * Spec: RFC 7314 §3.1 (a primary gives the EXPIRE of its SOA) and §2 (it may be asked
 * for with any query).
 */
export function withExpire(
  edns: ResponseEdns | undefined,
  query: Query,
  version: ZoneVersion,
): ResponseEdns | undefined {
  if (!edns || !query.edns?.options.some(({ code }) => code === OPTION.EXPIRE)) return edns;
  return withOption(edns, { code: OPTION.EXPIRE, octets: uint(soaExpire(version.soa), 4) });
}

function withOption(edns: ResponseEdns, option: EdnsOption): ResponseEdns {
  return { ...edns, options: [...edns.options ?? [], option] };
}

/** A number as octets, the high one first. */
function uint(value: number, octets: 2 | 4): Uint8Array {
  const out = new DataView(new ArrayBuffer(octets));
  if (octets === 2) out.setUint16(0, value);
  else out.setUint32(0, value);
  return new Uint8Array(out.buffer);
}
