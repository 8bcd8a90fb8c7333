/** Transfers of large zones with the system calls: as without them, whoever reads them, and however. */
import { assert, assertEquals } from "@std/assert";
import { parseName, type ResourceRecord } from "../../../lib/dns/mod.ts";
import { nullLogger, parseCidr, type SystemCalls, takeSystemCalls } from "../../../lib/ops/mod.ts";
import { Asker, DnsServer, fetchZone, KeyRing } from "../../../lib/server/mod.ts";
import { frame } from "../../../lib/wire/mod.ts";
import { ZoneTable, type ZoneVersion } from "../../../lib/zone/mod.ts";
import { query, type Server } from "../../support/dns_client.ts";
import { encodeQuery } from "../../support/oracle.ts";
import { key } from "../../support/signed_requests.ts";
import { until } from "../../support/wait.ts";
import { soaOf, versionOf, zoneVersion } from "../../support/zone_version.ts";

// Before anything else: who has them gives the permission back.
const calls = takeSystemCalls();
assert(calls, "there are no system calls: is this Linux with glibc, and --allow-ffi given?");

const ZONE = "example.org.";
const APEX = parseName(ZONE);
const KEY = key("own.key.", 1);

interface Running extends Server, AsyncDisposable {
  readonly server: DnsServer;
  /** How often the kernel was handed something. */
  readonly sent: () => number;
}

async function start(version: ZoneVersion, bulk = true, keys: string[] = []): Promise<Running> {
  const zones = new ZoneTable();
  zones.set(version);
  let sent = 0;
  const systemCalls: SystemCalls = {
    ...calls!,
    send(...args) {
      sent++;
      return calls!.send(...args);
    },
  };
  const server = new DnsServer({
    zones,
    listen: [{ ip: "127.0.0.1", port: 0 }],
    secondaries: [],
    allowTransfer: [{ cidr: parseCidr("127.0.0.1"), keys: keys.map((name) => parseName(name)) }],
    keys: new KeyRing([KEY]),
    log: nullLogger,
    systemCalls: bulk ? systemCalls : undefined,
    limits: { writeMs: 600_000 }, // who does not read is held up by us
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  return {
    server,
    sent: () => sent,
    addr,
    port,
    [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }),
  };
}

function zoneOf(hosts: number): ZoneVersion {
  const lines = Array.from(
    { length: hosts },
    (_, i) => `Host-${i} 300 A 10.0.${i >> 8}.${i & 255}`,
  );
  return zoneVersion(ZONE, 7, ["@ 300 NS ns1", ...lines].join("\n"));
}

/** A zone of about this many octets, in messages of 60,000. */
function hugeZone(octets: number): ZoneVersion {
  const records: ResourceRecord[] = [];
  for (let i = 0; i * 60_000 < octets; i++) {
    const rdata = new Uint8Array(60_000).fill(i);
    records.push({ owner: parseName(`big${i}`, APEX), type: 65_280, ttl: 300, rdata });
  }
  return versionOf(records, soaOf(ZONE, 1));
}

const QUESTION = frame(encodeQuery({ id: 7, questions: [{ type: "AXFR", name: ZONE }] }));

async function ask({ addr, port }: Server): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: addr, port });
  await conn.write(QUESTION);
  return conn;
}

/** All octets of a connection, up to its end. */
async function octetsOf(conn: Deno.TcpConn): Promise<Uint8Array> {
  return new Uint8Array(await new Response(conn.readable).arrayBuffer());
}

/** What a client gets that asks for a transfer and says that it asks for no more. */
async function transferred(server: Server): Promise<Uint8Array> {
  const conn = await ask(server);
  await conn.closeWrite();
  return await octetsOf(conn);
}

const digest = async (octets: Uint8Array) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", octets.slice())).toHex();

for (
  const [what, version, isLarge] of [
    ["a zone of a few records", zoneOf(3), false],
    ["a zone of some messages", zoneOf(9_000), false],
    ["a large zone", zoneOf(30_000), true],
    ["a zone of the longest messages, more than a socket holds", hugeZone(24e6), true],
  ] as const
) {
  Deno.test(`${what}: the same octets with the system calls as without`, async () => {
    await using bulk = await start(version);
    await using plain = await start(version, false);
    const [one, other] = [await transferred(bulk), await transferred(plain)];
    assertEquals(one.length, other.length);
    assertEquals(await digest(one), await digest(other));
    assertEquals(bulk.sent() > 0, isLarge, `${bulk.sent()} calls`);
    assertEquals(plain.sent(), 0);
  });
}

Deno.test("a signed transfer of a large zone is rightly signed, message by message", async () => {
  const hosts = 30_000;
  await using running = await start(zoneOf(hosts), true, ["own.key."]);
  using asker = new Asker();
  let records = 0;
  const server = { ip: running.addr, port: running.port, key: KEY };
  for await (const part of fetchZone(asker, server, APEX)) records += part.records.length;
  assertEquals(records, hosts + 1);
  assert(running.sent() > 0, "it was no bulk");
});

Deno.test("clients that go away midway: the others' transfers are whole, nobody gets a stranger's octets", async () => {
  const version = hugeZone(24e6);
  await using running = await start(version);
  const whole = await digest(await transferred(running));
  let over = false;
  let gone = 0;
  const leaving = Array.from({ length: 4 }, async () => {
    while (!over) {
      const conn = await ask(running);
      await conn.read(new Uint8Array(1 + gone * 7_919 % 500_000));
      conn.close(); // its descriptor, once the server has closed it, is the next connection's
      gone++;
    }
  });
  const asking = Array.from({ length: 4 }, async () => {
    while (!over) {
      using conn = await Deno.connect({ hostname: running.addr, port: running.port });
      await conn.write(frame(encodeQuery({ id: 99 })));
      const buffer = new Uint8Array(70_000);
      const length = await conn.read(buffer);
      assert(length !== null && length < 512 && buffer[3] === 99, "not the answer asked for");
    }
  });
  try {
    for (let i = 0; i < 5; i++) {
      const all = await Promise.all([transferred(running), transferred(running)]);
      for (const octets of all) assertEquals(await digest(octets), whole);
    }
    await until(() => gone > 20, { what: "clients that went" });
  } finally {
    over = true;
    await Promise.all([...leaving, ...asking]);
  }
  const status = () => running.server.status();
  await until(() => status().connections === 0, { what: "all places given back", seen: status });
  assertEquals(status().transfers, { moving: 0, slow: 0, waiting: 0 });
});

Deno.test("a client that does not read holds up nobody, and gets the rest when it does", async () => {
  const version = hugeZone(24e6);
  await using running = await start(version);
  const whole = await digest(await transferred(running));
  const slow = await ask(running);
  await slow.closeWrite();
  await until(() => running.server.status().transfers.moving === 1, { what: "its transfer" });
  for (let i = 0; i < 3; i++) {
    assertEquals(await digest(await transferred(running)), whole);
    assertEquals((await query(running, ZONE, "SOA")).answers?.length, 1);
  }
  assertEquals(running.server.status().transfers.moving, 1);
  assertEquals(await digest(await octetsOf(slow)), whole);
});
