/**
 * Messages nobody should send, to the running server: it answers what must be answered, rightly
 * what is right, and does not grow.
 *
 * SEED and COUNT of the environment choose others; `make fuzz` sends 1,000,000, `make test` 50,000.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeMessage, encodeQuery } from "../support/oracle.ts";
import { type FuzzMessage, MessageFuzzer } from "../support/fuzz_messages.ts";
import { systemTest } from "../support/interop.ts";
import { percentile, pidOf, processFigures } from "../support/process_figures.ts";
import { mustZonecast, newSerial, serveZones } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { query } from "../support/dns_client.ts";
import { served } from "../support/served.ts";
import type { Zonecast } from "../support/zonecast.ts";
import { comesDownTo, fuzzFailure, fuzzTcp, UdpFuzzer } from "./fuzz_client.ts";

const SEED = Number(Deno.env.get("SEED") ?? 0x5eed);
const COUNT = Number(Deno.env.get("COUNT") ?? 50_000);

/** Messages of one round: of these, so many over TCP, in connections of so many. */
const ROUND = 1_000;
const ROUND_TCP = 300;
const TCP_BATCH = 50;
/** Each so-manieth message over UDP is a good one, and its answer looked at. */
const GOOD_EACH = 50;

/**
 * Growth that is the runtime's own: garbage that its heap keeps for a while. Over three million
 * messages it was seen to rise by 100 MiB and to fall again.
 */
const RSS_SLACK = 48 * 1024 * 1024 + 48 * Math.min(COUNT, 1_000_000);

const ZONE = `$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
@ NS ns2.elsewhere.example.
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
@ MX 10 mail
mail A 192.0.2.2
*.wild TXT "any"
*.chain CNAME a.chain
a.chain CNAME b.chain
b.chain CNAME a.chain
tree DNAME d.tree.other
sub NS ns.sub
sub NS ns1
ns.sub A 192.0.2.3
sub DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
deep.er.than.most TXT "x"
_sip._tcp SRV 1 1 5060 mail
svc HTTPS 1 . alpn=h2
\\000odd\\.label TXT "odd"
`;

const NAMES = [
  "fuzz.example",
  "ns1.fuzz.example",
  "x.wild.fuzz.example",
  "q.chain.fuzz.example",
  "x.tree.fuzz.example",
  "y.sub.fuzz.example",
  "er.than.most.fuzz.example",
  "_sip._tcp.fuzz.example",
  "big.fuzz.example",
  "fuzz.other.example",
  "example",
];

/** zonecast with a zone of all that makes answers hard, in three versions. */
async function serveFuzzed(source: string, write: (text: string) => Promise<string>) {
  await mustZonecast(source, ["zone", "add", "fuzz.example", "--ns", "ns1"]);
  const big = Array.from({ length: 60 }, (_, i) => `big TXT "${`${i}`.padEnd(200, "x")}"\n`);
  await mustZonecast(source, ["import", "fuzz.example", await write(ZONE + big.join(""))]);
  const zonecast = await serveZones({ source, zones: ["fuzz.example."] });
  const serials = [await newSerial(zonecast, "fuzz.example.", undefined)];
  for (const address of ["192.0.2.8", "192.0.2.9"]) {
    await zonecast.mustCli(["set", "fuzz.example", "new", "A", address]);
    serials.unshift(await newSerial(zonecast, "fuzz.example.", serials[0]));
  }
  return { zonecast, serials };
}

/** A question with one right answer, and whether an answer is that. */
function goodQuestions(serial: number): [FuzzMessage, (answer: Uint8Array) => boolean][] {
  const ask = (name: string, type: string) => ({
    octets: encodeQuery({ questions: [{ name, type }] }),
    kind: `good ${type}`,
  });
  const records = (octets: Uint8Array) => decodeMessage(octets).answers ?? [];
  return [
    [ask("fuzz.example", "SOA"), (octets) => {
      const [soa] = records(octets);
      return soa?.type === "SOA" && soa.data.serial === serial;
    }],
    [ask("ns1.fuzz.example", "A"), (octets) => {
      const [a] = records(octets);
      return a?.type === "A" && a.data === "192.0.2.1";
    }],
    [ask("not.there.fuzz.example", "A"), (octets) => (octets[3] & 0xf) === 3],
  ];
}

