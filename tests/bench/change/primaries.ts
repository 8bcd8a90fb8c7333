/**
 * Primaries that are changed one record at a time, each the way its users change it: zonecast by
 * a COMMIT in Postgres, BIND by UPDATE (RFC 2136), Knot by its knotc, PowerDNS by rows in its
 * database.
 *
 * Beside its real secondaries each has one that the witness plays.
 */
import { DatabaseSync } from "node:sqlite";
import type { Server } from "../../support/dns_client.ts";
import type { DnsServer } from "../../support/dns_server.ts";
import { freePort } from "../../support/ports.ts";
import { mustRun, which } from "../../support/processes.ts";
import { startSecondary } from "../../support/secondaries.ts";
import { newSerial } from "../../support/setup.ts";
import { startZonecast, type Zonecast } from "../../support/zonecast.ts";
import { BIND, KNOT, PDNS, type Peer, startPeer } from "../peers/mod.ts";
import type { Bench } from "../scenario.ts";
import { NS, TTL, ZONE, ZONE_NAME } from "../zones.ts";
import {
  addressOctets,
  ixfrQuery,
  postgresQuery,
  postgresStartup,
  question,
  soaRdata,
  updateMessage,
} from "./messages.ts";
import { type SeenChange, Witness } from "./witness.ts";

const LOCALHOST = "127.0.0.1";
/** How long loading a zone, or a change, may take, in ms. */
const LOAD_MS = 180_000;
const CHANGE_MS = 20_000;

/** A real secondary that is measured with. */
export type SecondaryKind = "nsd" | "knot";

/** One A record per change; what it is called and holds follows from its number. */
export interface AddedRecord {
  readonly owner: string;
  readonly ip: string;
}

export function addedRecord(index: number): AddedRecord {
  return { owner: `new-${index}`, ip: `203.0.${index >> 8 & 255}.${index & 255}` };
}

/** How one server is changed. */
interface Way {
  readonly name: string;
  readonly server: DnsServer;
  /** Where the witness sends changes; undefined: {@link Way.make} makes them. */
  readonly changesTo?: { readonly transport: "tcp" | "udp"; readonly port: number };
  /** What is sent before the first change. */
  readonly greeting?: Uint8Array;
  /** Made ready before the clock starts; a message is sent, and answered. */
  prepare?(record: AddedRecord): Uint8Array | Promise<void>;
  /** Sent when it starts. */
  change?(record: AddedRecord): Uint8Array;
  /** Whether the witness asks IXFR of it; PowerDNS answers none. Default: it does. */
  readonly asksIxfr?: boolean;
  /** Makes the change, when nothing can be sent. */
  make?(record: AddedRecord): void | Promise<void>;
}

/** A primary, its secondaries and the witness. */
export class ChangedPrimary implements AsyncDisposable {
  readonly #owned: AsyncDisposable[] = [];
  #serial = 0;
  #changes = 0;

  private constructor(
    readonly way: Way,
    readonly witness: Witness,
    readonly secondaries: readonly DnsServer[],
  ) {}

  static async start(
    way: (secondaries: readonly Server[]) => Promise<Way>,
    kinds: readonly SecondaryKind[],
  ): Promise<ChangedPrimary> {
    const places = [...kinds, "witness"].map(() => ({ addr: LOCALHOST, port: freePort() }));
    const own = places[kinds.length];
    const witness = await Witness.start();
    await witness.listen(own);
    const started: AsyncDisposable[] = [witness];
    try {
      const primary = await way(places);
      started.push(primary.server);
      const secondaries: DnsServer[] = [];
      for (const [index, kind] of kinds.entries()) {
        const { port } = places[index];
        const server = await startSecondary(kind, {
          zones: [ZONE],
          primary: primary.server,
          port,
          writesFiles: false, // whole files, written while another primary's change is measured
        });
        started.push(server);
        secondaries.push(server);
      }
      const changed = new ChangedPrimary(primary, witness, secondaries);
      changed.#owned.push(...started);
      await changed.#begin();
      return changed;
    } catch (error) {
      for (const part of started.reverse()) await part[Symbol.asyncDispose]();
      throw error;
    }
  }

  get name(): string {
    return this.way.name;
  }

  /** The serial the witness has. */
  get serial(): number {
    return this.#serial;
  }

  /** Changes made; the records are {@link addedRecord} of the numbers below. */
  get changes(): number {
    return this.#changes;
  }

