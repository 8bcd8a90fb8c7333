/** Datagrams taken several at a time: all answered, each to whom it came from. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type SystemCalls, takeSystemCalls } from "../../../lib/ops/mod.ts";
import { BATCH, DatagramBatch, nextBatch } from "../../../lib/server/datagram_batch.ts";
import { startOurPrimary } from "../../support/our_primary.ts";
import { questionMessage } from "../../support/random_questions.ts";
import { until } from "../../support/wait.ts";

const ZONE = {
  "zone.test.": "$TTL 60\n@ SOA ns1.example. h.example. 7 3600 600 86400 60\n@ NS ns1.example.\n" +
    `many A 192.0.2.1\n${
      Array.from({ length: 90 }, (_, i) => `many A 192.0.3.${i}`).join("\n")
    }\nc CNAME many\n`,
};
/** More than a batch, and less than a socket's buffer holds. */
const BURST = 80;

// Before anything else: who has them gives the permission back.
const calls = takeSystemCalls();

function haveCalls(): SystemCalls {
  assert(calls, "there are no system calls: is this Linux with glibc, and --allow-ffi given?");
  return calls;
}

Deno.test("system calls: they are taken once, and nobody gets others", async () => {
  haveCalls();
  assertEquals(takeSystemCalls(), undefined);
  assertThrows(() => Deno.dlopen("libc.so.6", {}), Deno.errors.NotCapable);
  assertThrows(() => Deno.UnsafePointer.of(new Uint8Array(100)), Deno.errors.NotCapable);
  const code = `try { Deno.dlopen("libc.so.6", {}); postMessage("taken"); }
    catch (error) { postMessage(error.name); }`;
  const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, { type: "module" });
  const said = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
  worker.terminate();
  assertEquals(said, "NotCapable");
});

/** What is asked, and how many records the answer has; undefined: only its RCODE is looked at. */
const KINDS: readonly (readonly [name: string, type: string, answers: number, rcode: number])[] = [
  ["zone.test.", "SOA", 1, 0],
  ["many.zone.test.", "A", 91, 0], // the long way
  ["c.zone.test.", "A", 92, 0],
  ["nothing.zone.test.", "A", 0, 3],
  ["elsewhere.test.", "A", 0, 5],
];

/** How often a question without an answer is asked: datagrams may be lost, also on loopback. */
const TRIES = 20;
const TRY_MS = 1_000;

/** Asks a burst at once, and again what is not answered; the answers by their IDs. */
async function askBurst(
  client: Deno.DatagramConn,
  to: Deno.NetAddr,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const edns = { payloadOctets: 4_096, dnssecOk: false };
  const answered = new Map<number, Uint8Array>();
  let tries = 0;
  const ask = () => {
    if (tries++ === TRIES) return client.close(); // receiving fails
    // Sent before the server has its turn, so that they wait for it together.
    for (let i = 0; i < BURST; i++) {
      const [name, type] = KINDS[i % KINDS.length];
      const message = questionMessage({ name, type, edns, recursionDesired: false });
      message.set([i >> 8, i]);
      if (!answered.has(i)) client.send(message, to).catch(() => {});
      // One that is silent to scraps answers what stands between them.
      if (i % 7 === 0) client.send(Uint8Array.of(1, 2, 3), to).catch(() => {});
    }
  };
  ask();
  const timer = setInterval(ask, TRY_MS);
  try {
    while (answered.size < BURST) {
      const [octets] = await client.receive(new Uint8Array(4_096));
      answered.set(octets[0] << 8 | octets[1], octets);
    }
    return answered;
  } finally {
    clearInterval(timer);
  }
}

