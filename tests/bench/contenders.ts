/** zonecast and the peers, all serving the same zone at once. */
import type { DnsServer } from "../support/dns_server.ts";
import type { BenchClient, ContentResult, TransferResult } from "./client.ts";
import { startPeer } from "./peers/mod.ts";
import type { Bench } from "./scenario.ts";
import { type BenchZone, ZONE } from "./zones.ts";

export const SUBJECT = "zonecast";

export interface Contender {
  readonly name: string;
  readonly server: DnsServer;
}

export interface Contenders extends AsyncDisposable {
  readonly zone: BenchZone;
  /** zonecast first. */
  readonly all: readonly Contender[];
  readonly zonecast: Contender;
}

/**
 * Starts zonecast, from its state file, and every peer, from a master file, with the zone of `size`
 * address records, and fails unless all of them serve the same.
 */
export async function startContenders(bench: Bench, size: number): Promise<Contenders> {
  const zone = await bench.zone(size);
  const all: Contender[] = [];
  const disposeAll = async () => {
    for (const { server } of all) await server[Symbol.asyncDispose]();
  };
  try {
    all.push({ name: SUBJECT, server: await bench.sources.restarted(size) });
    for (const peer of bench.peers) {
      bench.progress(`starting ${peer.name} with ${size} records`);
      all.push({ name: peer.name, server: await startPeer(peer, { zone }) });
    }
    await assertSameContent(bench.client, zone, all);
  } catch (error) {
    await disposeAll();
    throw error;
  }
  return { zone, all, zonecast: all[0], [Symbol.asyncDispose]: disposeAll };
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
      zone: ZONE,
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
