import { assertEquals } from "@std/assert";
import { cookieAge, isCookieLength, makeCookie } from "../../../lib/wire/mod.ts";
import { sipHash24 } from "../../../lib/wire/siphash.ts";

const hex = (text: string) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

Deno.test("sipHash24 gives what its authors' description does (appendix A)", () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const input = Uint8Array.from({ length: 15 }, (_, i) => i);
  assertEquals(sipHash24(key, input), hex("a129ca6149be45e5").reverse());
});

/** RFC 9018, appendix A. */
const VECTORS = [
  {
    what: "A.1: a new one over IPv4",
    secret: "e5e973e5a6b2a43f48e7dc849e37bfcf",
    client: "2464c4abcf10c957",
    ip: "c6336464",
    server: "010000005cf79f111f8130c3eee29480",
    at: 0x5cf79f11,
  },
  {
    what: "A.3: reserved octets are kept",
    secret: "e5e973e5a6b2a43f48e7dc849e37bfcf",
    client: "fc93fc62807ddb86",
    ip: "cb0071cb",
    server: "01abcdef5cf78f71a314227b6679ebf5",
    at: 0x5cf78f71,
  },
  {
    what: "A.4: over IPv6",
    secret: "dd3bdf9344b678b185a6f5cb60fca715",
    client: "22681ab97d52c298",
    ip: "20010db80220000159ded0f4876982b8",
    server: "010000005cf7c57926556bd0934c72f8",
    at: 0x5cf7c579,
  },
];

Deno.test("server cookies are those of RFC 9018", async (t) => {
  for (const { what, secret, client, ip, server, at } of VECTORS) {
    await t.step(what, () => {
      const cookie = hex(client + server);
      assertEquals(cookieAge(hex(secret), cookie, hex(ip), at), 0);
      if (!server.startsWith("01000000")) return;
      assertEquals(makeCookie(hex(secret), hex(client), hex(ip), at), cookie);
    });
  }
});

Deno.test("a server cookie is good for an hour, five minutes ahead, at its address (RFC 9018 §4.3)", () => {
  const { secret, client, ip, server, at } = VECTORS[0];
  const cookie = hex(client + server);
  const age = (now: number, address = ip) => cookieAge(hex(secret), cookie, hex(address), now);
  assertEquals([age(at + 3_600), age(at + 3_601)], [3_600, undefined]);
  assertEquals([age(at - 300), age(at - 301)], [-300, undefined]);
  assertEquals(age(at, "c6336465"), undefined);
  assertEquals(cookieAge(hex(secret), cookie.slice(0, 20), hex(ip), at), undefined);
});

Deno.test("timestamps wrap as serials do (RFC 9018 §4.3)", () => {
  const [secret, ip] = [new Uint8Array(16), new Uint8Array(4)];
  const before = makeCookie(secret, new Uint8Array(8), ip, 2 ** 32 - 10);
  assertEquals(cookieAge(secret, before, ip, 2 ** 32 + 10), 20);
});

Deno.test("a COOKIE option has 8 octets, or 16 to 40 (RFC 7873 §5.2.2)", () => {
  const good = Array.from({ length: 50 }, (_, i) => i).filter(isCookieLength);
  assertEquals(good, [8, ...Array.from({ length: 25 }, (_, i) => 16 + i)]);
});
