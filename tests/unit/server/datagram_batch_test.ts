/** Datagrams taken several at a time: all answered, each to whom it came from. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type SystemCalls, takeSystemCalls } from "../../../lib/ops/mod.ts";
import { startOurPrimary } from "../../support/our_primary.ts";
import { questionMessage } from "../../support/random_questions.ts";

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

for (const ip of ["127.0.0.1", "::1"]) {
  Deno.test(`datagrams at ${ip}: a burst from two clients, each has its answers`, async () => {
    const systemCalls = haveCalls();
    await using server = await startOurPrimary(ZONE, { listen: [{ ip, port: 0 }], systemCalls });
    const to = { transport: "udp", hostname: server.addr, port: server.port } as const;
    const clients = [0, 1].map(() =>
      Deno.listenDatagram({ transport: "udp", hostname: ip, port: 0 })
    );
    try {
      // One that is silent to responses and scraps answers what stands between them.
      const scrap = Uint8Array.of(1, 2, 3);
      for (let i = 0; i < BURST; i++) {
        const [name, type] = KINDS[i % KINDS.length];
        const edns = { payloadOctets: 4_096, dnssecOk: false };
        const message = questionMessage({ name, type, edns, recursionDesired: false });
        message.set([i >> 8, i]);
        await Promise.all(clients.map((client) => client.send(message, to)));
        if (i % 7 === 0) await clients[0].send(scrap, to);
      }
      for (const client of clients) {
        const answered = new Map<number, Uint8Array>();
        while (answered.size < BURST) {
          const [octets] = await client.receive(new Uint8Array(4_096));
          answered.set(octets[0] << 8 | octets[1], octets);
        }
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
