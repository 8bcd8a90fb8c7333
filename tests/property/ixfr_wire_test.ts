/**
 * IXFR over sockets from the state file's own journal, for random histories of
 * hundreds of versions, judged by an independent client that asks for every
 * serial there ever was: what it gets, applied to what it has, is the zone of now.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { canonicalKey, parseName, type ResourceRecord } from "../../lib/dns/mod.ts";
import { nullLogger, parseCidr, parseSocketAddress } from "../../lib/ops/mod.ts";
import { DnsServer } from "../../lib/server/mod.ts";
import {
  type JournalReader,
  openJournalReader,
  openStateFile,
  type Publication,
  type StateStore,
} from "../../lib/store/mod.ts";
import {
  firstVersion,
  getOwner,
  nextVersion,
  type OwnerChange,
  ZoneTable,
  type ZoneVersion,
} from "../../lib/zone/mod.ts";
import { axfr, type Server } from "../support/dns_client.ts";
import { applySequences, recordText } from "../support/ixfr.ts";
import { isBehind, ixfr, type IxfrAnswer } from "../support/ixfr_client.ts";
import { randomOf } from "../support/random.ts";
import { APEX, drain, record, soaOf, toOwners } from "../support/random_zones.ts";
import { tempDir } from "../support/tempdir.ts";

const RUNS = Number(Deno.env.get("PROPERTY_RUNS") ?? 1);
const VERSIONS = 200;
const ZONE = "example.org";

interface HistoryOptions {
  /** Records that come and go. */
  readonly pool: readonly ResourceRecord[];
  /** Records that are always there. */
  readonly ballast: readonly ResourceRecord[];
  readonly seed: number;
  readonly firstSerial: number;
  /** How far the next serial is ahead, at most 2³¹ - 1. */
  readonly step: (random: () => number) => number;
}

