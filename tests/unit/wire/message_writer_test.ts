import { assert, assertEquals } from "@std/assert";
import type { StringAnswer } from "dns-packet";
import { type Name, parseName, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import {
  FLAG,
  headerOnly,
  MessageWriter,
  RCODE,
  type ResponseEdns,
  SECTION,
} from "../../../lib/wire/mod.ts";
import { decodeMessage as decode } from "../../support/oracle.ts";

const name = (text: string): Name => parseName(text);
const a = (owner: string, last = 1): ResourceRecord => ({
  owner: name(owner),
  type: TYPE.A,
  ttl: 300,
  rdata: Uint8Array.of(192, 0, 2, last),
});
const ns = (owner: string, target: string): ResourceRecord => ({
  owner: name(owner),
  type: TYPE.NS,
  ttl: 300,
  rdata: name(target),
});

function writer(max = 512, edns?: ResponseEdns): MessageWriter {
  const out = new MessageWriter(max, edns);
  out.header(7, FLAG.QR | FLAG.AA);
  out.question({ name: name("example.org."), type: TYPE.NS, class: 1 });
  return out;
}

Deno.test("MessageWriter writes what an independent decoder reads", () => {
  const out = writer();
  assert(out.record(SECTION.ANSWER, ns("example.org.", "ns1.example.org.")));
  assert(out.record(SECTION.AUTHORITY, ns("sub.example.org.", "ns1.example.org.")));
  assert(out.record(SECTION.ADDITIONAL, a("ns1.example.org.")));
  const message = decode(out.finish());
  assertEquals(message.id, 7);
  const { name, type, ttl, data } = message.answers![0] as StringAnswer;
  assertEquals([name, type, ttl, data], ["example.org", "NS", 300, "ns1.example.org"]);
  assertEquals(message.authorities?.[0].name, "sub.example.org");
  assertEquals(message.additionals?.[0].name, "ns1.example.org");
});

Deno.test("MessageWriter compresses equal suffixes to pointers", () => {
  const out = writer();
  const before = out.octets;
  out.record(SECTION.ANSWER, ns("example.org.", "ns1.example.org."));
  // Pointer, fixed fields, "ns1" and a pointer.
  assertEquals(out.octets - before, 2 + 10 + 4 + 2);
  out.record(SECTION.ANSWER, ns("example.org.", "ns1.example.org."));
  assertEquals(out.octets - before, 18 + 2 + 10 + 2);
});

Deno.test("MessageWriter keeps case: a suffix in other case is written out", () => {
  const out = writer();
  const before = out.octets;
  out.record(SECTION.ANSWER, a("EXAMPLE.org."));
  assertEquals(out.octets - before, 8 + 2 + 10 + 4);
  assertEquals(decode(out.finish()).answers?.[0].name, "EXAMPLE.org");
});

Deno.test("MessageWriter leaves names in the RDATA of newer types whole (RFC 3597 §4)", () => {
  const rdata = Uint8Array.of(0, 1, 0, 2, 0, 53, ...name("example.org."));
  const out = writer();
  out.record(SECTION.ANSWER, { owner: name("example.org."), type: TYPE.SRV, ttl: 1, rdata });
  assertEquals(out.finish().slice(-rdata.length), rdata);
});

Deno.test("MessageWriter rolls back to the last whole RRset at its maximum", () => {
  const out = writer();
  const many = Array.from({ length: 40 }, (_, i) => a(`host${i}.example.org.`, i));
  assert(out.records(SECTION.ANSWER, many.slice(0, 10)));
  const octets = out.octets;
  assertEquals(out.records(SECTION.ANSWER, many), false);
  assertEquals(out.octets, octets);
  assert(out.record(SECTION.ANSWER, a("host39.example.org."))); // the table rolled back too
  const message = out.finish();
  assert(message.length <= 512);
  assertEquals(decode(message).answers?.length, 11);
});

Deno.test("MessageWriter never exceeds its maximum, OPT included", () => {
  for (let max = 40; max < 200; max++) {
    const out = writer(max, { payloadOctets: 1232, dnssecOk: true });
    for (let i = 0; i < 20; i++) out.record(SECTION.ANSWER, a(`h${i}.example.org.`));
    const message = out.finish();
    assert(message.length <= max, `${message.length} octets of ${max}`);
    assertEquals(decode(message).additionals?.at(-1)?.type, "OPT");
  }
});

Deno.test("MessageWriter puts the extended RCODE, size and DO into OPT", () => {
  const out = new MessageWriter(512, { payloadOctets: 1232, dnssecOk: true });
  out.header(1, FLAG.QR, RCODE.BADVERS);
  const message = out.finish();
  assertEquals(message[3] & 0xf, 0);
  const opt = decode(message).additionals?.[0] as unknown as Record<string, unknown>;
  assertEquals([opt.extendedRcode, opt.udpPayloadSize, opt.flag_do], [1, 1232, true]);
});

Deno.test("headerOnly echoes ID, opcode, RD and CD, and nothing else", () => {
  assertEquals(
    headerOnly(0xabcd, 0x2000 | FLAG.RD | FLAG.CD | FLAG.TC | FLAG.AD, RCODE.NOTIMP),
    Uint8Array.of(0xab, 0xcd, 0xa1, 0x14, 0, 0, 0, 0, 0, 0, 0, 0),
  );
});