  async #begin(): Promise<void> {
    const { server, changesTo, greeting } = this.way;
    this.#serial = await newSerial(server, ZONE, undefined, LOAD_MS);
    for (const secondary of this.secondaries) await secondary.reaches(ZONE, this.#serial, LOAD_MS);
    await this.witness.primary(server);
    await this.witness.zone(witnessSoa(this.#serial));
    if (changesTo) {
      await this.witness.changesTo(changesTo.transport, { addr: LOCALHOST, port: changesTo.port });
    }
    if (greeting) await this.witness.send(greeting);
    for (const secondary of this.secondaries) await this.witness.poll(secondary);
  }

  /**
   * Adds one record, and sees it arrive everywhere.
   *
   * @throws {Error} it did not, or something else came
   */
  async change(): Promise<SeenChange> {
    const record = addedRecord(this.#changes++);
    const { way } = this;
    const message = await way.prepare?.(record);
    if (message) await this.witness.send(message);
    const seeing = this.witness.round({
      timeoutMs: CHANGE_MS,
      change: way.change?.(record),
      ixfr: way.asksIxfr === false ? undefined : ixfrQuery(ZONE, this.#serial),
      question: {
        message: question(`${record.owner}.${ZONE}`, "A"),
        octets: addressOctets(record.ip),
      },
    });
    await way.make?.(record);
    const seen = await seeing;
    const isWhole = seen.done || way.asksIxfr === false;
    if (!isWhole || seen.answered.some((at) => at < 0)) {
      throw new Error(
        `${way.name}: change ${record.owner} did not arrive everywhere: ${JSON.stringify(seen)}`,
      );
    }
    if (seen.done) this.#serial = seen.serial;
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#owned.splice(0).reverse()) await part[Symbol.asyncDispose]();
  }
}

/** What the witness shows as a secondary: the zone's SOA at a serial. */
export function witnessSoa(serial: number): Uint8Array {
  return soaRdata(NS[0], "hostmaster.servers.example.", serial);
}

/** INSERT, within a transaction that is open until the change. */
export function insertion({ owner, ip }: AddedRecord): Uint8Array {
  return postgresQuery(`begin; insert into zonecast.records (zone, name, type, content)
    values ('${ZONE_NAME}', '${owner}', 'A', '${ip}')`);
}

/** Where a database is changed, and what is said to it first. */
export function postgresPlace(url: string): Pick<Way, "changesTo" | "greeting"> {
  const { port, username, pathname } = new URL(url);
  return {
    changesTo: { transport: "tcp", port: Number(port) },
    greeting: postgresStartup(username, pathname.slice(1)),
  };
}

/**
 * zonecast on a database of its own. It has read the zone whole, and was started again since, so
 * that what it needs for one change is measured, not what is left of reading all.
 */
export async function zonecastPrimary(
  bench: Bench,
  size: number,
  secondaries: readonly Server[],
): Promise<Way & { readonly server: Zonecast }> {
  const { url } = await bench.sources.database(size);
  const server = await startZonecast({
    source: url,
    binary: true,
    secondaries,
    args: ["--allow-transfer", LOCALHOST],
  });
  await newSerial(server, ZONE, undefined, LOAD_MS);
  await server.stop();
  await server.start();
  return {
    name: "zonecast",
    server,
    ...postgresPlace(url),
    prepare: insertion,
    change: () => postgresQuery("commit"),
  };
}

async function bindPrimary(
  bench: Bench,
  size: number,
  secondaries: readonly Server[],
): Promise<Way> {
  const server = await startPeer(BIND, { zone: await bench.zone(size), secondaries });
  return {
    name: BIND.name,
    server,
    changesTo: { transport: "udp", port: server.port },
    change: ({ owner, ip }) => updateMessage(ZONE_NAME, `${owner}.${ZONE_NAME}`, TTL, ip),
  };
}

/** Its transaction is committed by knotc: an UPDATE is notified of a second later, always. */
async function knotPrimary(
  bench: Bench,
  size: number,
  secondaries: readonly Server[],
): Promise<Way> {
  const server = await startPeer(KNOT, { zone: await bench.zone(size), secondaries });
  const knotc = async (...args: string[]) => {
    await mustRun(which("knotc") ?? "knotc", ["-s", `${server.dir}/knot.sock`, ...args]);
  };
  return {
    name: KNOT.name,
    server,
    async prepare({ owner, ip }) {
      await knotc("zone-begin", ZONE);
      await knotc("zone-set", ZONE, owner, String(TTL), "A", ip);
    },
    make: () => knotc("zone-commit", ZONE),
  };
}

/** PowerDNS with the caches off that would hide a new serial from its secondaries for 20 s. */
const PDNS_UNCACHED: Peer = {
  ...PDNS,
  async configure(place, options) {
    const caches = ["cache-ttl", "query-cache-ttl", "negquery-cache-ttl"];
    return [...await PDNS.configure(place, options), ...caches.map((name) => `--${name}=0`)];
  },
};

async function pdnsPrimary(
  bench: Bench,
  size: number,
  secondaries: readonly Server[],
): Promise<Way> {
  const server = await startPeer(PDNS_UNCACHED, { zone: await bench.zone(size), secondaries });
  const make = (record: AddedRecord) => changeRows(server.dir, record);
  return { name: PDNS.name, server, asksIxfr: false, make };
}

/** The record, and a higher serial in the SOA, in one transaction. */
function changeRows(dir: string, { owner, ip }: AddedRecord): void {
  const database = new DatabaseSync(`${dir}/pdns.sqlite3`, { timeout: 5000 });
  try {
    database.exec("begin immediate");
    database.prepare(
      `insert into records (domain_id, name, type, content, ttl, prio, disabled, auth)
        values (1, ?, 'A', ?, ?, 0, 0, 1)`,
    ).run(`${owner}.${ZONE_NAME}`, ip, TTL);
    const soa = database.prepare("select id, content from records where type = 'SOA'").get()!;
    const fields = String(soa.content).split(" ");
    fields[2] = String(Number(fields[2]) + 1);
    database.prepare("update records set content = ? where id = ?").run(fields.join(" "), soa.id);
    database.exec("commit");
  } finally {
    database.close();
  }
}

/** zonecast first, then the peers of this run that can be changed. */
export function changeable(
  bench: Bench,
  size: number,
): { name: string; start: Parameters<typeof ChangedPrimary.start>[0] }[] {
  const ways = [
    { peer: BIND, start: bindPrimary },
    { peer: KNOT, start: knotPrimary },
    { peer: PDNS, start: pdnsPrimary },
  ];
  return [
    { name: "zonecast", start: (to) => zonecastPrimary(bench, size, to) },
    ...ways.filter(({ peer }) => bench.peers.some(({ name }) => name === peer.name)).map((
      { peer, start },
    ) => ({
      name: peer.name,
      start: (to: readonly Server[]) => start(bench, size, to),
    })),
  ];
}
