import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { formatName, TYPE } from "../../../lib/dns/mod.ts";
import {
  isResponse,
  parseQuery,
  RCODE,
  readHeader,
  readName,
  WireError,
} from "../../../lib/wire/mod.ts";
import { encodeQuery as query } from "../../support/oracle.ts";

const RD = 0x0100;

function octets(...parts: (readonly number[] | Uint8Array | string)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? [part.length, ...new TextEncoder().encode(part)] : [...part]
    ),
  );
}

const header = (qd: number, an = 0, ns = 0, ar = 0, flags = 0) => [
  ...[0x12, 0x34, flags >> 8, flags & 255],
  ...[qd, an, ns, ar].flatMap((count) => [count >> 8, count & 255]),
];

Deno.test("parseQuery reads header and question, and keeps the name's case", () => {
  const read = parseQuery(query());
  assertEquals(read.id, 0x1234);
  assertEquals(read.flags, RD);
  assertEquals(formatName(read.question.name), "Example.ORG.");
  assertEquals([read.question.type, read.question.class], [TYPE.SOA, 1]);
  assertEquals([read.edns, read.tsig, read.ixfrSerial], [undefined, undefined, undefined]);
});

Deno.test("parseQuery reads OPT: version, payload size, DO, options (RFC 6891 §6.1)", () => {
  const read = parseQuery(query({
    additionals: [{
      type: "OPT",
      name: ".",
      udpPayloadSize: 4096,
      flags: 0x8000,
      options: [{ code: 10, data: Buffer.alloc(8) }],
    }],
  }));
  assertEquals(read.edns?.version, 0);
  assertEquals(read.edns?.payloadOctets, 4096);
  assert(read.edns?.dnssecOk);
  assertEquals(read.edns?.options.map((o) => [o.code, o.octets.length]), [[10, 8]]);
});

Deno.test("parseQuery reads the client's serial of an IXFR query (RFC 1995 §3)", () => {
  const read = parseQuery(query({
    questions: [{ type: "IXFR", name: "example.org" }],
    authorities: [{
      type: "SOA",
      name: "example.org",
      data: { mname: "ns.example.org", rname: "x.example.org", serial: 4294967295 },
    }],
  }));
  assertEquals(read.ixfrSerial, 4294967295);
});

Deno.test("a name may lead through as many pointers as it can have labels, and no more", () => {
  // Found by the fuzzer's costly messages: thousands of records, each owner a pointer to the last.
  const chain = (pointers: number) => {
    const name = [1, 0x61, 0];
    for (let i = 0, last = 0; i < pointers; i++) {
      const at = 12 + name.length;
      name.push(0xc0 | 12 + last >> 8, 12 + last & 0xff);
      last = at - 12;
    }
    const message = octets(new Array(12).fill(0), name);
    return readName(message, message.length - 2, message.length);
  };
  assertEquals(chain(1).name, octets([1, 0x61, 0]));
  assertEquals(chain(100).name, octets([1, 0x61, 0]));
  assertThrows(() => chain(128), WireError, "127 pointers");
});

Deno.test("parseQuery follows pointers in records", () => {
  const message = octets(
    header(1, 0, 1),
    "example",
    [0, 0, 251, 0, 1],
    [0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 24],
    [0xc0, 12, 0xc0, 12, 0, 0, 0, 7],
    new Uint8Array(16),
  );
  assertEquals(parseQuery(message).ixfrSerial, 7);
});

const QUESTION = [1, 0x61, 0, 0, 1, 0, 1];

Deno.test("parseQuery finds a TSIG record, last only (RFC 8945 §5.1)", () => {
  const rdata = octets("alg", [0], [0, 0, 0, 0, 0, 9, 1, 44], [0, 2, 7, 7], [0x12, 0x34, 0, 0], [
    0,
    0,
  ]);
  const record = octets("key", [0, 0, 250, 0, 255, 0, 0, 0, 0, 0, rdata.length], rdata);
  const read = parseQuery(octets(header(1, 0, 0, 1), QUESTION, record));
  assertEquals(formatName(read.tsig!.keyName), "key.");
  assertEquals(formatName(read.tsig!.algorithm), "alg.");
  assertEquals([read.tsig!.fudge, read.tsig!.originalId], [300, 0x1234]);
  const a = [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];
  const misplaced = octets(header(1, 0, 0, 2), QUESTION, record, a);
  assertEquals(assertThrows(() => parseQuery(misplaced), WireError).code, "wire-tsig");
  record[14]++; // RDLENGTH no longer what its own lengths say
  const damaged = octets(header(1, 0, 0, 1), QUESTION, record, [0]);
  assertEquals(assertThrows(() => parseQuery(damaged), WireError).code, "wire-tsig");
});

