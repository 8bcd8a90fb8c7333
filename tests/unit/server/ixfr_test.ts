/** IXFR over loopback sockets, from a journal in the test's hands. */
import { assertEquals } from "@std/assert";
import { type Serial } from "../../../lib/dns/mod.ts";
import { nullLogger, parseCidr, parseSocketAddress } from "../../../lib/ops/mod.ts";
import { DnsServer, type DnsServerOptions, parseSecondary } from "../../../lib/server/mod.ts";
import { UDP_DIFFERENCE_READS } from "../../../lib/server/limits.ts";
import { frame, FrameReader } from "../../../lib/wire/mod.ts";
import {
  type DifferenceReader,
  type Differences,
  diffVersions,
  soaSerial,
  type ZoneDiff,
  ZoneTable,
  type ZoneVersion,
} from "../../../lib/zone/mod.ts";
import { HandClock } from "../../support/clock.ts";
import { exchange, query, type Server } from "../../support/dns_client.ts";
import { applySequences, readSequences, recordText } from "../../support/ixfr.ts";
import { type Decoded, decodeMessage, encodeQuery } from "../../support/oracle.ts";
import { mustRun, which } from "../../support/processes.ts";
import { DEADLINE_MS, until, within } from "../../support/wait.ts";
import { recordLines } from "../../support/zone_text.ts";
import { zoneVersion } from "../../support/zone_version.ts";

/** A journal of every step made, which answers when it is told to. */
class FakeJournal implements DifferenceReader {
  readonly steps: ZoneDiff[] = [];
  asked = 0;
  /** Awaited before each answer. */
  gate: Promise<void> = Promise.resolve();

  async differences(version: ZoneVersion, from: Serial): Promise<Differences> {
    this.asked++;
    const start = this.steps.findIndex(({ fromSoa }) => soaSerial(fromSoa) === from);
    const end = this.steps.findIndex(({ toSoa }) => soaSerial(toSoa) === version.serial);
    const sequences = start < 0 ? [] : this.steps.slice(start, end + 1);
    await this.gate;
    if (sequences.length === 0) return { kind: "none", reason: "no difference kept" };
    return { kind: "kept", sequences };
  }
}

interface Running extends Server, AsyncDisposable {
  readonly server: DnsServer;
  readonly zones: ZoneTable;
  readonly journal: FakeJournal;
  readonly publish: (version: ZoneVersion) => void;
}

