/**
 * A DNS client for tests, on dns-packet: an oracle independent of zonecast's own wire code.
 *
 * Limitation: dns-packet knows not every RR type (HTTPS, URI, ZONEMD, LOC come out
 * opaque or not at all); compare whole zones with the tools of zone_text.ts.
 */
import * as dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import { DEADLINE_MS, within } from "./wait.ts";

export interface Server {
  readonly addr: string;
  readonly port: number;
}

/** The QTYPEs of dns-packet's table. */
export type QueryType = dnsPacket.RecordType | "ANY";

export interface QueryOptions {
  readonly tcp?: boolean;
  /** Default 10,000. */
  readonly timeoutMs?: number;
  /** Over UDP: the query is sent again so often until it is answered; default never. */
  readonly resendMs?: number;
  /** Header flags of the query; default none (no recursion is desired of an authority). */
  readonly flags?: number;
  /** For IXFR: the records of the authority section. */
  readonly authorities?: dnsPacket.Answer[];
  readonly additionals?: dnsPacket.Answer[];
}

/** A decoded message; `rcode` and the flags as dns-packet names them. */
export type Reply = dnsPacket.DecodedPacket & { readonly rcode: string };

function encodeQuery(id: number, name: string, type: QueryType, options: QueryOptions): Uint8Array {
  return dnsPacket.encode({
    type: "query",
    id,
    flags: options.flags ?? 0,
    // dns-packet takes ANY, its types leave it out.
    questions: [{ type: type as dnsPacket.RecordType, name }],
    authorities: options.authorities,
    additionals: options.additionals,
  });
}

function decode(octets: Uint8Array): Reply {
  return dnsPacket.decode(Buffer.from(octets)) as Reply;
}

const randomId = () => Math.floor(Math.random() * 65_536);

/** The answer to one question. @throws {Error} no answer in time, connection refused */
export async function query(
  server: Server,
  name: string,
  type: QueryType,
  options: QueryOptions = {},
): Promise<Reply> {
  const id = randomId();
  const octets = encodeQuery(id, name, type, options);
  return decode(await exchange(server, octets, options));
}

/** The reply octets to ready query octets, matched by ID. @throws {Error} none in time */
export async function exchange(
  server: Server,
  octets: Uint8Array,
  options: Pick<QueryOptions, "tcp" | "timeoutMs" | "resendMs"> = {},
): Promise<Uint8Array> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const what = `answer from ${server.addr}:${server.port}`;
  return await within(
    options.tcp
      ? exchangeTcp(server, octets, timeoutMs)
      : exchangeUdp(server, octets, timeoutMs, options.resendMs),
    timeoutMs + 100,
    what,
  );
}

async function exchangeUdp(
  server: Server,
  octets: Uint8Array,
  timeoutMs: number,
  resendMs = timeoutMs,
) {
  const to = { transport: "udp", hostname: server.addr, port: server.port } as const;
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const timer = setTimeout(() => socket.close(), timeoutMs);
  let resent: Promise<unknown> | undefined;
  const again = setInterval(() => resent = socket.send(octets, to).catch(() => {}), resendMs);
  try {
    await socket.send(octets, to);
    while (true) {
      const [reply] = await socket.receive(new Uint8Array(65_535));
      if (reply[0] === octets[0] && reply[1] === octets[1]) return reply;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
    throw new Error(`No answer over UDP from ${server.addr}:${server.port} in ${timeoutMs} ms`);
  } finally {
    clearTimeout(timer);
    clearInterval(again);
    await resent;
    try {
      socket.close();
    } catch {
      // Closed by the timer.
    }
  }
}

async function exchangeTcp(server: Server, octets: Uint8Array, timeoutMs: number) {
  for await (const message of tcpMessages(server, octets, timeoutMs)) return message;
  throw new Error(`${server.addr}:${server.port} closed the connection without an answer`);
}

/** The messages that follow one query on a fresh TCP connection, until the reader stops or it closes. */
export async function* tcpMessages(
  server: Server,
  octets: Uint8Array,
  timeoutMs: number,
): AsyncGenerator<Uint8Array> {
  using connection = await Deno.connect({ hostname: server.addr, port: server.port });
  const framed = new Uint8Array(2 + octets.length);
  new DataView(framed.buffer).setUint16(0, octets.length);
  framed.set(octets, 2);
  const writer = connection.writable.getWriter();
  await writer.write(framed);
  let buffered = new Uint8Array(0);
  const reader = connection.readable.getReader();
  const want = async (length: number): Promise<boolean> => {
    while (buffered.length < length) {
      const what = `message over TCP from ${server.addr}:${server.port}`;
      const { value, done } = await within(reader.read(), timeoutMs, what);
      if (done) return false;
      const joined = new Uint8Array(buffered.length + value.length);
      joined.set(buffered);
      joined.set(value, buffered.length);
      buffered = joined;
    }
    return true;
  };
  while (await want(2)) {
    const length = buffered[0] * 256 + buffered[1];
    if (!await want(2 + length)) return;
    const message = buffered.slice(2, 2 + length);
    buffered = buffered.slice(2 + length);
    yield message;
  }
}

/** The SOA serial a server shows for a zone; undefined when it answers without one, or not at all. */
export async function serialOf(server: Server, zone: string): Promise<number | undefined> {
  try {
    const reply = await query(server, zone, "SOA", { timeoutMs: 2_000, resendMs: 100 });
    const soa = reply.answers?.find((answer) => answer.type === "SOA");
    return soa?.type === "SOA" ? soa.data.serial : undefined;
  } catch {
    return undefined;
  }
}

/** One transfer: the RCODE of its first message, all its records in order, its number of messages. */
export interface Transfer {
  readonly rcode: string;
  readonly records: dnsPacket.Answer[];
  readonly messages: number;
}

/** The messages of an AXFR as they come; one not asked for yet stays with the server or the kernel. */
export async function* axfrMessages(
  server: Server,
  zone: string,
  timeoutMs = DEADLINE_MS,
): AsyncGenerator<Reply> {
  const octets = encodeQuery(randomId(), zone, "AXFR", {});
  for await (const message of tcpMessages(server, octets, timeoutMs)) yield decode(message);
}

/**
 * A whole AXFR, up to the closing SOA.
 *
 * @throws {Error} the connection closed, or no message came in time, before the closing SOA
 */
export async function axfr(
  server: Server,
  zone: string,
  timeoutMs = DEADLINE_MS,
): Promise<Transfer> {
  return await wholeTransfer(axfrMessages(server, zone, timeoutMs), `AXFR of ${zone}`);
}

/**
 * The rest of an AXFR, up to the closing SOA.
 *
 * @param messages  those not read yet
 * @param begun  the records read before
 * @throws {Error} as {@link axfr}
 */
export async function wholeTransfer(
  messages: AsyncIterable<Reply>,
  what: string,
  begun: readonly dnsPacket.Answer[] = [],
): Promise<Transfer> {
  const records = [...begun];
  let count = 0;
  for await (const reply of messages) {
    count++;
    if (reply.rcode !== "NOERROR") return { rcode: reply.rcode, records, messages: count };
    for (const record of reply.answers ?? []) records.push(record);
    if (records.length > 1 && records[records.length - 1].type === "SOA") {
      return { rcode: reply.rcode, records, messages: count };
    }
  }
  throw new Error(`${what} broke off after ${count} messages, ${records.length} records`);
}
