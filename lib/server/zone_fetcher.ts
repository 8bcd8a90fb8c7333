/**
 * Fetches a zone from a server by AXFR, over TCP or TLS, signed where there is a key.
 *
 * Owns: one connection for as long as the zone comes. Specs: RFC 5936, RFC 8945 §5.3.1.
 */
import { formatName, type Name, type ResourceRecord, ZonecastError } from "../dns/mod.ts";
import { axfrQuery, AxfrReader, TransferError } from "../transfer/mod.ts";
import {
  answerFault,
  RCODE,
  readResponse,
  signMessage,
  TsigSequenceVerifier,
} from "../wire/mod.ts";
import { AskError } from "./ask_error.ts";
import type { AskedServer, Asker } from "./asker.ts";
import { freeId } from "./message_ids.ts";

/** Time for each message of a transfer, ms: a primary that starts it may have much to read first. */
const MESSAGE_MS = 30_000;
/** Octets of a transfer that are taken: a hundred million records, far above any zone's. */
const MAX_TRANSFER_OCTETS = 4 * 1024 ** 3;

/** A part of a zone, as a message brought it. */
export interface ZonePart {
  /** The zone's SOA record; the same in each part. */
  readonly soa: ResourceRecord;
  /** Without the SOA, as they came. */
  readonly records: readonly ResourceRecord[];
  /** Of the message, octets. */
  readonly octets: number;
}

/**
 * A zone, message by message; when it ends without an error all of it has come, and is rightly
 * signed where there is a key.
 *
 * @throws {TransferError} the server refuses, or sends no zone
 * @throws {AskError} it cannot be reached, falls silent, or is not believed
 */
export async function* fetchZone(
  asker: Asker,
  server: AskedServer,
  apex: Name,
  nowSeconds: () => number = () => Math.floor(Date.now() / 1000),
): AsyncGenerator<ZonePart, void> {
  using connection = await asker.connect(server);
  const reader = new AxfrReader(apex, freeId(new Set()));
  const { key } = server;
  const query = axfrQuery(reader.id, apex);
  const signed = key && signMessage(query, key, { nowSeconds: nowSeconds() });
  const verifier = key && signed && new TsigSequenceVerifier(key, signed.mac);
  await connection.send(signed?.message ?? query, MESSAGE_MS);
  let octets = 0;
  while (!reader.isWhole) {
    const message = await connection.receive(MESSAGE_MS);
    if (!message) throw cut(connection.peer, apex, octets);
    octets += message.length;
    if (octets > MAX_TRANSFER_OCTETS) throw tooMuch(connection.peer, apex);
    const response = readMessage(message, connection.peer);
    const fault = verifier?.take(message, response.tsig, nowSeconds());
    if (fault && response.rcode === RCODE.NOERROR) throw disbelieved(connection.peer, fault);
    if (key && signed && response.rcode === RCODE.NOTAUTH) {
      // A server that cannot sign, for it has not our key, says so; any other error it may not sign either.
      const why = answerFault(message, response.tsig, key, signed.mac, nowSeconds());
      if (why) throw disbelieved(connection.peer, why);
    }
    const records = reader.take(response);
    yield { soa: reader.soa!, records, octets: message.length };
  }
  if (verifier && !verifier.isComplete) {
    throw disbelieved(connection.peer, "the last message is not signed");
  }
}

function readMessage(message: Uint8Array, peer: string) {
  try {
    const response = readResponse(message);
    if (response) return response;
  } catch (cause) {
    if (!(cause instanceof ZonecastError)) throw cause;
    throw new AskError("ask-malformed", `${peer} sends what cannot be read: ${cause.message}`);
  }
  throw new AskError("ask-malformed", `${peer} sends what is no answer`);
}

function cut(peer: string, apex: Name, octets: number): TransferError {
  return new TransferError(
    "transfer-cut",
    `${peer} ended the transfer of ${formatName(apex)} after ${octets} octets, before its end`,
    octets === 0 ? "it may refuse transfers to this machine without saying so" : "try it again",
  );
}

function tooMuch(peer: string, apex: Name): TransferError {
  return new TransferError(
    "transfer-malformed",
    `${peer} sends more than ${MAX_TRANSFER_OCTETS} octets for ${formatName(apex)}`,
  );
}

function disbelieved(peer: string, fault: string): AskError {
  return new AskError(
    "ask-disbelieved",
    `The transfer from ${peer} is not believed: ${fault}`,
    "both sides must have the key with the same name, algorithm and secret, and clocks within 300 s",
  );
}
