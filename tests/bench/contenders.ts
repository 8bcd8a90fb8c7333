/** zonecast and the peers, all serving the same zone at once. */
import type { DnsServer } from "../support/dns_server.ts";
import {
  type BenchClient,
  type ClientFlags,
  type ContentResult,
  now,
  type TransferResult,
} from "./client.ts";
import { startPeer } from "./peers/mod.ts";
import type { Bench } from "./scenario.ts";
import { type BenchZone, ZONE } from "./zones.ts";
import { newSerial } from "../support/setup.ts";

export const SUBJECT = "zonecast";

export interface Contender {
  readonly name: string;
  readonly server: DnsServer;
}

/** Owns: the servers; disposing stops them. */
export class Contenders implements AsyncDisposable {
  constructor(
    readonly zone: BenchZone,
    /** zonecast first. */
    readonly all: readonly Contender[],
  ) {}

  get zonecast(): Contender {
    return this.all[0];
  }

  /** Stops them all, to be started one by one with what they had. */
  async stop(): Promise<void> {
    for (const { server } of this.all) await server.stop();
  }

  /** Starts those that were stopped. */
  async start(): Promise<void> {
    for (const { server } of this.all) {
      if (server.pid === undefined) await server.start();
      await newSerial(server, this.zone.name, undefined, LOAD_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { server } of this.all) await server[Symbol.asyncDispose]();
  }
}

/** How long loading a zone may take, in ms. */
const LOAD_MS = 180_000;

/**
 * Starts zonecast, from its state file, and every peer, from a master file, with the zone of `size`
 * address records.
 */
export async function startContenders(bench: Bench, size: number): Promise<Contenders> {
  const zone = await bench.zone(size);
  const all: Contender[] = [];
  const contenders = new Contenders(zone, all);
  try {
    all.push({ name: SUBJECT, server: await bench.sources.restarted(size) });
    for (const peer of bench.peers) {
      bench.progress(`starting ${peer.name} with ${size} records`);
      all.push({ name: peer.name, server: await startPeer(peer, { zone }) });
    }
  } catch (error) {
    await contenders[Symbol.asyncDispose]();
    throw error;
  }
  return contenders;
}

/**
 * Fails unless a transfer from each brings what stands in the master file.
 *
 * Compared are all records but the SOA (each server has its own serial), whatever their order,
 * names in any case: NSD and Knot write them in lower case.
 */
export async function assertSameContent(
  client: BenchClient,
  zone: BenchZone,
  contenders: readonly Contender[],
): Promise<void> {
  const sent = await client.run<ContentResult>("content", { file: zone.file });
  for (const { name, server } of contenders) {
    const came = await client.run<TransferResult>("axfr", {
      port: server.port,
      zone: zone.name,
      content: 1,
    });
    if (came.content !== sent.content || came.contentRecords !== sent.contentRecords) {
      throw new Error(
        `${name} does not send what stands in the master file: ${came.contentRecords} records ` +
          `(${came.content}) in place of ${sent.contentRecords} (${sent.content})`,
      );
    }
  }
}

/** Says that {@link assertSameContent} held. */
export function noteSameContent(bench: Bench, scenario: string, { zone, all }: Contenders): void {
  bench.note(
    scenario,
    `compared: all ${zone.records - 1} records but the SOA are those of the master file, from ${
      all.map(({ name }) => name).join(", ")
    }`,
  );
}

/** The peer with the best median of a measurement; undefined when no peer was measured. */
export function bestPeer(
  bench: Bench,
  key: { scenario: string; what: string; size?: number },
  better: (a: number, b: number) => boolean,
): { readonly name: string; readonly median: number } | undefined {
  let best: { name: string; median: number } | undefined;
  for (const { name } of bench.peers) {
    const median = bench.median({ ...key, server: name });
    if (median !== undefined && (!best || better(median, best.median))) best = { name, median };
  }
  return best;
}

/** How often a peer that fails is asked again; one that fails late, in seconds, is not. */
const MOST_TRIES = 20;
const LATE = 20;

/**
 * Zone transfers from one server, several at once.
 *
 * A peer that fails is asked again, all clients anew, and the report says how often: just after its
 * start YADIFA answers SERVFAIL to some of many at once. zonecast gets no second chance.
 *
 * @throws {Error} as {@link BenchClient.run}
 */
export async function transfer(
  bench: Bench,
  scenario: string,
  { name, server }: Contender,
  flags: ClientFlags = {},
): Promise<TransferResult> {
  const fault = `${name} failed a transfer, and was asked again`;
  for (let tries = 1;; tries++) {
    const began = now();
    try {
      return await bench.client.run<TransferResult>("axfr", {
        port: server.port,
        zone: ZONE,
        ...flags,
      });
    } catch (error) {
      const late = now() - began > LATE;
      if (name === SUBJECT || tries === MOST_TRIES || late || server.pid === undefined) throw error;
      bench.progress(`${fault}: ${error instanceof Error ? error.message : error}`);
      bench.note(scenario, fault);
    }
  }
}

/** How long a contender's turn lasts at least, s, and how often it is measured in it at most. */
const TURN = 0.25;
const MOST_OF_A_TURN = 10;

/**
 * One contender's turn in a round: measured once, and again while the turn lasts.
 *
 * Of 20 ms one measurement says little: where the kernel puts two threads on two cores alone makes
 * it half as long again.
 */
export async function takeTurn(measure: () => Promise<void>): Promise<void> {
  const began = now();
  for (let times = 0; times < MOST_OF_A_TURN; times++) {
    if (times > 0 && now() - began > TURN) return;
    await measure();
  }
}

/** The largest CPU share of the client by server, as a sentence. */
export class ClientShares {
  readonly #shares = new Map<string, number>();

  add(server: string, share: number): void {
    this.#shares.set(server, Math.max(this.#shares.get(server) ?? 0, share));
  }

  toString(): string {
    const parts = Array.from(this.#shares, ([name, share]) => `${name} ${share.toFixed(2)}`);
    return `the client's CPU share, of one core, at most: ${parts.join(", ")}`;
  }
}