async function askForDifferences(zonecast: Zonecast, serial: number): Promise<void> {
  const data = { mname: ".", rname: ".", serial };
  const authorities = [{ type: "SOA", name: "fuzz.example", data }] as const;
  const reply = await query(zonecast, "fuzz.example", "IXFR", { authorities: [...authorities] });
  assertEquals(reply.rcode, "NOERROR");
}

class Round {
  readonly latencies: number[] = [];
  #good = 0;

  constructor(
    readonly zonecast: Zonecast,
    readonly udp: UdpFuzzer,
    readonly fuzzer: MessageFuzzer,
    readonly questions: ReturnType<typeof goodQuestions>,
  ) {}

  async run(messages: number): Promise<void> {
    const overTcp = Math.floor(messages * ROUND_TCP / ROUND);
    for (let i = 0; i < messages - overTcp; i++) {
      await this.udp.send(this.fuzzer.next());
      if (i % GOOD_EACH === 0) await this.#askGood();
    }
    await this.udp.settle();
    for (let left = overTcp; left > 0; left -= TCP_BATCH) {
      const batch = Array.from({ length: Math.min(left, TCP_BATCH) }, () => this.fuzzer.next());
      await fuzzTcp(this.zonecast, batch, this.fuzzer.next().octets);
    }
  }

  async #askGood(): Promise<void> {
    const [question, isRight] = this.questions[this.#good++ % this.questions.length];
    // Its own copy: it is given an ID of its own.
    const message = { ...question, octets: question.octets.slice() };
    let wrong: Error | undefined;
    await this.udp.send(message, (answer, ms) => {
      this.latencies.push(ms);
      if (!isRight(answer)) wrong = fuzzFailure("a wrong answer to a good question", message);
    });
    if (wrong) throw wrong;
  }
}

systemTest(`fuzz: ${COUNT} messages over UDP and TCP, seed ${SEED}`, async () => {
  await using dir = await tempDir();
  const { zonecast, serials } = await serveFuzzed(
    `sqlite:${dir.path}/zones.db`,
    (text) => dir.write("fuzz.zone", text),
  );
  await using _ = zonecast;
  const pid = pidOf("zonecast");
  using udp = new UdpFuzzer(zonecast);
  const fuzzer = new MessageFuzzer(SEED, NAMES, serials);
  const round = new Round(zonecast, udp, fuzzer, goodQuestions(serials[0]));
  await askForDifferences(zonecast, 1); // the journal is opened when it is first needed
  const before = processFigures(pid);
  const started = performance.now();
  let warm = before;
  for (let sent = 0; sent < COUNT; sent += ROUND) {
    await round.run(Math.min(ROUND, COUNT - sent));
    // The compiler and the heap have found their size by then.
    if (sent + ROUND <= Math.max(COUNT / 5, 10_000)) warm = processFigures(pid);
  }
  const seconds = (performance.now() - started) / 1000;
  await comesDownTo(before.descriptors, "descriptors", () => processFigures(pid).descriptors);
  const after = processFigures(pid);
  const cpu = (after.cpuMs - before.cpuMs) / COUNT;
  const ms = (share: number) => percentile(round.latencies, share).toFixed(1);
  const mib = (octets: number) => (octets / 1024 ** 2).toFixed(0);
  console.log(
    `fuzz: ${COUNT} messages in ${seconds.toFixed(1)} s, ${
      (cpu * 1000).toFixed(0)
    } µs of CPU each; ` +
      `${round.latencies.length} good questions answered rightly, p50 ${ms(0.5)} ms, p99 ${
        ms(0.99)
      } ms, ` +
      `longest ${ms(1)} ms; RSS ${mib(before.rss)}, ${mib(warm.rss)}, ${mib(after.rss)} MiB; ` +
      `descriptors ${before.descriptors}, ${after.descriptors}`,
  );
  assert(after.rss <= warm.rss * 1.1 + RSS_SLACK, `RSS ${warm.rss} to ${after.rss} octets`);
  const { counts } = JSON.parse(await zonecast.mustCli(["status", "--json"])).server.load;
  assertEquals(counts.failures, 0); // no answer failed by a fault of ours
  assert(!/answer failed/.test(zonecast.log()), zonecast.log().slice(-2_000));
  assertEquals(await served(zonecast, "ns1.fuzz.example.", "A"), ["192.0.2.1"]);
});