async function start(
  first: ZoneVersion,
  over: Partial<DnsServerOptions> = {},
): Promise<Running> {
  const zones = new ZoneTable();
  zones.set(first);
  const journal = new FakeJournal();
  const server = new DnsServer({
    zones,
    listen: [parseSocketAddress("127.0.0.1:0")],
    secondaries: [],
    allowTransfer: [{ cidr: parseCidr("127.0.0.1"), keys: [] }],
    differences: journal,
    log: nullLogger,
    ...over,
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  const publish = (version: ZoneVersion) => {
    journal.steps.push(diffVersions(zones.get(version.apex)!, version));
    zones.set(version);
  };
  const dispose = () => server.close({ drainMs: 0 });
  return { server, zones, journal, publish, addr, port, [Symbol.asyncDispose]: dispose };
}

/** A zone whose records change with each serial: one goes, one comes, one is changed. */
function zoneAt(serial: number, hosts = 20): ZoneVersion {
  const lines = ["@ 300 NS ns1", "ns1 300 A 127.0.0.1", `serial 0 TXT ${serial}`];
  for (let i = serial; i < serial + hosts; i++) lines.push(`Host-${i} 300 A 192.0.2.${i % 256}`);
  return zoneVersion("example.org.", serial, lines.join("\n"));
}

const contentOf = (version: ZoneVersion, hosts: number): string[] => [
  `example.org 300 NS "ns1.example.org"`,
  `ns1.example.org 300 A "127.0.0.1"`,
  `serial.example.org 0 TXT [${
    JSON.stringify({ type: "Buffer", data: [...new TextEncoder().encode(`${version.serial}`)] })
  }]`,
  ...Array.from({ length: hosts }, (_, i) => {
    const n = version.serial + i;
    return `Host-${n}.example.org 300 A "192.0.2.${n % 256}"`;
  }),
];

const ixfrQuery = (serial: number, over: Record<string, unknown> = {}) =>
  encodeQuery({
    questions: [{ type: "IXFR", name: "example.org" }],
    authorities: [{ type: "SOA", name: "example.org", data: { mname: ".", rname: ".", serial } }],
    ...over,
  });

const connect = ({ addr, port }: Server) => Deno.connect({ hostname: addr, port });

async function writeAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
}

/** Messages off a connection until a condition holds for them. */
async function readUntil(
  conn: Deno.Conn,
  done: (messages: Decoded[]) => boolean,
): Promise<Decoded[]> {
  const reader = new FrameReader();
  const messages: Decoded[] = [];
  const buffer = new Uint8Array(65_536);
  while (!done(messages)) {
    const length = await conn.read(buffer);
    if (length === null) throw new Error(`Closed after ${messages.length} messages`);
    for (const message of reader.feed(buffer.subarray(0, length))) {
      messages.push(decodeMessage(message));
    }
  }
  return messages;
}

const answersOf = (messages: readonly Decoded[]) =>
  messages.flatMap(({ answers }) => answers ?? []);

/** Whether the messages end with the SOA they begin with, more than that one read. */
function isWhole(messages: readonly Decoded[]): boolean {
  const answers = answersOf(messages);
  return answers.length > 1 && recordText(answers[0]) === recordText(answers.at(-1)!);
}

async function ixfrTcp(server: Server, serial: number) {
  using conn = await connect(server);
  await writeAll(conn, frame(ixfrQuery(serial)));
  return answersOf(await readUntil(conn, isWhole));
}

const soaSerialOf = (message: Decoded) => {
  const [answer] = message.answers ?? [];
  return answer?.type === "SOA" ? answer.data.serial : undefined;
};

Deno.test("IXFR over TCP from every kept serial is the way to the zone now", async () => {
  await using running = await start(zoneAt(1));
  for (let serial = 2; serial <= 12; serial++) running.publish(zoneAt(serial));
  for (let serial = 1; serial < 12; serial++) {
    const sequences = readSequences(await ixfrTcp(running, serial));
    assertEquals(sequences.length, 12 - serial);
    const client = applySequences(contentOf(zoneAt(serial), 20), serial, sequences);
    assertEquals(client.serial, 12);
    assertEquals([...client.records].sort(), contentOf(zoneAt(12), 20).sort());
  }
  const { counts } = running.server.status();
  assertEquals([counts.transfers, counts.transfersBroken, counts.failures], [11, 0, 0]);
});

Deno.test("a serial not kept gets the zone; up to date or ahead, the SOA alone, the journal unasked", async () => {
  await using running = await start(zoneAt(5));
  running.publish(zoneAt(6));
  assertEquals((await ixfrTcp(running, 3)).length, 20 + 3 + 2);
  assertEquals(running.journal.asked, 1);
  for (const serial of [6, 7]) {
    const reply = decodeMessage(await exchange(running, ixfrQuery(serial), { tcp: true }));
    assertEquals([reply.answers?.length, soaSerialOf(reply)], [1, 6]);
  }
  assertEquals(running.journal.asked, 1);
});

Deno.test("over UDP: the answer if it fits what the client takes, else the SOA alone", async () => {
  await using running = await start(zoneAt(1));
  running.publish(zoneAt(2));
  running.publish(zoneAt(22));
  const opt = (octets: number) => ({
    additionals: [{ type: "OPT", name: ".", udpPayloadSize: octets }],
  });
  const small = decodeMessage(await exchange(running, ixfrQuery(2, opt(1232))));
  assertEquals(readSequences(small.answers!).length, 1);
  const without = decodeMessage(await exchange(running, ixfrQuery(2)));
  assertEquals([without.answers?.length, soaSerialOf(without)], [1, 22]);
  assertEquals([without.flag_tc, without.additionals?.length], [false, 0]);
  const unknown = decodeMessage(await exchange(running, ixfrQuery(17, opt(1232))));
  assertEquals([unknown.answers?.length, soaSerialOf(unknown)], [1, 22]);
  const { counts } = running.server.status();
  assertEquals([counts.transfers, counts.failures], [1, 0]);
});

Deno.test("over UDP: more at once than may ask the journal are told to use TCP", async () => {
  await using running = await start(zoneAt(1));
  running.publish(zoneAt(2));
  let open = () => {};
  running.journal.gate = new Promise((resolve) => open = resolve);
  const waiting = Array.from(
    { length: UDP_DIFFERENCE_READS },
    (_, id) => exchange(running, ixfrQuery(1, { id })),
  );
  await until(() => running.journal.asked === UDP_DIFFERENCE_READS, { what: "a full journal" });
  const above = decodeMessage(await exchange(running, ixfrQuery(1)));
  assertEquals([above.answers?.length, soaSerialOf(above)], [1, 2]);
  assertEquals((await query(running, "example.org", "SOA")).answers?.length, 1);
  open();
  for (const reply of await Promise.all(waiting)) {
    assertEquals(readSequences(decodeMessage(reply).answers!).length, 1);
  }
});

Deno.test("a journal that answers late holds up nothing else, on the same connection or another", async () => {
  await using running = await start(zoneAt(1));
  running.publish(zoneAt(2));
  let open = () => {};
  running.journal.gate = new Promise((resolve) => open = resolve);
  using conn = await connect(running);
  const soa = (id: number) => frame(encodeQuery({ id }));
  const stream = [...soa(1), ...frame(ixfrQuery(1, { id: 2 })), ...soa(3)];
  await writeAll(conn, Uint8Array.from(stream));
  const others = await readUntil(conn, ({ length }) => length === 2);
  assertEquals(others.map(({ id }) => id), [1, 3]);
  assertEquals((await ixfrTcpUngated(running)).length, 6 + 2);
  assertEquals((await query(running, "example.org", "SOA", { tcp: true })).answers?.length, 1);
  open();
  const [late] = await readUntil(conn, ({ length }) => length === 1);
  assertEquals(late.id, 2);
  assertEquals(readSequences(late.answers!).length, 1);

  /** Another connection, while the first still waits. */
  function ixfrTcpUngated(server: Running) {
    server.journal.gate = Promise.resolve();
    return ixfrTcp(server, 1);
  }
});

Deno.test("a journal that never answers costs the client the short answer only", async () => {
  const clock = new HandClock();
  await using running = await start(zoneAt(1), { clock });
  running.publish(zoneAt(2));
  running.journal.gate = new Promise(() => {});
  const answer = ixfrTcp(running, 1);
  await until(() => running.journal.asked === 1, { what: "the journal asked" });
  clock.advance(60_000);
  assertEquals((await answer).length, 20 + 3 + 2);
  assertEquals(clock.pending, 0);
});

Deno.test("close does not wait for a journal that never answers", async () => {
  const running = await start(zoneAt(1));
  running.publish(zoneAt(2));
  running.journal.gate = new Promise(() => {});
  const answer = ixfrTcp(running, 1);
  await until(() => running.journal.asked === 1, { what: "the journal asked" });
  await within(running.server.close({ drainMs: 10 * DEADLINE_MS }), DEADLINE_MS, "the close");
  assertEquals((await answer).length, 20 + 3 + 2);
});

Deno.test("an IXFR that began ends with its version, whatever is published meanwhile", async () => {
  await using running = await start(zoneAt(1));
  running.publish(zoneAt(60_000, 60_000));
  let open = () => {};
  running.journal.gate = new Promise((resolve) => open = resolve);
  using conn = await connect(running);
  await writeAll(conn, frame(ixfrQuery(1)));
  await until(() => running.journal.asked === 1, { what: "the journal asked" });
  running.publish(zoneAt(60_001, 10));
  open();
  const reading = readUntil(conn, isWhole);
  running.publish(zoneAt(60_002, 10));
  running.journal.steps.length = 0; // purged
  const [sequence, ...more] = readSequences(answersOf(await reading));
  assertEquals([more.length, sequence.from, sequence.to], [0, 1, 60_000]);
  const client = applySequences(contentOf(zoneAt(1), 20), 1, [sequence]);
  assertEquals([...client.records].sort(), contentOf(zoneAt(60_000), 60_000).sort());
});

Deno.test("no-ixfr: that secondary gets the zone, the journal unasked", async () => {
  const secondaries = [parseSecondary("old=127.0.0.1,no-ixfr,notify=off,watch=off")];
  await using running = await start(zoneAt(1), { secondaries });
  running.publish(zoneAt(2));
  assertEquals((await ixfrTcp(running, 1)).length, 20 + 3 + 2);
  const udp = decodeMessage(await exchange(running, ixfrQuery(1)));
  assertEquals([udp.answers?.length, soaSerialOf(udp)], [1, 2]);
  assertEquals(running.journal.asked, 0);
});

Deno.test("without a journal every IXFR client gets the zone", async () => {
  await using running = await start(zoneAt(1), { differences: undefined });
  running.publish(zoneAt(2));
  assertEquals((await ixfrTcp(running, 1)).length, 20 + 3 + 2);
});

Deno.test("serials across the wrap", async () => {
  const last = 2 ** 32 - 1;
  await using running = await start(zoneVersion("example.org.", last, "old 300 A 192.0.2.1"));
  running.publish(zoneVersion("example.org.", 0, "new 300 A 192.0.2.1"));
  running.publish(zoneVersion("example.org.", 5, "newer 300 A 192.0.2.1"));
  const sequences = readSequences(await ixfrTcp(running, last));
  assertEquals(sequences.map(({ from, to }) => [from, to]), [[last, 0], [0, 5]]);
});

for (const tool of ["dig", "kdig"] as const) {
  Deno.test({
    name: `${tool} reads an IXFR, small and of many messages`,
    ignore: which(tool) === undefined,
    fn: async () => {
      for (const hosts of [1, 3000]) {
        await using running = await start(zoneAt(1));
        running.publish(zoneAt(4000, hosts));
        const { addr, port } = running;
        const common = [`@${addr}`, "-p", `${port}`, "example.org", "IXFR=1", "+noall", "+answer"];
        const text = await mustRun(tool, [...common, "+tcp"]);
        const lines = recordLines(text);
        const serials = lines.map((line) => / SOA \S+ \S+ (\d+) /.exec(line)?.[1]);
        assertEquals(serials.filter((serial) => serial), ["4000", "1", "4000", "4000"]);
        assertEquals(lines.length, 4 + 21 + hosts + 1);
      }
    },
  });
}
