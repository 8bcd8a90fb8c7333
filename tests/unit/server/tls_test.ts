/** The server over TLS, on loopback; certificates by openssl. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseName, type ResourceRecord } from "../../../lib/dns/mod.ts";
import { nullLogger, parseCidr } from "../../../lib/ops/mod.ts";
import {
  DnsServer,
  type DnsServerOptions,
  KeyRing,
  parseSecondary,
  ServerError,
  type ServerLimits,
} from "../../../lib/server/mod.ts";
import { findTsig, rcodeName } from "../../../lib/wire/mod.ts";
import { ZoneTable, type ZoneVersion } from "../../../lib/zone/mod.ts";
import { type CertificatePair, certificates } from "../../support/certificates.ts";
import { exchange, query, type Server } from "../../support/dns_client.ts";
import { interopTest } from "../../support/interop.ts";
import { type Decoded, decodeMessage, encodeQuery } from "../../support/oracle.ts";
import { run } from "../../support/processes.ts";
import { key, KEYS, NOW, OTHER, OWN, request, signed } from "../../support/signed_requests.ts";
import { tempDir } from "../../support/tempdir.ts";
import { connectTls } from "../../support/tls_client.ts";
import { until, within } from "../../support/wait.ts";
import { soaOf, versionOf, zoneVersion } from "../../support/zone_version.ts";

const ZONE = zoneVersion(
  "example.org.",
  7,
  "@ 300 NS ns1\nns1 300 A 127.0.0.1\nwww 300 A 192.0.2.1",
);

interface Running extends Server, AsyncDisposable {
  readonly server: DnsServer;
  /** The same server without TLS. */
  readonly plain: Server;
  /** Of its authority, in PEM. */
  readonly ca: string;
  issue(name: string): Promise<{ cert: string; key: string; files: CertificatePair }>;
}

