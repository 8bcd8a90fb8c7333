/** An IXFR client on dns-packet: asks, and tells which of its forms the answer has (RFC 1995 §4). */
import * as dnsPacket from "dns-packet";
import type { Answer } from "dns-packet";
import { Buffer } from "node:buffer";
import { exchange, type Reply, type Server, tcpMessages } from "./dns_client.ts";
import { readSequences, type Sequence } from "./ixfr.ts";
import { DEADLINE_MS } from "./wait.ts";

/** What came: the SOA alone, differences, or the whole zone. */
export type IxfrAnswer =
  & {
    readonly serial: number;
    /** The SOA record of that serial. */
    readonly soa: Answer;
    readonly octets: number;
  }
  & (
    | { readonly form: "soa" }
    | { readonly form: "ixfr"; readonly sequences: readonly Sequence[] }
    /** The closing SOA left out. */
    | { readonly form: "axfr"; readonly records: readonly Answer[] }
  );

/** How it is asked. */
export interface IxfrOptions {
  readonly transport?: "tcp" | "udp";
  /** Sends an OPT record that announces this many octets. */
  readonly ednsOctets?: number;
  readonly timeoutMs?: number;
}

function ixfrQuery(zone: string, serial: number, ednsOctets: number | undefined): Uint8Array {
  const name = zone.replace(/\.$/, "");
  const data = { mname: ".", rname: ".", serial };
  return dnsPacket.encode({
    type: "query",
    id: Math.floor(Math.random() * 65_536),
    flags: 0,
    questions: [{ type: "IXFR" as dnsPacket.RecordType, name }],
    authorities: [{ type: "SOA", name, data } as Answer],
    additionals: ednsOctets === undefined
      ? []
      : [{ type: "OPT", name: ".", udpPayloadSize: ednsOctets } as Answer],
  });
}

const isSoa = (answer: Answer | undefined) => answer?.type === "SOA";
const soaSerial = (answer: Answer | undefined) =>
  answer?.type === "SOA" ? answer.data.serial : undefined;

/** Whether a client that has one serial lacks the other (RFC 1982 §3.2). */
export function isBehind(serial: number, other: number): boolean {
  const ahead = (other - serial) >>> 0;
  return ahead > 0 && ahead < 2 ** 31;
}

/** Whether no more records follow, as a client that has `serial` sees it over TCP. */
function isWhole(records: readonly Answer[], serial: number): boolean {
  const newest = soaSerial(records[0]);
  if (newest === undefined) return true; // not an answer; the caller complains
  if (records.length === 1) return !isBehind(serial, newest) && newest - serial !== 2 ** 31;
  const last = records[records.length - 1];
  if (soaSerial(last) !== newest) return false;
  if (!isSoa(records[1])) return true; // AXFR form: the closing SOA
  // In incremental form the newest SOA begins the last additions, and then ends all.
  return records.filter((record) => soaSerial(record) === newest).length === 3;
}

function judge(records: readonly Answer[], octets: number): IxfrAnswer {
  const serial = soaSerial(records[0]);
  if (serial === undefined) throw new Error("An IXFR answer that begins with no SOA");
  const answer = { serial, soa: records[0], octets };
  if (records.length === 1) return { ...answer, form: "soa" };
  if (!isSoa(records[1]) || records.length === 2) {
    return { ...answer, form: "axfr", records: records.slice(0, -1) };
  }
  return { ...answer, form: "ixfr", sequences: readSequences(records) };
}

/**
 * The answer to an IXFR query.
 *
 * @param serial  what the client has
 * @returns octets: of all messages, without the lengths before them over TCP
 * @throws {Error} no whole answer in time, an RCODE but NOERROR, or no such answer
 */
export async function ixfr(
  server: Server,
  zone: string,
  serial: number,
  { transport = "tcp", ednsOctets, timeoutMs = DEADLINE_MS }: IxfrOptions = {},
): Promise<IxfrAnswer> {
  const query = ixfrQuery(zone, serial, ednsOctets);
  const records: Answer[] = [];
  let octets = 0;
  const take = (message: Uint8Array) => {
    const reply = dnsPacket.decode(Buffer.from(message)) as Reply;
    if (reply.rcode !== "NOERROR") throw new Error(`IXFR of ${zone}: ${reply.rcode}`);
    octets += message.length;
    for (const record of reply.answers ?? []) records.push(record);
  };
  if (transport === "udp") {
    take(await exchange(server, query, { timeoutMs }));
    return judge(records, octets);
  }
  for await (const message of tcpMessages(server, query, timeoutMs)) {
    take(message);
    if (isWhole(records, serial)) return judge(records, octets);
  }
  throw new Error(`IXFR of ${zone} from ${serial} broke off after ${records.length} records`);
}
