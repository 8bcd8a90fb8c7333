/** The server over loopback sockets. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { formatName, parseName, type ResourceRecord } from "../../../lib/dns/mod.ts";
import { nullLogger, parseCidr, parseSocketAddress } from "../../../lib/ops/mod.ts";
import {
  DnsServer,
  type DnsServerOptions,
  parseSecondary,
  ServerError,
  type ServerLimits,
} from "../../../lib/server/mod.ts";
import { frame, FrameReader } from "../../../lib/wire/mod.ts";
import { ZoneTable, type ZoneVersion } from "../../../lib/zone/mod.ts";
import { connectFrom } from "../../support/connect_from.ts";
import { axfr, exchange, query, type Server } from "../../support/dns_client.ts";
import { type Decoded, decodeMessage, encodeQuery } from "../../support/oracle.ts";
import { which } from "../../support/processes.ts";
import { startFakeSecondary } from "../../support/secondary_fake.ts";
import { DEADLINE_MS, until, within } from "../../support/wait.ts";
import { transferLines, type TransferTool } from "../../support/zone_text.ts";
import { soaOf, versionOf, zoneVersion } from "../../support/zone_version.ts";

const LOOPBACK = parseSocketAddress("127.0.0.1:0");

interface Running extends Server, AsyncDisposable {
  readonly server: DnsServer;
  readonly zones: ZoneTable;
}

/** A server on a port of its own, closed at the end of the test. */
async function start(
  versions: readonly ZoneVersion[],
  over: Partial<Omit<DnsServerOptions, "limits">> & { limits?: Partial<ServerLimits> } = {},
): Promise<Running> {
  const zones = new ZoneTable();
  for (const version of versions) zones.set(version);
  const server = new DnsServer({
    zones,
    listen: [LOOPBACK],
    secondaries: [],
    allowTransfer: [{ cidr: parseCidr("127.0.0.1"), keys: [] }],
    log: nullLogger,
    ...over,
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  return {
    server,
    zones,
    addr,
    port,
    [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }),
  };
}

function zoneOf(serial: number, hosts: number): ZoneVersion {
  const lines = ["@ 300 NS ns1", "ns1 300 A 127.0.0.1", `serial 0 TXT ${serial}`];
  for (let i = 0; i < hosts; i++) lines.push(`Host-${i} 300 A 192.0.2.${i % 256}`);
  return zoneVersion("example.org.", serial, lines.join("\n"));
}

/** A zone of about this many octets, which no socket buffer holds. */
function hugeZone(octets: number): ZoneVersion {
  const apex = parseName("example.org.");
  const rdata = new Uint8Array(60_000);
  const records: ResourceRecord[] = [];
  for (let i = 0; i * rdata.length < octets; i++) {
    records.push({ owner: parseName(`big${i}`, apex), type: 65_280, ttl: 300, rdata });
  }
  return versionOf(records, soaOf("example.org.", 1));
}

/** Reads messages off a connection until there are `count` or it ends. */
async function readMessages(conn: Pick<Deno.Conn, "read">, count = Infinity): Promise<Decoded[]> {
  const reader = new FrameReader();
  const messages: Decoded[] = [];
  const buffer = new Uint8Array(65_536);
  while (messages.length < count) {
    const length = await conn.read(buffer);
    if (length === null) break;
    for (const message of reader.feed(buffer.subarray(0, length))) {
      messages.push(decodeMessage(message));
    }
  }
  return messages;
}

async function writeAll(conn: Pick<Deno.Conn, "write">, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await conn.write(octets.subarray(at));
}

const connect = ({ addr, port }: Server) => Deno.connect({ hostname: addr, port });

/** Whether the server has ended a connection: nothing more comes from it. */
async function isClosedByPeer(conn: Deno.Conn): Promise<boolean> {
  try {
    return await conn.read(new Uint8Array(1)) === null;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return true;
    throw error;
  }
}

Deno.test("one port answers over UDP and TCP", async () => {
  await using running = await start([zoneOf(7, 10)]);
  for (const tcp of [false, true]) {
    const reply = await query(running, "host-3.example.org", "A", { tcp });
    assertEquals(reply.answers?.map(({ name }) => name), ["Host-3.example.org"]);
  }
});

Deno.test("an address in use is named, with what to do; nothing stays bound", async () => {
  await using first = await start([]);
  const taken = { ip: first.addr, port: first.port };
  const error = await assertRejects(() => start([], { listen: [LOOPBACK, taken] }), ServerError);
  assertEquals(error.code, "address-in-use");
  assert(error.message.includes(`127.0.0.1:${first.port}`), error.message);
  assert(error.hint);
});

Deno.test("an address this machine does not have is named", async () => {
  const listen = [parseSocketAddress("192.0.2.77:5300")];
  const error = await assertRejects(() => start([], { listen }), ServerError);
  assertEquals(error.code, "address-not-here");
});

Deno.test("pipelined queries, however they are cut, are answered in order", async () => {
  await using running = await start([zoneOf(7, 300)]);
  const queries = Array.from({ length: 300 }, (_, i) => {
    const questions = [{ type: "A", name: `host-${i}.example.org` }];
    return [...frame(encodeQuery({ id: i, questions }))];
  }).flat();
  const stream = Uint8Array.from(queries);
  for (const chunk of [stream.length, 1000, 7]) {
    using conn = await connect(running);
    const reading = readMessages(conn, 300);
    for (let at = 0; at < stream.length; at += chunk) {
      await writeAll(conn, stream.subarray(at, at + chunk));
    }
    const answers = await reading;
    assertEquals(answers.map(({ id }) => id), Array.from({ length: 300 }, (_, i) => i));
    assert(answers.every((answer) => answer.answers?.length === 1));
  }
});

Deno.test("a transfer does not hold up a query behind it; both come whole", async () => {
  await using running = await start([hugeZone(24e6)]);
  using conn = await connect(running);
  const transfer = frame(
    encodeQuery({ id: 1, questions: [{ type: "AXFR", name: "example.org" }] }),
  );
  await writeAll(conn, transfer);
  await conn.read(new Uint8Array(0));
  await until(() => running.server.status().transfers.moving === 1, { what: "a transfer" });
  await writeAll(conn, frame(encodeQuery({ id: 2 })));
  await conn.closeWrite();
  const messages = await readMessages(conn);
  const at = messages.findIndex(({ id }) => id === 2);
  assert(at > 0 && at < messages.length - 2, `message ${at} of ${messages.length}`);
  assertEquals(messages[at].answers?.length, 1);
  const transferred = messages.filter(({ id }) => id === 1);
  assertEquals(transferred.length, messages.length - 1);
  assertEquals(transferred.flatMap(({ answers }) => answers ?? []).length, 400 + 2);
});

Deno.test("transfers pipelined on one connection all come whole, whatever their order", async () => {
  await using running = await start([zoneOf(7, 5_000)]);
  using conn = await connect(running);
  const ids = Array.from({ length: 200 }, (_, i) => i + 1); // more than are worked on at a time
  const question = { type: "AXFR", name: "example.org" } as const;
  const queries = ids.flatMap((id) => [...frame(encodeQuery({ id, questions: [question] }))]);
  const reading = readMessages(conn);
  await writeAll(conn, Uint8Array.from(queries));
  await conn.closeWrite();
  const records = new Map<number, number>();
  for (const { id = 0, answers = [] } of await reading) {
    records.set(id, (records.get(id) ?? 0) + answers.length);
  }
  assertEquals([...records.keys()].sort((a, b) => a - b), ids);
  for (const [id, count] of records) assertEquals(count, 5_000 + 3 + 2, `transfer ${id}`);
  const { transfers, connections, bufferOctets } = running.server.status();
  assertEquals(transfers, { moving: 0, slow: 0, waiting: 0 });
  await until(() => running.server.status().connections === 0, { what: "the place given back" });
  assert(connections <= 1 && bufferOctets === 0);
});

for (const tool of ["dig", "kdig", "drill"] as const satisfies TransferTool[]) {
  Deno.test({
    name: `${tool} reads an AXFR as the zone`,
    ignore: which(tool) === undefined,
    fn: async () => {
      for (const hosts of [1, 3000]) {
        await using running = await start([zoneOf(7, hosts)]);
        const lines = await transferLines(tool, running, "example.org");
        const expected = Array.from(
          { length: hosts },
          (_, i) => `host-${i}.example.org. 300 A 192.0.2.${i % 256}`,
        );
        assertEquals(lines.filter((line) => line.startsWith("host-")).sort(), expected.sort());
      }
    },
  });
}

Deno.test("transfers at once, the zone changing under them, are each of one version", async () => {
  await using running = await start([zoneOf(1, 5000)]);
  let serial = 1;
  const changing = setInterval(() => running.zones.set(zoneOf(++serial, 5000 + serial)), 5);
  try {
    const transfers = await Promise.all(
      Array.from({ length: 16 }, () => axfr(running, "example.org")),
    );
    for (const { records } of transfers) {
      const soas = records.filter(({ type }) => type === "SOA");
      assertEquals(soas.length, 2);
      const [first, last] = soas.map((soa) => soa.type === "SOA" && soa.data.serial);
      assertEquals(first, last);
      const txt = records.find(({ type }) => type === "TXT");
      assertEquals(txt?.type === "TXT" && String(txt.data), String(first));
      const grown = first === 1 ? 0 : Number(first);
      assertEquals(records.length, 5000 + grown + 3 + 2);
    }
  } finally {
    clearInterval(changing);
  }
});

Deno.test("a connection without a message, or with one that trickles, is closed in time", async () => {
  const limits = { firstMessageMs: 150, idleMs: 150 };
  await using running = await start([zoneOf(7, 1)], { limits });
  using silent = await connect(running);
  using trickling = await connect(running);
  const octets = frame(encodeQuery());
  let at = 0;
  const timer = setInterval(
    () => trickling.write(octets.subarray(at, ++at)).catch(() => {}),
    40,
  );
  assert(await within(isClosedByPeer(silent), DEADLINE_MS, "the silent one's end"));
  assert(await within(isClosedByPeer(trickling), DEADLINE_MS, "the trickling one's end"));
  clearInterval(timer);
  assert(at < octets.length);
});

Deno.test("a connection is idle only since its last message", async () => {
  const limits = { firstMessageMs: 1_500, idleMs: 1_500 };
  await using running = await start([zoneOf(7, 1)], { limits });
  using conn = await connect(running);
  const started = performance.now();
  let answers = 0;
  while (performance.now() - started < 2_000) {
    await writeAll(conn, frame(encodeQuery()));
    answers += (await readMessages(conn, 1)).length;
    await new Promise((resume) => setTimeout(resume, 50));
  }
  assert(answers > 5);
  assert(await isClosedByPeer(conn));
});

Deno.test("a client that stops reading is cut off, counted as a zombie, and forgotten when it goes", async () => {
  const limits = { writeMs: 1_000, connectionsPerSecondary: 2 };
  await using running = await start([hugeZone(24e6)], { limits });
  const conn = await connect(running);
  const questions = [{ type: "AXFR", name: "example.org" }];
  await writeAll(conn, frame(encodeQuery({ questions })));
  const status = () => running.server.status();
  await until(() => status().zombies === 1, { what: "a zombie", seen: status });
  assertEquals([status().counts.transfersBroken, status().connections], [1, 1]);
  const transfer = await axfr(running, "example.org"); // another client is served meanwhile
  assertEquals(transfer.rcode, "NOERROR");
  conn.close();
  await until(() => status().zombies === 0 && status().connections === 0, {
    what: "the place given back",
    seen: status,
  });
});

Deno.test("connections above the cap of an address are closed at once; UDP goes on", async () => {
  const limits = { connectionsPerSecondary: 2 };
  await using running = await start([zoneOf(7, 1)], { limits });
  using first = await connect(running);
  using _second = await connect(running);
  await until(() => running.server.status().connections === 2, { what: "two connections" });
  using third = await connect(running);
  assert(await isClosedByPeer(third));
  assertEquals((await query(running, "example.org", "SOA")).answers?.length, 1);
  await writeAll(first, frame(encodeQuery()));
  assertEquals((await readMessages(first, 1)).length, 1);
});

Deno.test("more transfers than may run wait; a client with none goes first; slow ones hold up nobody", async () => {
  const limits = { transfers: 2, transfersPerClient: 2 };
  const allowTransfer = [{ cidr: parseCidr("127.0.0.0/8"), keys: [] }];
  await using running = await start([hugeZone(24e6)], { limits, allowTransfer });
  const status = () => running.server.status();
  const question = frame(encodeQuery({ questions: [{ type: "AXFR", name: "example.org" }] }));
  const stalled: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 3; i++) {
      stalled.push(await connect(running));
      await writeAll(stalled[i], question);
    }
    await until(() => status().transfers.waiting === 1, { what: "one that waits", seen: status });
    // By now both of the client's transfers hardly move: another client is let in beside them.
    using other = await connectFrom(running, "127.0.0.9");
    await writeAll(other, question);
    assertEquals((await readMessages(other, 401)).length, 401);
    assertEquals(status().transfers, { moving: 0, slow: 2, waiting: 1 });
    stalled.shift()!.close(); // then the client's third may run
    assertEquals((await readMessages(stalled[1], 401)).length, 401);
  } finally {
    for (const conn of stalled) conn.close();
  }
  await until(() => status().connections === 0, { what: "all places given back", seen: status });
  assertEquals(status().transfers, { moving: 0, slow: 0, waiting: 0 });
});

