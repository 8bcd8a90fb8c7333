/** UDP answers to one prefix: so many, then truncated or none. */
import { assert, assertEquals } from "@std/assert";
import { nullLogger, parseCidr, parseSocketAddress } from "../../../lib/ops/mod.ts";
import { RATE_SLOTS } from "../../../lib/server/limits.ts";
import { DnsServer } from "../../../lib/server/mod.ts";
import { type RateVerdict, ResponseRate } from "../../../lib/server/response_rate.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { decodeMessage, encodeQuery } from "../../support/oracle.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const header = (rcode: number, answers: number) =>
  Uint8Array.of(0, 1, 0x84, rcode, 0, 1, 0, answers, 0, 0, 0, 0);
const ANSWER = header(0, 1);
const KINDS = [ANSWER, header(0, 0), header(3, 0), header(5, 0)];

/** A limit of so many a second, its clock turned by hand. */
function limitOf(perSecond: number, slip: number) {
  const clock = { ms: 5_000 };
  const rate = new ResponseRate({ perSecond, slip, now: () => clock.ms, secret: 0x5eed1234 });
  const tally = (ip: string, times: number, answer = ANSWER) => {
    const counts: Record<RateVerdict, number> = { send: 0, truncate: 0, drop: 0 };
    for (let i = 0; i < times; i++) counts[rate.judge(ip, answer)]++;
    return Object.values(counts);
  };
  return { clock, rate, tally };
}

Deno.test("a second's worth goes out at once, then as many as come in the time", () => {
  const { clock, tally } = limitOf(10, 0);
  assertEquals(tally("192.0.2.1", 100), [10, 0, 90]);
  clock.ms += 300;
  assertEquals(tally("192.0.2.1", 100), [3, 0, 97]);
  clock.ms += 60_000;
  assertEquals(tally("192.0.2.1", 100), [10, 0, 90]); // never more than a second's
});

Deno.test("each so-manieth of those above is truncated; 1 is all of them, 0 none", () => {
  for (const [slip, truncated] of [[1, 90], [2, 45], [3, 30], [0, 0]]) {
    assertEquals(limitOf(10, slip).tally("192.0.2.1", 100), [10, truncated, 90 - truncated]);
  }
});

Deno.test("a /24, and of IPv6 a /56, counts as one; mapped IPv4 is IPv4", () => {
  const alike = [
    ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.77"],
    ["2001:db8:1:100::1", "2001:db8:1:1ff:2:3:4:5"],
  ];
  const apart = ["192.0.3.1", "192.1.2.1", "2.0.2.1", "2001:db8:1:200::1", "2001:db9:1:100::1"];
  for (const [first, ...others] of alike) {
    const { tally } = limitOf(10, 0);
    assertEquals(tally(first, 10), [10, 0, 0]);
    for (const other of others) assertEquals(tally(other, 5), [0, 0, 5], other);
    for (const other of apart) assertEquals(tally(other, 5), [5, 0, 0], other);
  }
});

Deno.test("each class of answer is counted apart", () => {
  const { tally } = limitOf(10, 0);
  for (const kind of KINDS) assertEquals(tally("192.0.2.1", 20, kind), [10, 0, 10]);
});

Deno.test("a flood from more prefixes than there are slots lets the limited ones out, no others in", () => {
  const { rate, tally } = limitOf(10, 0);
  assertEquals(tally("192.0.2.1", 20), [10, 0, 10]);
  for (let i = 0; i < 4 * RATE_SLOTS; i++) {
    rate.judge(`${10 + (i >> 16)}.${i >> 8 & 255}.${i & 255}.1`, ANSWER);
  }
  const [sent] = tally("192.0.2.1", 20);
  assert(sent <= 10);
  assertEquals(tally("198.51.100.1", 20)[0], 10); // somebody new has a whole bucket
});

Deno.test("over UDP: limited, truncated by each so-manieth, exempt, and over TCP never", async () => {
  const zones = new ZoneTable();
  zones.set(zoneVersion("example.org.", 7, "@ 300 NS ns1\nns1 300 A 192.0.2.1"));
  const query = encodeQuery({ questions: [{ name: "example.org", type: "SOA" }] });
  const answersOf = async (exempt: string[], allowTransfer: string[]) => {
    const server = new DnsServer({
      zones,
      listen: [parseSocketAddress("127.0.0.1:0")],
      secondaries: [],
      allowTransfer: allowTransfer.map((text) => ({ cidr: parseCidr(text), keys: [] })),
      rateExempt: exempt.map(parseCidr),
      limits: { answersPerSecond: 1, slip: 2 },
      log: nullLogger,
    });
    await server.start();
    const [{ port }] = server.addresses;
    const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    try {
      const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
      let truncated = 0;
      // What is dropped is never waited for: of each two above, the second comes.
      for (let sent = 0; sent < 21; sent++) await socket.send(query, to);
      const { counts } = await settled(server, 21);
      const arrived = 21 - counts.rateDropped;
      for (let i = 0; i < arrived; i++) {
        const [octets] = await socket.receive();
        const answer = decodeMessage(octets);
        if (!answer.flag_tc) continue;
        truncated++;
        assertEquals([answer.questions?.length, answer.answers?.length], [1, 0]);
        assert(octets.length <= query.length);
      }
      assertEquals(truncated, counts.rateTruncated);
      return [arrived, truncated];
    } finally {
      socket.close();
      await server.close({ drainMs: 0 });
    }
  };
  // How many tokens come while they are sent depends on the machine.
  const [arrived, truncated] = await answersOf(["192.0.2.0/24"], []);
  assert(arrived < 21 && truncated > 0, `${arrived} ${truncated}`);
  assertEquals(await answersOf(["127.0.0.0/8"], []), [21, 0]);
  assertEquals(await answersOf([], ["127.0.0.1"]), [21, 0]);
});

async function settled(server: DnsServer, queries: number) {
  while (server.status().counts.udpQueries < queries) {
    await new Promise((resume) => setTimeout(resume, 5));
  }
  return server.status();
}