/** Publications of one zone: each version has some of the pool's records, and few others than the one before. */
class History {
  readonly random: () => number;
  readonly #options: HistoryOptions;
  readonly #present = new Set<ResourceRecord>();
  readonly #serials = new Set<number>();
  #count = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.random = randomOf(options.seed);
    for (const record of options.pool) if (this.random() < 0.6) this.#present.add(record);
  }

  first(): Publication {
    const version = drain(firstVersion(
      soaOf(this.#take(this.#options.firstSerial)),
      toOwners([...this.#options.ballast, ...this.#present]),
    ));
    return this.#publication(version, { previous: undefined, diff: undefined });
  }

  after(previous: ZoneVersion): Publication {
    const { pool, step } = this.#options;
    const keys = new Set<string>();
    const toggled = 1 + Math.floor(this.random() ** 6 * pool.length * 0.3);
    for (let n = 0; n < toggled; n++) {
      const record = pool[Math.floor(this.random() * pool.length)];
      if (!this.#present.delete(record)) this.#present.add(record);
      keys.add(canonicalKey(record.owner));
    }
    const present = [...this.#present];
    const changes = [...keys].sort().map((key): OwnerChange => ({
      key,
      before: getOwner(previous.pages, key),
      after: toOwners(present.filter((record) => canonicalKey(record.owner) === key))[0],
    })).filter(({ before, after }) => before || after);
    let serial = previous.serial;
    do serial = (serial + step(this.random)) % 2 ** 32; while (this.#serials.has(serial));
    const soa = soaOf(this.#take(serial));
    const { version, diff } = drain(nextVersion(previous, changes, soa));
    return this.#publication(version, { previous, diff });
  }

  #take(serial: number): number {
    this.#serials.add(serial);
    return serial;
  }

  #publication(
    version: ZoneVersion,
    from: Pick<Publication, "previous" | "diff">,
  ): Publication {
    return { version, ...from, cause: "poll", publishedAt: Date.now() + this.#count++ };
  }
}

/** A server on its state file: the parts that `serve` puts between the journal and the wire. */
class Served implements Server, AsyncDisposable {
  readonly addr = "127.0.0.1";
  port = 0;
  readonly #zones = new ZoneTable();
  readonly #server: DnsServer;
  #store: StateStore | undefined;
  #journal: JournalReader | undefined;

  constructor(readonly path: string, readonly condense: boolean) {
    this.#server = new DnsServer({
      zones: this.#zones,
      listen: [parseSocketAddress("127.0.0.1:0")],
      secondaries: [],
      allowTransfer: [{ cidr: parseCidr("127.0.0.1"), keys: [] }],
      differences: {
        differences: (version, from) => this.#journal!.differences(version, from),
      },
      log: nullLogger,
    });
  }

  async start(): Promise<void> {
    await this.open();
    await this.#server.start();
    this.port = this.#server.addresses[0].port;
  }

  /** Opens the state file, serves what it holds; nothing of before is remembered. */
  async open(journalMaxOctets?: number): Promise<void> {
    await this.#closeFiles();
    this.#store = await openStateFile(this.path, { journalMaxOctets });
    this.#journal = openJournalReader(this.path, { condense: this.condense });
    for (const { version } of (await this.#store.load()).zones) this.#zones.set(version);
  }

  get current(): ZoneVersion {
    return this.#zones.get(APEX)!;
  }

  async publish(publication: Publication): Promise<void> {
    await this.#store!.publish([publication]);
    this.#journal!.note(publication);
    this.#zones.set(publication.version);
  }

  /** The serials that differences are kept from. */
  async kept(): Promise<number[]> {
    return (await this.#store!.journal(APEX)).map(({ fromSerial }) => fromSerial);
  }

  async #closeFiles(): Promise<void> {
    await this.#journal?.close();
    await this.#store?.close();
    this.#journal = this.#store = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close({ drainMs: 0 });
    await this.#closeFiles();
  }
}

/** What clients know: the contents of every version that was served, SOA left out. */
class Client {
  readonly contents = new Map<number, ReadonlySet<string>>();
  /** Answers by form, so that a property cannot hold for want of IXFR. */
  readonly forms = { soa: 0, ixfr: 0, axfr: 0 };
  #soa = "";
  #now: ReadonlySet<string> = new Set();
  #serial = 0;

  constructor(readonly server: Server) {}

  /** Takes the whole zone of now. */
  async look(): Promise<void> {
    const { records } = await axfr(this.server, ZONE);
    const [soa, ...others] = records.slice(0, -1);
    assert(soa.type === "SOA");
    this.#soa = recordText(soa);
    this.#serial = soa.data.serial!;
    this.#now = new Set(others.map(recordText));
    this.contents.set(this.#serial, this.#now);
  }

  /**
   * Asks for the differences from a serial and holds them against the zone of now.
   *
   * @param kept  true: they must come, false: they must not, undefined: they may
   */
  async fetch(serial: number, kept: boolean | undefined): Promise<IxfrAnswer> {
    const answer = await ixfr(this.server, ZONE, serial);
    this.forms[answer.form]++;
    assertEquals(answer.serial, this.#serial);
    if (answer.form === "soa") {
      assert(!isBehind(serial, this.#serial), `lone SOA for ${serial}`);
    } else if (answer.form === "axfr") {
      assert(kept !== true, `no IXFR from ${serial}, which is kept`);
      const [soa, ...others] = answer.records.map(recordText);
      assertEquals(soa, this.#soa);
      assertSame(new Set(others), this.#now, `AXFR form, from ${serial}`);
    } else {
      assert(kept !== false, `IXFR from ${serial}, which is not kept`);
      const content = this.contents.get(serial)!;
      const { records, serial: end } = applySequences(content, serial, answer.sequences);
      assertEquals(end, this.#serial);
      assertSame(records, this.#now, `IXFR from ${serial}`);
    }
    return answer;
  }

  /** Over UDP: the same if it fits, else the SOA of now. */
  async fetchOverUdp(serial: number, overTcp: IxfrAnswer): Promise<void> {
    // An OPT record takes 11 octets of the answer.
    for (const { ednsOctets, room } of [{ room: 512 }, { ednsOctets: 1232, room: 1232 - 11 }]) {
      const answer = await ixfr(this.server, ZONE, serial, { transport: "udp", ednsOctets });
      assertEquals(answer.serial, this.#serial);
      const fits = overTcp.form === "ixfr" && overTcp.octets <= room;
      assertEquals(answer.form, fits ? "ixfr" : "soa", `${overTcp.octets} octets over UDP`);
      if (answer.form === "ixfr" && overTcp.form === "ixfr") {
        assertEquals(answer.sequences, overTcp.sequences);
      }
    }
  }
}

/** Compares sets and shows only what differs. */
function assertSame(
  actual: ReadonlySet<string>,
  expected: ReadonlySet<string>,
  what: string,
): void {
  const shown = (set: Set<string>) => [...set].slice(0, 10).map((text) => text.slice(0, 200));
  const difference = {
    unexpected: shown(actual.difference(expected)),
    missing: shown(expected.difference(actual)),
  };
  assertEquals(difference, { unexpected: [], missing: [] }, what);
}

interface Scenario {
  readonly name: string;
  /** Octets that stay in every version. */
  readonly ballast: number;
  /** Whether every difference is smaller than the zone, and so must be sent. */
  readonly sendsAll: boolean;
  readonly firstSerial: fc.Arbitrary<number>;
  readonly step: HistoryOptions["step"];
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "over the serial's wrap-around, differences always smaller than the zone",
    ballast: 120_000,
    sendsAll: true,
    firstSerial: fc.integer({ min: 2 ** 32 - VERSIONS, max: 2 ** 32 - 1 }),
    step: (random) => 1 + Math.floor(random() * 3),
  },
  {
    name: "serials in leaps, differences often larger than the zone",
    ballast: 30_000,
    sendsAll: false,
    firstSerial: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    step: (random) => random() < 0.99 ? 1 : Math.floor(2 ** 30 + random() * (2 ** 30 - 1)),
  },
];

const BALLAST_RECORD = 10_000;
const TYPE_OF_BALLAST = 65_300;

/** Records that are there from the first version to the last. */
function ballastOf(octets: number): ResourceRecord[] {
  const count = octets / BALLAST_RECORD;
  return Array.from({ length: count }, (_, n) => ({
    owner: parseName(`ballast-${n}`, APEX),
    type: TYPE_OF_BALLAST,
    ttl: 300,
    rdata: new Uint8Array(BALLAST_RECORD).fill(n),
  }));
}

/** Records that come and go, by a seed: a counterexample is three numbers, not a zone. */
function poolOf({ sendsAll }: Scenario, seed: number): ResourceRecord[] {
  const records = fc.sample(record, { seed, numRuns: 80 });
  return sendsAll ? records.filter(({ rdata }) => rdata.length < 300) : records;
}

/** What a journal may take when it is to be purged, in octets: some tens of differences. */
const TINY_JOURNAL = 30_000;

for (const condense of [true, false]) {
  for (const scenario of SCENARIOS) {
    const sent = condense ? "condensed" : "one by one";
    Deno.test(`IXFR ${sent} from every serial leads to the zone of now: ${scenario.name}`, async () => {
      const setting = fc.record({ seed: fc.integer(), firstSerial: scenario.firstSerial });
      const property = fc.asyncProperty(setting, async (setting) => {
        const pool = poolOf(scenario, setting.seed);
        const ballast = ballastOf(scenario.ballast);
        const history = new History({ ...setting, step: scenario.step, pool, ballast });
        await using dir = await tempDir();
        await using served = new Served(`${dir.path}/state.db`, condense);
        await served.start();
        await followHistory(history, served, scenario);
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    });
  }
}

/** One history from its first version to after a purge. */
async function followHistory(history: History, served: Served, scenario: Scenario): Promise<void> {
  const client = new Client(served);
  const publishNext = async () => {
    await served.publish(history.after(served.current));
    await client.look();
  };
  /** Asks for every serial there was, and some there never were; returns how many are kept. */
  const fetchAll = async (overUdp = false) => {
    const kept = new Set(await served.kept());
    const isKept = (serial: number) => kept.has(serial) && (scenario.sendsAll || undefined);
    for (const serial of client.contents.keys()) {
      const answer = await client.fetch(serial, isKept(serial));
      if (overUdp) await client.fetchOverUdp(serial, answer);
    }
    for (let n = 0; n < 10; n++) {
      const serial = (served.current.serial - Math.floor(history.random() * 2000)) >>> 0;
      if (!client.contents.has(serial)) await client.fetch(serial, false);
    }
    return kept.size;
  };

  await served.publish(history.first());
  await client.look();
  for (let n = 1; n < VERSIONS; n++) {
    await publishNext();
    const serials = [...client.contents.keys()];
    await client.fetch(serials[Math.floor(history.random() * serials.length)], undefined);
  }
  assertEquals(await fetchAll(true), VERSIONS - 1);

  await served.open();
  await publishNext();
  assertEquals(await fetchAll(), VERSIONS);

  await served.open(TINY_JOURNAL);
  await publishNext();
  const kept = await fetchAll();
  assert(kept > 0 && kept < VERSIONS / 2, `${kept} differences after the purge`);
  assert(client.forms.ixfr > 0 && client.forms.axfr > 0, Deno.inspect(client.forms));
}
