/**
 * How a request for a transfer is answered: decided here and nowhere else.
 *
 * Pure. Specs: RFC 5936 (AXFR), RFC 1995 §2 and §4 (IXFR), RFC 1982 (serials).
 *
 * Limitation: differences are not sent yet; an IXFR client that is behind gets
 * the whole zone, which RFC 1995 §4 allows ("the full zone in the form of an AXFR").
 */
import { compareSerials, type Serial, TYPE } from "../dns/mod.ts";
import { RCODE } from "../wire/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";

/** A request for a transfer, as far as the answer depends on it. */
export interface TransferRequest {
  /** QTYPE: AXFR or IXFR. */
  readonly type: number;
  /** SERIAL in an IXFR query's authority section; undefined for AXFR. */
  readonly clientSerial: Serial | undefined;
  readonly transport: "udp" | "tcp";
  /** Whether the access list lets this client transfer. */
  readonly allowed: boolean;
}

/** What to send. Every plan has a reason fit for the log. */
export type TransferPlan =
  | { readonly kind: "refuse"; readonly rcode: number; readonly reason: string }
  /** The SOA record alone: nothing newer, or "ask again over TCP". */
  | { readonly kind: "soa"; readonly version: ZoneVersion; readonly reason: string }
  /** The whole zone; also an answer to IXFR. */
  | { readonly kind: "axfr"; readonly version: ZoneVersion; readonly reason: string };

/**
 * The plan for one request.
 *
 * @param version  the current version of the zone whose apex is the QNAME;
 *   undefined when there is none
 */
export function planTransfer(
  request: TransferRequest,
  version: ZoneVersion | undefined,
): TransferPlan {
  if (!request.allowed) {
    return { kind: "refuse", rcode: RCODE.REFUSED, reason: "client may not transfer" };
  }
  if (!version) {
    // RFC 5936 §2.2.1: NOTAUTH tells a client that this server has no such zone.
    return { kind: "refuse", rcode: RCODE.NOTAUTH, reason: "no such zone" };
  }
  if (request.type === TYPE.IXFR && request.clientSerial !== undefined) {
    return planIxfr(request.clientSerial, request.transport, version);
  }
  if (request.transport === "udp") {
    // RFC 5936 §4.2: AXFR over UDP is not defined.
    return { kind: "refuse", rcode: RCODE.FORMERR, reason: "AXFR over UDP is not defined" };
  }
  return { kind: "axfr", version, reason: "AXFR asked for" };
}

/** Spec: RFC 1995 §2 (single SOA: client not behind, or UDP answer would not fit). */
function planIxfr(
  clientSerial: Serial,
  transport: "udp" | "tcp",
  version: ZoneVersion,
): TransferPlan {
  const order = compareSerials(clientSerial, version.serial);
  const at = `client has ${clientSerial}, ours is ${version.serial}`;
  if (order === 0) {
    return { kind: "soa", version, reason: `client is up to date at ${clientSerial}` };
  }
  if (order === 1) return { kind: "soa", version, reason: `client is ahead: ${at}` };
  if (transport === "udp") {
    return { kind: "soa", version, reason: `client must ask again over TCP: ${at}` };
  }
  if (order === undefined) {
    return { kind: "axfr", version, reason: `serials are incomparable: ${at}` };
  }
  return { kind: "axfr", version, reason: `no differences kept: ${at}` };
}