Deno.test("a connection that sends what can be no message is closed", async () => {
  await using running = await start([zoneOf(7, 1)]);
  for (const octets of [[0, 0], [0, 1, 7], [0, 11, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]) {
    using conn = await connect(running);
    await writeAll(conn, Uint8Array.from([...frame(encodeQuery()), ...octets]));
    assert((await readMessages(conn)).length <= 1); // and then the connection has ended
  }
});

Deno.test("strangers who say nothing shut nobody out: who has waited longest makes room", async () => {
  const limits = { strangerConnections: 3, connectionsPerStranger: 3 };
  await using running = await start([zoneOf(7, 1)], { limits, allowTransfer: [] });
  const silent = [await connect(running), await connect(running), await connect(running)];
  try {
    await until(() => running.server.status().connections === 3, { what: "three connections" });
    const other = await connectFrom(running, "127.0.0.9");
    await writeAll(other, frame(encodeQuery()));
    assertEquals((await readMessages(other, 1)).length, 1);
    assert(await isClosedByPeer(silent[0]));
    other.close();
    assertEquals(running.server.status().evicted, 1);
  } finally {
    for (const conn of silent) conn.close();
  }
});

Deno.test("messages begun and never ended stay below the ceiling for buffers; others are served", async () => {
  const limits = { bufferOctets: 200_000, connectionsPerStranger: 20 };
  await using running = await start([zoneOf(7, 1)], { limits, allowTransfer: [] });
  const begun = new Uint8Array(60_000).fill(0xff, 0, 2);
  const conns = await Promise.all(Array.from({ length: 10 }, () => connect(running)));
  try {
    // Those for whom there is no room are closed under the write.
    await Promise.allSettled(conns.map((conn) => writeAll(conn, begun)));
    const status = () => running.server.status();
    await until(() => status().connections < 10 && status().bufferOctets > 60_000, {
      what: "some closed, some held",
      seen: status,
    });
    assert(status().bufferOctets <= 150_000, `${status().bufferOctets} octets`);
    const reply = await query(running, "example.org", "SOA", { tcp: true });
    assertEquals(reply.answers?.length, 1);
  } finally {
    for (const conn of conns) conn.close();
  }
  await until(() => running.server.status().bufferOctets === 0, { what: "all given back" });
});

Deno.test("close lets a running transfer end, and ends idle connections at once", async () => {
  const running = await start([hugeZone(24e6)]);
  const questions = [{ type: "AXFR", name: "example.org" }];
  using busy = await connect(running);
  using idle = await connect(running);
  await writeAll(busy, frame(encodeQuery({ questions })));
  await until(() => running.server.status().connections === 2, { what: "two connections" });
  await busy.read(new Uint8Array(1)); // the transfer has begun, and waits for its reader
  const closing = running.server.close({ drainMs: 10_000 });
  assert(await isClosedByPeer(idle));
  let octets = 1;
  const buffer = new Uint8Array(1 << 20);
  for (let read; (read = await busy.read(buffer)) !== null;) octets += read;
  await closing;
  assert(octets > 24e6, `${octets} octets`);
  await assertRejects(() => connect(running), Deno.errors.ConnectionRefused);
});

Deno.test("close cuts off a transfer that does not end in time", async () => {
  const running = await start([hugeZone(24e6)]);
  using busy = await connect(running);
  const questions = [{ type: "AXFR", name: "example.org" }];
  await writeAll(busy, frame(encodeQuery({ questions })));
  await busy.read(new Uint8Array(1));
  await within(running.server.close({ drainMs: 100 }), DEADLINE_MS, "the close");
});

Deno.test("a flood of garbage over UDP starves neither TCP nor timers", async () => {
  await using running = await start([zoneOf(7, 100)]);
  const to = { transport: "udp", hostname: running.addr, port: running.port } as const;
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  let flooding = true;
  const garbage = crypto.getRandomValues(new Uint8Array(100));
  const flood = (async () => {
    while (flooding) {
      garbage[2] &= 0x7f;
      for (let i = 0; i < 32; i++) await socket.send(garbage.subarray(0, 12 + i), to);
      await new Promise((resume) => setTimeout(resume, 0));
    }
  })();
  try {
    for (let i = 0; i < 20; i++) {
      const reply = await query(running, "host-1.example.org", "A", { tcp: true });
      assertEquals(reply.answers?.length, 1);
    }
  } finally {
    flooding = false;
    await flood;
    socket.close();
  }
});

Deno.test("announce notifies; SOA queries and transfers are kept for each secondary", async () => {
  await using peer = startFakeSecondary();
  const secondary = parseSecondary(`near=127.0.0.1:${peer.port}`);
  const far = parseSecondary("far=192.0.2.1,notify=off,watch=off");
  const version = zoneOf(7, 50);
  await using running = await start([version], {
    secondaries: [secondary, far],
    allowTransfer: [],
  });
  running.server.announce(version);
  assertEquals((await peer.received(1)).serial, 7);
  await until(() => running.server.status().notifyOutstanding === 0, { what: "acknowledgement" });
  await query(running, "example.org", "SOA");
  await axfr(running, "example.org");
  const status = await until(() => {
    const [status] = running.server.status().secondaries;
    return status.zones[0]?.transfer && status;
  }, { what: "the transfer in the status" });
  const [zone] = status.zones;
  assertEquals([status.name, zone.zone], ["near", "example.org."]);
  assertEquals([zone.notify?.serial, zone.notify?.rcode, zone.notify?.attempts], [7, 0, 1]);
  assert(zone.notify?.acknowledgedAt && zone.soaQueryAt);
  assertEquals([zone.transfer?.kind, zone.transfer?.serial], ["axfr", 7]);
  const [unheard] = running.server.status().secondaries[1].zones;
  assertEquals([unheard.notify, unheard.watch?.state], [undefined, "unknown"]);
  running.server.retire(version.apex);
  assertEquals(running.server.status().secondaries[0].zones, []);
  assertEquals(formatName(version.apex), "example.org.");
});

Deno.test("strangers may ask, not transfer", async () => {
  await using running = await start([zoneOf(7, 1)], { allowTransfer: [] });
  assertEquals((await axfr(running, "example.org")).rcode, "REFUSED");
  assertEquals((await query(running, "example.org", "SOA")).rcode, "NOERROR");
  assertEquals(running.server.status().counts.transfersRefused, 1);
});

Deno.test("a dual-stack socket knows its IPv4 clients", async () => {
  const listen = [parseSocketAddress("[::]:0")];
  let running: Running;
  try {
    running = await start([zoneOf(7, 1)], { listen });
  } catch (error) {
    if (error instanceof ServerError) return; // a machine without IPv6
    throw error;
  }
  await using _ = running;
  const v4 = { addr: "127.0.0.1", port: running.port };
  assertEquals((await axfr(v4, "example.org")).rcode, "NOERROR");
  const reply = await exchange(v4, encodeQuery());
  assertEquals(decodeMessage(reply).answers?.length, 1);
});
