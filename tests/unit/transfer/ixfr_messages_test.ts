import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseName, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import {
  axfrMessages,
  ixfrMessage,
  ixfrMessages,
  type MessageParts,
  streamChunks,
} from "../../../lib/transfer/mod.ts";
import { FLAG, FrameReader, type Query } from "../../../lib/wire/mod.ts";
import { diffVersions, NO_RECORDS, packRecords, type ZoneVersion } from "../../../lib/zone/mod.ts";
import { applySequences, readSequences, recordText } from "../../support/ixfr.ts";
import { type Decoded, decodeMessage } from "../../support/oracle.ts";
import { recordOf, soaOf, zoneVersion } from "../../support/zone_version.ts";

const APEX = parseName("example.org.");
const QUERY: Query = {
  id: 0xbeef,
  flags: FLAG.RD,
  question: { name: parseName("Example.ORG."), type: TYPE.IXFR, class: 1 },
  edns: undefined,
  tsig: undefined,
  ixfrSerial: 1,
};
const EDNS = { payloadOctets: 1232, dnssecOk: false };

interface Sent {
  readonly octets: number;
  readonly message: Decoded;
}

/** The stream cut into messages, as an independent decoder reads them. */
function sent(parts: Iterable<MessageParts>): Sent[] {
  const reader = new FrameReader();
  const messages: Sent[] = [];
  for (const chunk of streamChunks(parts, { messages: 0, octets: 0 })) {
    for (const octets of reader.feed(chunk)) {
      messages.push({ octets: octets.length, message: decodeMessage(octets) });
    }
  }
  assert(!reader.isPartial);
  return messages;
}

const answersOf = (messages: readonly Sent[]) =>
  messages.flatMap(({ message }) => message.answers ?? []);

/** The differences of neighbours among versions. */
const steps = (versions: readonly ZoneVersion[]) =>
  versions.slice(1).map((version, i) => diffVersions(versions[i], version));

function contentOf(version: ZoneVersion): string[] {
  const answers = answersOf(sent(axfrMessages(version, QUERY, undefined)));
  return answers.slice(1, -1).map(recordText);
}

Deno.test("an IXFR of one record out of many is one message of at most 300 octets", () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `app-${i} 300 A 192.0.2.${i % 256}`);
  const old = zoneVersion("example.org.", 1, lines.join("\n"));
  lines[500] = "app-500 300 A 198.51.100.7";
  const now = zoneVersion("example.org.", 2, lines.join("\n"));
  const messages = sent(ixfrMessages(now, steps([old, now]), QUERY, EDNS));
  assertEquals(messages.length, 1);
  assert(messages[0].octets <= 300, `${messages[0].octets} octets`);
  assertEquals(answersOf(messages).map(({ type }) => type), [
    "SOA",
    "SOA",
    "A",
    "SOA",
    "A",
    "SOA",
  ]);
  const [sequence] = readSequences(answersOf(messages));
  assertEquals([sequence.from, sequence.to], [1, 2]);
  assert(sequence.removed[0].includes("app-500") && sequence.removed[0].includes("192.0.2.244"));
  assert(sequence.added[0].includes("app-500") && sequence.added[0].includes("198.51.100.7"));
});

Deno.test("messages are filled to 16 KiB; question and OPT only in the first; ID, QR, AA in all", () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `app-${i}.x 300 MX 10 Mail-${i}`);
  const old = zoneVersion("example.org.", 1);
  const now = zoneVersion("example.org.", 2, lines.join("\n"));
  const messages = sent(ixfrMessages(now, steps([old, now]), QUERY, EDNS));
  assert(messages.length > 4);
  for (const [i, { octets, message }] of messages.entries()) {
    assert(octets <= 16_384 && (octets > 16_000 || i === messages.length - 1), `${octets} octets`);
    assertEquals([message.id, message.flag_qr, message.flag_aa], [QUERY.id, true, true]);
    assertEquals(message.questions?.length, i === 0 ? 1 : 0);
    assertEquals(message.additionals?.length, i === 0 ? 1 : 0);
  }
  const [{ removed, added }] = readSequences(answersOf(messages));
  assertEquals(removed, []);
  assertEquals(added, contentOf(now));
});

