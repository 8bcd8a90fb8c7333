import { assertEquals, assertThrows } from "@std/assert";
import {
  type ClientHello,
  HelloError,
  MAX_HELLO_OCTETS,
  readClientHello,
} from "../../../lib/server/client_hello.ts";

const text = (value: string) => [...new TextEncoder().encode(value)];
const vector = (lengthOctets: 1 | 2, content: number[]) =>
  lengthOctets === 1
    ? [content.length, ...content]
    : [content.length >> 8, content.length & 0xff, ...content];
const extension = (type: number, content: number[]) => [0, type, ...vector(2, content)];

const VERSIONS = extension(43, vector(1, [0x7a, 0x7a, 3, 4, 3, 3]));
const DOT_AND_H2 = extension(16, vector(2, [...vector(1, text("dot")), ...vector(1, text("h2"))]));

function hello(extensions: number[] | undefined): number[] {
  const body = [3, 3, ...Array(32).fill(7), ...vector(1, Array(32).fill(9))];
  body.push(...vector(2, [0x13, 1, 0x13, 2]), ...vector(1, [0]));
  if (extensions) body.push(...vector(2, extensions));
  return [1, 0, body.length >> 8, body.length & 0xff, ...body];
}

/** In records of so many octets. */
function records(handshake: number[], octets = 16_000): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < handshake.length; at += octets) {
    out.push(22, 3, 1, ...vector(2, handshake.slice(at, at + octets)));
  }
  return Uint8Array.from(out);
}

Deno.test("a ClientHello is read, in one record or in several, once it is whole", () => {
  const expected: ClientHello = { versions: [0x7a7a, 0x0304, 0x0303], protocols: ["dot", "h2"] };
  const handshake = hello([...extension(0, [0, 0]), ...VERSIONS, ...DOT_AND_H2]);
  for (const octets of [1, 50, 16_000]) {
    const message = records(handshake, octets);
    assertEquals(readClientHello(message), expected);
    for (let length = 0; length < message.length; length++) {
      assertEquals(readClientHello(message.subarray(0, length)), undefined, `${length} octets`);
    }
  }
});

Deno.test("a ClientHello of TLS 1.2 offers no versions and no protocols", () => {
  const nothing: ClientHello = { versions: [], protocols: [] };
  assertEquals(readClientHello(records(hello(undefined))), nothing);
  assertEquals(readClientHello(records(hello([]))), nothing);
});

Deno.test("what is no ClientHello is refused at its first octets", () => {
  for (const start of ["GET / HTTP/1.1\r\n", "\x00\x1d\x12\x34", "\x16\x02", "\x80\x2e"]) {
    const octets = Uint8Array.from(text(start.padEnd(8, "\x00")));
    assertThrows(() => readClientHello(octets), HelloError);
  }
  assertThrows(() => readClientHello(records([2, 0, 0, 1, 0])), HelloError, "not a ClientHello");
  const long = records([1, 0, 0x7f, 0xff]);
  assertThrows(() => readClientHello(long), HelloError, "too long");
});

Deno.test("a ClientHello cut or with wrong lengths is refused, and never read beyond its end", () => {
  const handshake = hello([...VERSIONS, ...DOT_AND_H2]);
  for (let length = 5; length < handshake.length; length++) {
    const cut = handshake.slice(0, length);
    [cut[2], cut[3]] = [(length - 4) >> 8, (length - 4) & 0xff];
    const isWithoutExtensions = length === 4 + 2 + 32 + 33 + 6 + 2;
    if (isWithoutExtensions) continue;
    assertThrows(() => readClientHello(records(cut)), HelloError);
  }
  for (let at = 0; at < handshake.length; at++) {
    for (const value of [0, 0xff, handshake[at] ^ 1]) {
      const changed = [...handshake];
      changed[at] = value;
      try {
        readClientHello(records(changed));
      } catch (error) {
        if (!(error instanceof HelloError)) throw error;
      }
    }
  }
  assertEquals(records(handshake).length < MAX_HELLO_OCTETS, true);
});
