import { assert, assertEquals, assertThrows } from "@std/assert";
import { frame, FrameReader } from "../../../lib/wire/mod.ts";

const MESSAGES = [
  new Uint8Array(0),
  Uint8Array.of(1),
  Uint8Array.from({ length: 300 }, (_, i) => i),
  Uint8Array.from({ length: 5 }, (_, i) => 0xff - i),
];
const STREAM = Uint8Array.from(MESSAGES.flatMap((message) => [...frame(message)]));

function read(chunks: Iterable<Uint8Array>): Uint8Array[] {
  const reader = new FrameReader();
  const out: Uint8Array[] = [];
  for (const chunk of chunks) for (const message of reader.feed(chunk)) out.push(message.slice());
  assert(!reader.isPartial);
  return out;
}

Deno.test("FrameReader reads a stream fed whole", () => {
  assertEquals(read([STREAM]), MESSAGES);
});

Deno.test("FrameReader reads a stream fed one octet at a time", () => {
  assertEquals(read(Array.from(STREAM, (octet) => Uint8Array.of(octet))), MESSAGES);
});

Deno.test("FrameReader reads a stream split at every octet", () => {
  for (let at = 0; at <= STREAM.length; at++) {
    assertEquals(read([STREAM.subarray(0, at), STREAM.subarray(at)]), MESSAGES);
  }
});

Deno.test("FrameReader reads the longest message, and says when one is begun", () => {
  const longest = new Uint8Array(65535).fill(7);
  const framed = frame(longest);
  const reader = new FrameReader();
  assertEquals([...reader.feed(framed.subarray(0, 40000))], []);
  assert(reader.isPartial);
  assertEquals([...reader.feed(framed.subarray(40000))], [longest]);
  assert(!reader.isPartial);
});

Deno.test("frame refuses what no length can say", () => {
  assertThrows(() => frame(new Uint8Array(65536)), RangeError);
});
