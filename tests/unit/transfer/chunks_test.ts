/** The octets of a whole zone are the same, gathered for one client alone or for many in turns. */
import { assert, assertEquals } from "@std/assert";
import { parseName, TYPE } from "../../../lib/dns/mod.ts";
import { axfrChunks, axfrMessages, BulkRoom, streamChunks } from "../../../lib/transfer/mod.ts";
import { FLAG, type Query } from "../../../lib/wire/mod.ts";
import type { ZoneVersion } from "../../../lib/zone/mod.ts";
import { randomOf } from "../../support/random.ts";
import { zoneVersion } from "../../support/zone_version.ts";

function queryOf(id: number, flags = 0): Query {
  return {
    id,
    flags,
    question: { name: parseName("example.org."), type: TYPE.AXFR, class: 1 },
    edns: undefined,
    tsig: undefined,
    ixfrSerial: undefined,
  };
}

function zoneOf(serial: number, owners: number): ZoneVersion {
  const lines = Array.from(
    { length: owners },
    (_, i) => `App-${i} 300 A 10.${serial}.1.${i % 256}`,
  );
  return zoneVersion("example.org.", serial, ["@ 300 NS ns1", ...lines].join("\n"));
}

const joined = (chunks: Iterable<Uint8Array>) =>
  Array.from(chunks, (chunk) => chunk.toHex()).join("");

/** What {@link streamChunks} makes of it: alone, in a room of its own. */
function alone(version: ZoneVersion, query: Query): { octets: string; messages: number } {
  const count = { messages: 0, octets: 0 };
  const octets = joined(streamChunks(axfrMessages(version, query, undefined), count));
  return { octets, messages: count.messages };
}

Deno.test("axfrChunks: the octets of the messages, counted alike, however large the room", () => {
  const version = zoneOf(1, 12_000);
  assert(version.pages.length > 10);
  const expected = alone(version, queryOf(7, FLAG.RD));
  for (const size of [66_000, 100_000, 262_144, 4_000_000]) {
    const count = { messages: 0, octets: 0 };
    const room = new BulkRoom(size);
    const octets = joined(axfrChunks(version, queryOf(7, FLAG.RD), undefined, count, room));
    assertEquals(octets, expected.octets);
    assertEquals([count.messages, count.octets * 2], [expected.messages, octets.length]);
  }
});

Deno.test("axfrChunks: a room that others use between two chunks, for this version or another or signed", () => {
  const random = randomOf(11);
  const versions = [zoneOf(1, 3_000), zoneOf(2, 3_000)];
  const room = new BulkRoom(66_000);
  const transfers = Array.from({ length: 12 }, (_, i) => {
    const version = versions[i % 3 === 2 ? 1 : 0];
    const query = queryOf(1_000 * i, i % 2 ? FLAG.RD : FLAG.CD);
    const count = { messages: 0, octets: 0 };
    const chunks = i % 6 === 5
      ? streamChunks(axfrMessages(version, query, undefined), count, room)
      : axfrChunks(version, query, undefined, count, room);
    return { chunks, came: [] as string[], expected: alone(version, query).octets };
  });
  // In turns for a while, as they go when all begin together, and then as it happens.
  const left = new Set(transfers);
  for (let turn = 0; left.size > 0; turn++) {
    for (const transfer of left) {
      if (turn > 2 && random() < 0.5) continue;
      const { done, value } = transfer.chunks.next();
      if (done) left.delete(transfer);
      else transfer.came.push(value.toHex());
    }
  }
  for (const { came, expected } of transfers) assert(came.join("") === expected);
});