for (const ip of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams at ${ip}: a burst from two clients, each has its answers`, async () => {
    const systemCalls = haveCalls();
    await using server = await startOurPrimary(ZONE, { listen: [{ ip, port: 0 }], systemCalls });
    const to = { transport: "udp", hostname: server.addr, port: server.port } as const;
    const clients = [0, 1].map(() =>
      Deno.listenDatagram({ transport: "udp", hostname: ip, port: 0 })
    );
    try {
      for (const answered of await Promise.all(clients.map((client) => askBurst(client, to)))) {
        for (const [id, octets] of answered) {
          const [, , answers, rcode] = KINDS[id % KINDS.length];
          assertEquals([octets[3] & 15, (octets[2] & 2) || octets[7]], [
            rcode,
            answers > 70 ? 2 : answers,
          ]);
        }
      }
    } finally {
      for (const client of clients) client.close();
    }
  });
}

/** A socket, a batch for it, and one who sends to it. */
function openBatch(hostname: string, from: string) {
  const batch = new DatagramBatch(haveCalls());
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const client = Deno.listenDatagram({ transport: "udp", hostname: from, port: 0 });
  const fd = batch.descriptorOf(socket.addr as Deno.NetAddr);
  assert(fd !== undefined, "its file descriptor is not found");
  const to = { ...socket.addr as Deno.NetAddr, hostname: from };
  return {
    batch,
    socket,
    client,
    fd,
    send: (octets: Uint8Array) => client.send(octets, to),
    [Symbol.dispose]() {
      socket.close();
      client.close();
    },
  };
}

for (const [hostname, from] of [["127.0.0.1", "127.0.0.1"], ["::1", "::1"], ["::", "127.0.0.1"]]) {
  Deno.test(`DatagramBatch: a datagram from ${from} to ${hostname} is as the runtime has it`, async () => {
    using open = openBatch(hostname, from);
    const { batch, socket, client, fd } = open;
    await open.send(Uint8Array.of(7));
    const [, sender] = await socket.receive(new Uint8Array(10));
    const lengths = [0, 1, 4_096, 5_000]; // the last is cut
    for (const length of lengths) await open.send(new Uint8Array(length).fill(length % 251));
    const got: Uint8Array[] = [];
    const senders: Deno.NetAddr[] = [];
    const unsent: Uint8Array[] = [];
    await until(() => {
      const received = batch.receive(fd);
      for (let i = 0; i < received; i++) {
        got.push(batch.message(i).slice());
        senders.push(batch.sender(i));
        batch.answer(i, Uint8Array.of(got.length));
      }
      batch.send(fd, received, (octets) => unsent.push(octets));
      return got.length === lengths.length;
    }, { what: "all have come" });
    assertEquals(got.map((octets) => octets.length), [0, 1, 4_096, 4_096]);
    assertEquals(got.map((octets) => new Set(octets)), [
      new Set(),
      new Set([1]),
      new Set([4_096 % 251]),
      new Set([5_000 % 251]),
    ]);
    assertEquals(senders, lengths.map(() => sender as Deno.NetAddr));
    assertEquals(unsent, []);
    for (let i = 1; i <= got.length; i++) {
      const [octets] = await client.receive(new Uint8Array(10));
      assertEquals([...octets], [i]);
    }
  });
}

Deno.test("DatagramBatch: what the kernel does not take is given back, the others are sent", async () => {
  using open = openBatch("127.0.0.1", "127.0.0.1");
  const { batch, client, fd } = open;
  const calls = haveCalls();
  for (let i = 0; i < 3; i++) await open.send(Uint8Array.of(i));
  await until(() => {
    const received = batch.receive(fd);
    if (received === 3) return true;
    for (let i = 0; i < received; i++) open.send(batch.message(i).slice()); // they came apart
    return false;
  }, { what: "three wait at the same time" });
  for (let i = 0; i < 3; i++) batch.answer(i, Uint8Array.of(100 + batch.message(i)[0]));
  // The port of the second, behind headers and vectors: nobody can be sent to port 0.
  calls.memory.fill(0, BATCH * 80 + 32 + 2, BATCH * 80 + 32 + 4);
  const unsent: [number[], Deno.NetAddr][] = [];
  batch.send(fd, 3, (octets, to) => unsent.push([[...octets], to]));
  assertEquals(unsent.length, 1);
  assertEquals(unsent[0][1], { transport: "udp", hostname: "127.0.0.1", port: 0 });
  const sent = [await client.receive(), await client.receive()].map(([octets]) => octets[0]);
  assertEquals([...sent, unsent[0][0][0]].sort(), [100, 101, 102]);
});

Deno.test("DatagramBatch: no more are taken than asked for, and fewer while answers take long", async () => {
  using open = openBatch("127.0.0.1", "127.0.0.1");
  for (let i = 0; i < 5; i++) await open.send(Uint8Array.of(i));
  const taken: number[] = [];
  await until(() => {
    const received = open.batch.receive(open.fd, 2);
    assert(received <= 2);
    for (let i = 0; i < received; i++) taken.push(open.batch.message(i)[0]);
    return taken.length === 5;
  }, { what: "five have come" });
  assertEquals(taken, [0, 1, 2, 3, 4]);
  let most = BATCH;
  for (let i = 0; i < 10; i++) most = nextBatch(most, 1_000);
  assertEquals(most, 1);
  for (let i = 0; i < 10; i++) most = nextBatch(most, 0);
  assertEquals(most, BATCH);
});
