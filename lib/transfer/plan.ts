/**
 * How a request for a transfer is answered: decided here and nowhere else.
 *
 * In two steps, because differences come from the journal, which answers later:
 * {@link planTransfer} decides what needs none, or says which are wanted;
 * {@link planWithDifferences} decides the rest.
 *
 * Pure. Specs: RFC 5936 (AXFR), RFC 1995 §2 and §4 (IXFR), RFC 1982 (serials).
 */
import { compareSerials, type Serial, TYPE } from "../dns/mod.ts";
import { RCODE } from "../wire/mod.ts";
import {
  type Differences,
  equalRecords,
  soaSerial,
  type ZoneDiff,
  type ZoneVersion,
} from "../zone/mod.ts";

/** A request for a transfer, as far as the answer depends on it. */
export interface TransferRequest {
  /** QTYPE: AXFR or IXFR. */
  readonly type: number;
  /** SERIAL in an IXFR query's authority section; undefined for AXFR. */
  readonly clientSerial: Serial | undefined;
  readonly transport: "udp" | "tcp";
  /** Why this client may not transfer, fit for the log; undefined when it may. */
  readonly denial: string | undefined;
  /** Why this client is never sent differences, fit for the log; undefined when it may be. */
  readonly noDifferences: string | undefined;
}

/** What to send. Every plan has a reason fit for the log. */
export type TransferPlan =
  | { readonly kind: "refuse"; readonly rcode: number; readonly reason: string }
  /** The SOA record alone: nothing newer, or "ask again over TCP". */
  | { readonly kind: "soa"; readonly version: ZoneVersion; readonly reason: string }
  /** The differences from the client's serial. */
  | {
    readonly kind: "ixfr";
    readonly version: ZoneVersion;
    /** Oldest first, at least one; the last leads to the version. */
    readonly sequences: readonly ZoneDiff[];
    readonly reason: string;
  }
  /** The whole zone; also an answer to IXFR. */
  | { readonly kind: "axfr"; readonly version: ZoneVersion; readonly reason: string };

/** No plan yet: which differences it depends on. */
export interface DifferencesWanted {
  readonly kind: "differences-wanted";
  readonly version: ZoneVersion;
  /** Behind the version's serial. */
  readonly fromSerial: Serial;
  readonly transport: "udp" | "tcp";
}

/**
 * The plan for one request, or the differences it depends on.
 *
 * @param version  the current version of the zone whose apex is the QNAME;
 *   undefined when there is none
 */
export function planTransfer(
  request: TransferRequest,
  version: ZoneVersion | undefined,
): TransferPlan | DifferencesWanted {
  if (request.denial !== undefined) {
    return { kind: "refuse", rcode: RCODE.REFUSED, reason: request.denial };
  }
  if (!version) {
    // RFC 5936 §2.2.1: NOTAUTH tells a client that this server has no such zone.
    return { kind: "refuse", rcode: RCODE.NOTAUTH, reason: "no such zone" };
  }
  const { clientSerial } = request;
  if (request.type === TYPE.IXFR && clientSerial !== undefined) {
    return planIxfr({ ...request, clientSerial }, version);
  }
  if (request.transport === "udp") {
    // RFC 5936 §4.2: AXFR over UDP is not defined.
    return { kind: "refuse", rcode: RCODE.FORMERR, reason: "AXFR over UDP is not defined" };
  }
  return { kind: "axfr", version, reason: "AXFR asked for" };
}

/** Spec: RFC 1995 §2 (single SOA: client not behind) and §4 (the zone where differences are not). */
function planIxfr(
  request: TransferRequest & { readonly clientSerial: Serial },
  version: ZoneVersion,
): TransferPlan | DifferencesWanted {
  const { clientSerial, transport, noDifferences } = request;
  const order = compareSerials(clientSerial, version.serial);
  if (order === 0) {
    return { kind: "soa", version, reason: `client is up to date at ${clientSerial}` };
  }
  const at = serials(clientSerial, version);
  if (order === 1) return { kind: "soa", version, reason: `client is ahead: ${at}` };
  if (order === undefined) return wholeZone(version, transport, `serials are incomparable: ${at}`);
  if (noDifferences !== undefined) return wholeZone(version, transport, `${noDifferences}: ${at}`);
  return { kind: "differences-wanted", version, fromSerial: clientSerial, transport };
}

/**
 * The plan when the journal has answered.
 *
 * @param fits  over UDP: whether these sequences are an answer in one message the
 *   client takes; not asked over TCP
 */
export function planWithDifferences(
  wanted: DifferencesWanted,
  differences: Differences,
  fits: (sequences: readonly ZoneDiff[]) => boolean,
): TransferPlan {
  const { version, fromSerial, transport } = wanted;
  const at = serials(fromSerial, version);
  if (differences.kind === "none") {
    return wholeZone(version, transport, `${differences.reason}: ${at}`);
  }
  const { sequences } = differences;
  if (!isChain(sequences, fromSerial, version)) {
    return wholeZone(version, transport, `the differences kept do not lead there: ${at}`);
  }
  if (transport === "udp" && !fits(sequences)) {
    // RFC 1995 §2: a single SOA tells the client to ask over TCP.
    return soaOverUdp(version, `the differences do not fit: ${at}`);
  }
  const count = sequences.length === 1 ? "1 difference" : `${sequences.length} differences`;
  return { kind: "ixfr", version, sequences, reason: `${count}: ${at}` };
}

/** Whether each sequence starts where the one before ends, from a serial to a version's own SOA. */
function isChain(
  sequences: readonly ZoneDiff[],
  fromSerial: Serial,
  version: ZoneVersion,
): boolean {
  if (sequences.length === 0 || soaSerial(sequences[0].fromSoa) !== fromSerial) return false;
  return sequences.every(({ toSoa }, i) =>
    equalRecords(toSoa, i + 1 < sequences.length ? sequences[i + 1].fromSoa : version.soa)
  );
}

function wholeZone(
  version: ZoneVersion,
  transport: "udp" | "tcp",
  reason: string,
): TransferPlan {
  return transport === "udp" ? soaOverUdp(version, reason) : { kind: "axfr", version, reason };
}

function soaOverUdp(version: ZoneVersion, reason: string): TransferPlan {
  return { kind: "soa", version, reason: `client must ask again over TCP: ${reason}` };
}

function serials(clientSerial: Serial, version: ZoneVersion): string {
  return `client has ${clientSerial}, ours is ${version.serial}`;
}
