/**
 * A UDP network of secondaries on a clock turned by hand: each answers NOTIFY and
 * SOA queries as told, after a round trip of some ms.
 */
import type { SocketAddress } from "../../lib/ops/mod.ts";
import type { OpenUdpSocket } from "../../lib/server/udp_socket.ts";
import { RCODE } from "../../lib/wire/mod.ts";
import type { HandClock } from "./clock.ts";
import { decodeMessage } from "./oracle.ts";
import dnsPacket from "dns-packet";

/** A datagram that reached a secondary. */
export interface Arrived {
  readonly kind: "notify" | "soa";
  readonly zone: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly local: string;
}

/** One server's behaviour, to be changed at any time. */
export class SimulatedSecondary {
  readonly arrived: Arrived[] = [];
  /** Whether NOTIFY is acknowledged. */
  acknowledges = true;
  /** Whether it answers at all. */
  up = true;
  /** Its answers come from here instead of the address asked. */
  answersFrom: SocketAddress | undefined;
  /** Round trip, ms. */
  rttMs = 2;
  /** The serial it shows for a zone; an RCODE's name for an error. */
  shows: (zone: string) => number | keyof typeof RCODE = () => "REFUSED";

  count(kind: "notify" | "soa", zone?: string): number {
    return this.arrived.filter((one) => one.kind === kind && (!zone || one.zone === zone)).length;
  }
}

export class Network {
  readonly #servers = new Map<string, SimulatedSecondary>();

  constructor(readonly clock: HandClock) {}

  /** The server at an address, made at the first call. */
  at(ip: string, port = 53): SimulatedSecondary {
    const key = `${ip} ${port}`;
    let server = this.#servers.get(key);
    if (!server) this.#servers.set(key, server = new SimulatedSecondary());
    return server;
  }

  readonly open: OpenUdpSocket = (local, received) => {
    let isOpen = true;
    return {
      send: (message, to) => {
        const server = this.#servers.get(`${to.ip} ${to.port}`);
        const reply = server && this.#reply(server, message, local);
        if (!reply) return;
        const from = server.answersFrom ?? to;
        this.clock.after(server.rttMs, () => isOpen && received(reply, from));
      },
      close: () => isOpen = false,
    };
  };

  #reply(
    server: SimulatedSecondary,
    message: Uint8Array,
    local: string,
  ): Uint8Array | undefined {
    const query = decodeMessage(message);
    const kind = (message[2] >> 3 & 0xf) === 4 ? "notify" : "soa";
    const zone = query.questions![0].name;
    server.arrived.push({ kind, zone, at: this.clock.now(), local });
    if (!server.up || (kind === "notify" && !server.acknowledges)) return undefined;
    if (kind === "notify") {
      const reply = message.slice();
      reply[2] |= 0x80;
      return reply;
    }
    const shown = server.shows(zone);
    const soa = { mname: "ns1.example", rname: "host.example", serial: Number(shown) };
    const answers = typeof shown === "number" ? [{ type: "SOA", name: zone, data: soa }] : [];
    const flags = 0x0400 | (typeof shown === "number" ? 0 : RCODE[shown]);
    return new Uint8Array(dnsPacket.encode({
      type: "response",
      id: query.id,
      flags,
      questions: query.questions,
      answers: answers as dnsPacket.Answer[],
    }));
  }
}