function longName(): Uint8Array {
  const label = [63, ...new Uint8Array(63).fill(0x61)];
  return octets(header(1), label, label, label, label, [0, 0, 1, 0, 1]);
}

const OPT = [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 0];
const BROKEN: readonly [criterion: string, message: Uint8Array, code: string][] = [
  ["shorter than a header", octets([1, 2, 3]), "wire-cut"],
  ["no question", octets(header(0)), "wire-question-count"],
  ["two questions", octets(header(2), QUESTION, QUESTION), "wire-question-count"],
  ["65,535 records promised", octets(header(1, 65535, 65535, 65535), QUESTION), "wire-counts"],
  ["65,535 questions promised", octets(header(65535), QUESTION), "wire-counts"],
  ["a question cut off", octets(header(1), [2, 0x61, 0x61, 0, 0, 1]), "wire-cut"],
  ["a name without end", octets(header(1), [4, 1, 2, 3, 4, 3, 1, 2]), "wire-cut"],
  ["a pointer to itself", octets(header(1), [0xc0, 12, 0, 1, 0, 1]), "wire-pointer"],
  ["a pointer forward", octets(header(1), [0xc0, 20, 0, 1, 0, 1, 0, 0, 0]), "wire-pointer"],
  ["a pointer into the header", octets(header(1), [0xc0, 4, 0, 1, 0, 1]), "wire-pointer"],
  ["a label of unknown kind", octets(header(1), [0x41, 1, 0, 1, 0, 1]), "wire-label"],
  ["a name of 257 octets", longName(), "wire-name-long"],
  [
    "a pointer back into its own labels",
    octets(header(1, 1), QUESTION, [1, 0x62, 0xc0, 19, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]),
    "wire-pointer",
  ],
  ["octets behind the end", octets(header(1), QUESTION, [0]), "wire-trailing"],
  [
    "RDLENGTH past the end",
    octets(header(1, 1), QUESTION, [0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 9]),
    "wire-cut",
  ],
  [
    "an OPT with an owner",
    octets(header(1, 0, 0, 1), QUESTION, [1, 0x61], OPT),
    "wire-opt",
  ],
  ["two OPT", octets(header(1, 0, 0, 2), QUESTION, OPT, OPT), "wire-opt"],
  [
    "an EDNS option cut off",
    octets(header(1, 0, 0, 1), QUESTION, [0, 0, 41, 4, 0, 0, 0, 0, 0, 0, 4, 0, 10, 0, 1]),
    "wire-opt",
  ],
  ["an IXFR query without SOA", octets(header(1), [1, 0x61, 0, 0, 251, 0, 1]), "wire-ixfr-soa"],
];

Deno.test("parseQuery refuses broken messages with FORMERR and the offset", async (t) => {
  for (const [criterion, message, code] of BROKEN) {
    await t.step(criterion, () => {
      const error = assertThrows(() => parseQuery(message), WireError);
      assertEquals(error.code, code);
      assertEquals(error.rcode, RCODE.FORMERR);
      assert(error.offset <= message.length);
    });
  }
});

Deno.test("every cut of a query throws a WireError", () => {
  const whole = query({ additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232 }] });
  for (let length = 0; length < whole.length; length++) {
    assertThrows(() => parseQuery(whole.subarray(0, length)), WireError);
  }
});

Deno.test("readHeader needs 12 octets; isResponse sees QR", () => {
  assertEquals(readHeader(new Uint8Array(11)), undefined);
  assertEquals(isResponse(readHeader(octets(header(0, 0, 0, 0, 0x8000)))!), true);
  assertEquals(isResponse(readHeader(octets(header(0)))!), false);
});