async function start(
  version: ZoneVersion = ZONE,
  over: Partial<Omit<DnsServerOptions, "limits">> & { limits?: Partial<ServerLimits> } = {},
): Promise<Running> {
  const dir = await tempDir();
  const authority = await certificates(dir.path);
  const issue = async (name: string) => {
    const files = await authority.issue(name);
    const { cert, key } = files;
    return { files, cert: await Deno.readTextFile(cert), key: await Deno.readTextFile(key) };
  };
  const zones = new ZoneTable();
  zones.set(version);
  const address = { ip: "127.0.0.1", port: 0 };
  const server = new DnsServer({
    zones,
    listen: [address],
    tls: { listen: [address], certificate: await issue("first") },
    secondaries: [],
    allowTransfer: [{ cidr: parseCidr("127.0.0.1"), keys: [] }],
    log: nullLogger,
    ...over,
  });
  await server.start();
  return {
    server,
    addr: "127.0.0.1",
    port: server.tlsAddresses[0].port,
    plain: { addr: "127.0.0.1", port: server.addresses[0].port },
    ca: await Deno.readTextFile(authority.ca),
    issue,
    async [Symbol.asyncDispose]() {
      await server.close({ drainMs: 0 });
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** File descriptors of this process that are sockets. */
function sockets(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) count++;
    } catch {
      // Closed meanwhile.
    }
  }
  return count;
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

const ask = (id: number, type: string, name = "example.org", more = {}) =>
  encodeQuery({ id, questions: [{ name, type }], ...more });
const rcodeOf = (message: Decoded) => (message as Decoded & { rcode: string }).rcode;
const axfr = (id: number) => ask(id, "AXFR");

interopTest("several transfers and questions go over one connection, and count as TLS", {
  needs: ["openssl"],
}, async () => {
  await using server = await start();
  using client = await connectTls(server, server.ca);
  assertEquals((await client.conn.handshake()).alpnProtocol, "dot");
  await client.send(axfr(1), ask(2, "A", "www.example.org"), axfr(3));
  const answers = new Map<number, number>();
  for (let i = 0; i < 3; i++) {
    const { id, answers: records } = decodeMessage((await client.receive())!);
    answers.set(id!, records!.length);
  }
  assertEquals(answers, new Map([[1, 5], [2, 1], [3, 5]]));
  const { counts, connections } = server.server.status();
  assertEquals([counts.tlsQueries, counts.tcpQueries, counts.transfers], [3, 0, 2]);
  assertEquals(connections, 1);
});

interopTest("over TLS as without it a transfer takes the secondary's key, and its address", {
  needs: ["openssl"],
}, async (t) => {
  const secondary = (from: string) =>
    parseSecondary(`s=127.0.0.1,key=own.key,from=${from},notify=off,watch=off`);
  const rows: readonly [what: string, from: string, message: Uint8Array, rcode: string][] = [
    ["its address and its key", "127.0.0.1", signed(OWN), "NOERROR"],
    ["its address, no signature", "127.0.0.1", request(), "REFUSED"],
    ["its address, another's key", "127.0.0.1", signed(OTHER), "REFUSED"],
    ["its address, a forged signature", "127.0.0.1", signed(key("own.key.", 9)), "NOTAUTH"],
    ["its key, another address", "192.0.2.1", signed(OWN), "REFUSED"],
  ];
  for (const [what, from, message, rcode] of rows) {
    await t.step(`${what}: ${rcode}`, async () => {
      await using server = await start(ZONE, {
        secondaries: [secondary(from)],
        allowTransfer: [],
        keys: new KeyRing(KEYS, { timeOfDay: () => NOW * 1_000 }),
        transfersOverTlsOnly: true,
      });
      using client = await connectTls(server, server.ca);
      await client.send(message);
      const answer = (await client.receive())!;
      assertEquals(rcodeName(answer[3] & 0xf), rcode);
      // Only to a forger is the answer not signed.
      const isSigned = (findTsig(answer)?.mac.length ?? 0) > 0;
      assertEquals(isSigned, findTsig(message) !== undefined && rcode !== "NOTAUTH");
    });
  }
});

interopTest("a client without TLS 1.3 or ALPN dot, or that speaks no TLS, is told so and closed", {
  needs: ["openssl"],
}, async (t) => {
  await using server = await start();
  const cases: readonly [name: string, args: string[], said: RegExp][] = [
    ["no ALPN", [], /alert number 120/],
    ["another ALPN", ["-alpn", "h2"], /alert number 120/],
    ["TLS 1.2", ["-tls1_2", "-alpn", "dot"], /alert number 70/],
  ];
  for (const [name, args, said] of cases) {
    await t.step(name, async () => {
      const { addr, port } = server;
      const { code, stderr } = await run(
        "openssl",
        ["s_client", "-connect", `${addr}:${port}`, ...args],
        { input: "" },
      );
      assertEquals(code, 1);
      assert(said.test(stderr), stderr);
    });
  }
  await t.step("plain DNS", async () => {
    using conn = await Deno.connect({ hostname: server.addr, port: server.port });
    await conn.write(new Uint8Array([0, 12, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    assertEquals(await conn.read(new Uint8Array(99)).catch(() => null), null);
  });
  const { counts, connections } = server.server.status();
  assertEquals([counts.tlsRefused, counts.tlsQueries], [4, 0]);
  await until(() => server.server.status().connections === 0, { what: "no connection" });
  assertEquals(connections <= 4, true);
});

interopTest("a client that is silent, or stops within its handshake, holds no socket for longer", {
  needs: ["openssl"],
}, async () => {
  await using server = await start(ZONE, { limits: { handshakeMs: 300 } });
  const before = sockets();
  const firstOctets = [[], [22], [22, 3, 1, 2, 0, 1, 0, 1, 0xfc]];
  const clients = await Promise.all(firstOctets.map(async (octets) => {
    const conn = await Deno.connect({ hostname: server.addr, port: server.port });
    if (octets.length > 0) await conn.write(Uint8Array.from(octets));
    return conn;
  }));
  // A handshake begun, whose client then says nothing more: openssl's is stopped in the middle.
  for (const conn of clients) {
    assertEquals(await within(conn.read(new Uint8Array(9)), 20_000, "the end"), null);
    conn.close();
  }
  await until(() => sockets() <= before && server.server.status().connections === 0, {
    what: "every socket closed",
  });
  assertEquals(server.server.status().counts.tlsRefused, 3);
});

interopTest("a handshake that is answered and then goes on no more ends in its time", {
  needs: ["openssl"],
}, async () => {
  await using server = await start(ZONE, { limits: { handshakeMs: 500 } });
  const before = sockets();
  // The first flight of a real client, taken by a listener of our own.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const real = Deno.connectTls({ hostname: "127.0.0.1", port, alpnProtocols: ["dot"] })
    .then((conn) => conn.handshake().finally(() => conn.close())).catch(() => {});
  const taken = await listener.accept();
  const hello = new Uint8Array(16_384);
  const length = await taken.read(hello);
  taken.close();
  await real;
  const conn = await Deno.connect({ hostname: server.addr, port: server.port });
  await conn.write(hello.subarray(0, length!));
  const answer = new Uint8Array(65_536);
  assert((await conn.read(answer))! > 0, "the server's flight");
  const ended = (async () => {
    while (await conn.read(answer) !== null);
  })().catch(() => {});
  await within(ended, 20_000, "the end");
  conn.close();
  await until(() => sockets() <= before + 1 && server.server.status().connections === 0, {
    what: "every socket closed",
  });
});

interopTest("a new certificate is served at once, open connections go on, a bad one is refused", {
  needs: ["openssl"],
}, async () => {
  await using server = await start();
  using old = await connectTls(server, server.ca);
  const second = await server.issue("second");
  const third = await server.issue("third");
  const subject = async () => {
    const { addr, port } = server;
    const args = ["s_client", "-connect", `${addr}:${port}`, "-alpn", "dot"];
    const { stdout } = await run("openssl", args, { input: "" });
    return /^subject=(.*)$/m.exec(stdout)?.[1];
  };
  assertEquals(await subject(), "CN = first");
  server.server.replaceCertificate(second);
  assertEquals(await subject(), "CN = second");
  for (const bad of [{ cert: third.cert, key: second.key }, { cert: "junk", key: third.key }]) {
    assertThrows(() => server.server.replaceCertificate(bad), ServerError, "Cannot serve TLS");
    assertEquals(await subject(), "CN = second");
  }
  await old.send(axfr(9));
  assertEquals(decodeMessage((await old.receive())!).answers!.length, 5);
});

const SOA_OF_CLIENT = {
  type: "SOA",
  name: "example.org",
  data: { mname: ".", rname: ".", serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 },
};

interopTest("with transfers over TLS alone, others are refused with an extended error", {
  needs: ["openssl"],
}, async () => {
  await using server = await start(ZONE, { transfersOverTlsOnly: true });
  const additionals = [{ type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options: [] }];
  for (const type of ["AXFR", "IXFR"]) {
    const authorities = type === "IXFR" ? [SOA_OF_CLIENT] : [];
    const asked = ask(1, type, "example.org", { authorities, additionals });
    const refusal = decodeMessage(await exchange(server.plain, asked, { tcp: true }));
    assertEquals(rcodeOf(refusal), "REFUSED");
    assert(JSON.stringify(refusal.additionals).includes('"code":15'), "an extended error");
  }
  assertEquals((await query(server.plain, "example.org", "SOA")).rcode, "NOERROR");
  using client = await connectTls(server, server.ca);
  await client.send(axfr(1));
  assertEquals(decodeMessage((await client.receive())!).answers!.length, 5);
  const { transfersRefused, transfers } = server.server.status().counts;
  assertEquals([transfersRefused, transfers], [2, 1]);
});

interopTest(
  "a client over TLS that stops reading is a zombie until it goes, then nothing is left",
  {
    needs: ["openssl"],
  },
  async () => {
    await using server = await start(hugeZone(40_000_000), { limits: { writeMs: 300 } });
    const before = sockets();
    const client = await connectTls(server, server.ca);
    await client.send(axfr(1));
    await until(() => server.server.status().zombies === 1, { what: "a zombie" });
    assertEquals(server.server.status().connections, 1);
    await until(() => server.server.status().counts.transfersBroken === 1, { what: "broken off" });
    assertEquals(server.server.status().counts.transfers, 0);
    client.conn.close();
    await until(() => {
      const { connections, zombies } = server.server.status();
      return connections === 0 && zombies === 0 && sockets() <= before;
    }, { what: "nothing left of it" });
  },
);

interopTest("a server that ends sends transfers over TLS to their last octet", {
  needs: ["openssl"],
}, async () => {
  const server = await start(hugeZone(12_000_000));
  using client = await connectTls(server, server.ca);
  await client.send(axfr(1));
  assert(await client.receive());
  const closed = server.server.close({ drainMs: 60_000 });
  let messages = 1;
  while (await client.receive()) messages++;
  assertEquals(messages, 201);
  await closed;
  await server[Symbol.asyncDispose]();
});
