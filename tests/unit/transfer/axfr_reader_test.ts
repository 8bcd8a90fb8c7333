/** What an AXFR may look like, and what it may not. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseName, type ResourceRecord, TYPE } from "../../../lib/dns/mod.ts";
import { axfrQuery, AxfrReader, TransferError } from "../../../lib/transfer/mod.ts";
import { parseQuery, type Response } from "../../../lib/wire/mod.ts";
import { recordOf, soaOf } from "../../support/zone_version.ts";

const APEX = parseName("example.org.");
const SOA = soaOf("example.org.", 7);
const A = recordOf("www 300 A 192.0.2.1", APEX);
const NS = recordOf("@ 300 NS ns1", APEX);

function message(answer: readonly ResourceRecord[], more: Partial<Response> = {}): Response {
  const empty = { authority: [], additional: [], tsig: undefined, question: undefined };
  return { id: 1, flags: 0x8400, rcode: 0, answer, ...empty, ...more };
}

function read(...messages: Response[]): { records: ResourceRecord[]; isWhole: boolean } {
  const reader = new AxfrReader(APEX, 1);
  const records = messages.flatMap((each) => reader.take(each));
  return { records, isWhole: reader.isWhole };
}

Deno.test("AxfrReader: records come without the SOA, however they are cut into messages", () => {
  const all = [SOA, NS, A, SOA];
  assertEquals(read(message(all)), { records: [NS, A], isWhole: true });
  for (let at = 1; at < all.length; at++) {
    const parts = [message(all.slice(0, at)), message(all.slice(at))];
    assertEquals(read(...parts), { records: [NS, A], isWhole: true });
  }
  assertEquals(read(...all.map((record) => message([record]))), {
    records: [NS, A],
    isWhole: true,
  });
  assertEquals(read(message([SOA, SOA])), { records: [], isWhole: true });
  assertEquals(read(message([SOA, A])), { records: [A], isWhole: false });
});

Deno.test("AxfrReader: what is no zone is refused, with the reason", async (t) => {
  const newer = soaOf("example.org.", 9);
  const question = { name: APEX, type: TYPE.SOA, class: 1 };
  const table: [string, Response[], string][] = [
    ["an error", [message([], { rcode: 5 })], "answers REFUSED"],
    ["an error later", [message([SOA, A]), message([], { rcode: 2 })], "answers SERVFAIL"],
    ["nothing", [message([])], "it has no records"],
    ["no SOA first", [message([A])], "does not begin with the zone's SOA"],
    ["another zone's SOA", [message([soaOf("example.net.", 7)])], "does not begin"],
    ["another ID", [message([SOA], { id: 2 })], "another ID"],
    ["another opcode", [message([SOA], { flags: 0xa400 })], "another opcode"],
    ["another question", [message([SOA], { question })], "another question"],
    ["differences, as IXFR has them", [message([newer, SOA, A, newer, newer])], "differences"],
    ["a changed zone", [message([SOA, A, newer])], "ends with another"],
    ["an SOA inside", [message([SOA, soaOf("sub.example.org.", 1)])], "has an SOA, too"],
    ["a name outside", [message([SOA, recordOf("a.net. 1 A 192.0.2.1", APEX)])], "lies outside"],
    ["a record behind the end", [message([SOA, A, SOA, A])], "follows the closing SOA"],
    ["a message behind the end", [message([SOA, A, SOA]), message([A])], "follows the closing SOA"],
  ];
  for (const [name, messages, reason] of table) {
    await t.step(name, () => {
      assertThrows(() => read(...messages), TransferError, reason);
    });
  }
});

Deno.test("axfrQuery asks for all of a zone", () => {
  const { id, question } = parseQuery(axfrQuery(77, APEX));
  assertEquals([id, question.name, question.type], [77, APEX, 252]);
});
