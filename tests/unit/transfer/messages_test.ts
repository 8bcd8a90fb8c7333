import { assert, assertEquals } from "@std/assert";
import { type Answer } from "dns-packet";
import { parseName, TYPE } from "../../../lib/dns/mod.ts";
import { axfrMessages, CHUNK_OCTETS, soaMessage, streamChunks } from "../../../lib/transfer/mod.ts";
import { FLAG, FrameReader, type Query } from "../../../lib/wire/mod.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { type Decoded, decodeMessage } from "../../support/oracle.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const QUERY: Query = {
  id: 0xbeef,
  flags: FLAG.RD,
  question: { name: parseName("example.org."), type: TYPE.AXFR, class: 1 },
  edns: undefined,
  tsig: undefined,
  ixfrSerial: undefined,
};
const EDNS = { payloadOctets: 1232, dnssecOk: false };

/** A zone of about 1.6 MB, with names in RDATA and an owner of several records. */
function bigZone(owners: number): ZoneVersion {
  const lines = ["@ 300 NS ns1", "@ 300 NS ns2.Example.ORG."];
  for (let i = 0; i < owners; i++) {
    lines.push(`App-${i}.sub${i % 7} 300 A 192.0.2.${i % 256}`);
    if (i % 3 === 0) lines.push(`App-${i}.sub${i % 7} 60 MX 10 mail${i}`);
  }
  return zoneVersion("example.org.", 7, lines.join("\n"));
}

/** The stream cut into messages, as an independent decoder reads them. */
function messagesOf(version: ZoneVersion): { messages: Decoded[]; chunks: number[] } {
  const reader = new FrameReader();
  const messages: Decoded[] = [];
  const chunks: number[] = [];
  const count = { messages: 0, octets: 0 };
  for (const chunk of streamChunks(axfrMessages(version, QUERY, EDNS), count)) {
    chunks.push(chunk.length);
    for (const message of reader.feed(chunk)) messages.push(decodeMessage(message));
  }
  assert(!reader.isPartial);
  assertEquals(count.messages, messages.length);
  assertEquals(count.octets, chunks.reduce((sum, octets) => sum + octets, 0));
  return { messages, chunks };
}

function line(answer: Answer): string {
  const { name, type } = answer;
  const data = type === "A" || type === "NS" ? answer.data : JSON.stringify(
    "data" in answer ? answer.data : null,
  );
  return `${name} ${"ttl" in answer ? answer.ttl : ""} ${type} ${data}`;
}

Deno.test("an AXFR's messages, read by another decoder, are the zone between two SOA", () => {
  const owners = 3000;
  const { messages } = messagesOf(bigZone(owners));
  const records = messages.flatMap(({ answers }) => answers ?? []);
  assertEquals(records.at(0)?.type, "SOA");
  assertEquals(line(records.at(-1)!), line(records[0]));
  const sent = records.slice(1, -1).map(line).sort();
  const expected = ["example.org 300 NS ns1.example.org", "example.org 300 NS ns2.Example.ORG"];
  for (let i = 0; i < owners; i++) {
    const owner = `App-${i}.sub${i % 7}.example.org`;
    expected.push(`${owner} 300 A 192.0.2.${i % 256}`);
    const mx = JSON.stringify({ preference: 10, exchange: `mail${i}.example.org` });
    if (i % 3 === 0) expected.push(`${owner} 60 MX ${mx}`);
  }
  assertEquals(sent, expected.sort());
});

Deno.test("every message has the client's ID, QR and AA; only the first the question and OPT (RFC 5936 §2.2)", () => {
  const { messages } = messagesOf(bigZone(2000));
  assert(messages.length > 3);
  for (const [i, message] of messages.entries()) {
    assertEquals(message.id, QUERY.id);
    assertEquals(message.flag_qr && message.flag_aa && message.flag_rd, true);
    assertEquals([message.flag_tc, message.flag_ra], [false, false]);
    assertEquals(message.questions?.length, i === 0 ? 1 : 0);
    assertEquals(message.additionals?.length, i === 0 ? 1 : 0);
  }
});

Deno.test("streamChunks fills chunks as far as whole messages go", () => {
  const { chunks } = messagesOf(bigZone(20_000));
  assert(chunks.length > 5);
  for (const octets of chunks) assert(octets <= CHUNK_OCTETS);
  for (const octets of chunks.slice(0, -1)) assert(octets > CHUNK_OCTETS - 17_000, `${octets}`);
});

Deno.test("streamChunks ends every chunk where a message ends", () => {
  for (const octets of [1, 16_000, 65_535]) {
    const parts = Array.from(
      { length: 20 },
      () => ({ head: new Uint8Array(octets), block: undefined }),
    );
    let messages = 0;
    for (const chunk of streamChunks(parts, { messages: 0, octets: 0 })) {
      const reader = new FrameReader();
      messages += Array.from(reader.feed(chunk)).length;
      assert(!reader.isPartial);
    }
    assertEquals(messages, 20);
  }
});

Deno.test("streamChunks keeps messages as they are, the longest too", () => {
  const head = new Uint8Array(12).fill(1);
  const block = Uint8Array.from({ length: 65_523 }, (_, i) => i);
  const parts = Array.from({ length: 5 }, () => ({ head, block }));
  const reader = new FrameReader();
  let messages = 0;
  for (const chunk of streamChunks(parts, { messages: 0, octets: 0 })) {
    for (const message of reader.feed(chunk)) {
      messages++;
      assertEquals(message.subarray(0, 12), head);
      assertEquals(message.subarray(12), block);
    }
  }
  assertEquals(messages, 5);
});

Deno.test("the first message has more than the SOA, or a client may take it for an IXFR's lone SOA", () => {
  const { messages } = messagesOf(bigZone(2000));
  assert(messages[0].answers!.length > 100);
  assertEquals(messages.at(-1)?.answers?.map(({ type }) => type), ["SOA"]);
});

Deno.test("a zone of one page is one message", () => {
  const types = (version: ZoneVersion) =>
    messagesOf(version).messages.map(({ answers }) => answers?.map(({ type }) => type));
  assertEquals(types(zoneVersion("example.org.", 1)), [["SOA", "SOA"]]);
  const small = zoneVersion("example.org.", 1, "@ 300 NS ns1\nns1 300 A 192.0.2.1");
  assertEquals(types(small), [["SOA", "NS", "A", "SOA"]]);
});

Deno.test("a first page too big for one message beside question and OPT goes on in the next", () => {
  const txt = `"${"x".repeat(250)}"`;
  const lines = Array.from({ length: 255 }, (_, i) => `@ 300 TXT ${i} ${txt}`).join("\n");
  const version = zoneVersion("example.org.", 1, lines);
  const { messages } = messagesOf(version);
  const answers = messages.flatMap(({ answers }) => answers ?? []);
  assertEquals(answers.filter(({ type }) => type === "TXT").length, 255);
  assertEquals([answers[0].type, answers.at(-1)?.type, answers.length], ["SOA", "SOA", 257]);
  assertEquals(messages.map(({ questions }) => questions?.length), [
    1,
    ...messages.slice(1).map(() => 0),
  ]);
});

Deno.test("soaMessage sets TC when not even the SOA fits", () => {
  const version = zoneVersion("example.org.", 1);
  const whole = decodeMessage(soaMessage(QUERY, version.soa, EDNS, 512));
  assertEquals([whole.flag_tc, whole.answers?.length], [false, 1]);
  const cut = decodeMessage(soaMessage(QUERY, version.soa, undefined, 50));
  assertEquals([cut.flag_tc, cut.answers?.length], [true, 0]);
});