Deno.test("a record too big for 16 KiB has a message to itself, up to the longest there is", () => {
  const big = (owner: string, octets: number): ResourceRecord => ({
    owner: parseName(owner, APEX),
    type: 65_280,
    ttl: 300,
    rdata: new Uint8Array(octets).fill(7),
  });
  // Header, the apex' three labels and the owner's one, and the fixed part come on top.
  const longest = 65_535 - 12 - 13 - 2 - 10;
  const small = recordOf("a 300 A 192.0.2.1", APEX);
  const records = [small, big("b", longest), big("c", 16_380), big("d", 20), big("e", 60_000)];
  const now = zoneVersion("example.org.", 2);
  const difference = {
    fromSoa: soaOf("example.org.", 1),
    toSoa: now.soa,
    removed: NO_RECORDS,
    added: packRecords(records),
  };
  const messages = sent(ixfrMessages(now, [difference], QUERY, EDNS));
  assertEquals(messages.map(({ message }) => message.answers?.length), [4, 1, 1, 1, 1, 1]);
  assertEquals(Math.max(...messages.map(({ octets }) => octets)), 65_535);
  const [{ added }] = readSequences(answersOf(messages));
  assertEquals(added.map((record) => record.split(" ")[0]), [
    "a.example.org",
    "b.example.org",
    "c.example.org",
    "d.example.org",
    "e.example.org",
  ]);
});

Deno.test("a change of nothing but the SOA is four SOA records", () => {
  const [old, now] = [zoneVersion("example.org.", 1), zoneVersion("example.org.", 2)];
  const messages = sent(ixfrMessages(now, steps([old, now]), QUERY, undefined));
  const serials = answersOf(messages).map((answer) => answer.type === "SOA" && answer.data.serial);
  assertEquals(serials, [2, 1, 2, 2]);
});

Deno.test("over UDP the whole answer fits or there is none", () => {
  const now = zoneVersion("example.org.", 2, "www 300 A 192.0.2.1");
  const sequences = steps([zoneVersion("example.org.", 1), now]);
  const whole = ixfrMessage(now, sequences, QUERY, EDNS, 1232)!;
  assertEquals(readSequences(decodeMessage(whole).answers!).length, 1);
  assertEquals(decodeMessage(whole).flag_tc, false);
  assert(ixfrMessage(now, sequences, QUERY, EDNS, whole.length));
  assertEquals(ixfrMessage(now, sequences, QUERY, EDNS, whole.length - 1), undefined);
  const again = sent(ixfrMessages(now, sequences, QUERY, EDNS));
  assertEquals(decodeMessage(whole), again[0].message);
});

Deno.test("random histories: the sequences, applied, are the zone; the same in one message where they fit", () => {
  const line = fc.tuple(
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom(
      "A 192.0.2.1",
      "A 192.0.2.2",
      "MX 10 a12",
      "MX 10 A12",
      `TXT ${"t".repeat(200)}`,
    ),
    fc.integer({ min: 1, max: 40 }),
  ).map(([i, rdata, copies]) =>
    Array.from({ length: copies }, (_, k) => `a${i}.n${k} 300 ${rdata}`).join("\n")
  );
  const history = fc.array(fc.array(line, { maxLength: 12 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(history, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (contents, first) => {
      const versions = contents.map((lines, i) =>
        zoneVersion("example.org.", (first + i) % 2 ** 32, lines.join("\n"))
      );
      const now = versions[versions.length - 1];
      const sequences = steps(versions);
      const read = readSequences(answersOf(sent(ixfrMessages(now, sequences, QUERY, EDNS))));
      const applied = applySequences(contentOf(versions[0]), first, read);
      assertEquals(applied.serial, now.serial);
      assertEquals([...applied.records].sort(), contentOf(now).sort());
      const whole = ixfrMessage(now, sequences, QUERY, EDNS, 65_535);
      if (whole) assertEquals(readSequences(decodeMessage(whole).answers!), read);
    }),
    { numRuns: 60 },
  );
});

Deno.test("records are sent octet for octet as the difference has them, case included", () => {
  const now = zoneVersion("example.org.", 2);
  const records = [recordOf("WwW 300 NS Ns1.EXAMPLE.org.", APEX)];
  const difference = {
    fromSoa: soaOf("example.org.", 1),
    toSoa: now.soa,
    removed: packRecords(records),
    added: NO_RECORDS,
  };
  const messages = sent(ixfrMessages(now, [difference], QUERY, EDNS));
  assertEquals(readSequences(answersOf(messages))[0].removed, [
    `WwW.example.org 300 NS "Ns1.EXAMPLE.org"`,
  ]);
});
