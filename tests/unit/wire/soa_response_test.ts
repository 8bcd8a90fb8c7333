import { assert, assertEquals } from "@std/assert";
import dnsPacket from "dns-packet";
import { formatName, TYPE } from "../../../lib/dns/mod.ts";
import { RCODE, readSoaResponse } from "../../../lib/wire/mod.ts";

const soa = (serial: number, name = "Example.org") => ({
  type: "SOA",
  name,
  data: { mname: "ns1.example.org", rname: "host.example.org", serial },
});

/** A response as dns-packet writes it; `over` replaces parts, `spoil` changes octets. */
function response(
  over: Record<string, unknown> = {},
  spoil: (message: Uint8Array) => void = () => {},
): Uint8Array {
  const message = new Uint8Array(dnsPacket.encode({
    type: "response",
    id: 0x1234,
    flags: 0x0400,
    questions: [{ type: "SOA", name: "example.ORG" }],
    answers: [soa(4_294_967_295)],
    ...over,
  } as dnsPacket.Packet));
  spoil(message);
  return message;
}

Deno.test("readSoaResponse reads ID, RCODE, question and serial", () => {
  const read = readSoaResponse(response())!;
  assertEquals([read.id, read.rcode, read.serial], [0x1234, RCODE.NOERROR, 4_294_967_295]);
  assertEquals(formatName(read.question!.name), "example.ORG.");
  assertEquals([read.question!.type, read.question!.class], [TYPE.SOA, 1]);
});

Deno.test("readSoaResponse: the first SOA of the name asked for, among other records", () => {
  const cname = { type: "CNAME", name: "example.org", data: "example.net" };
  const answers = [cname, soa(1, "example.net"), soa(2), soa(3)];
  assertEquals(readSoaResponse(response({ answers }))?.serial, 2);
  assertEquals(readSoaResponse(response({ answers: answers.slice(0, 2) }))?.serial, undefined);
  const authority = response({ answers: [], authorities: [soa(9)] });
  assertEquals(readSoaResponse(authority)?.serial, undefined);
});

Deno.test("readSoaResponse: an error, with a question or as a bare header, has no serial", () => {
  const refused = readSoaResponse(response({ answers: [], flags: RCODE.REFUSED }))!;
  assertEquals([refused.rcode, refused.serial], [RCODE.REFUSED, undefined]);
  const bare = readSoaResponse(Uint8Array.of(0x12, 0x34, 0x80, 4, 0, 0, 0, 0, 0, 0, 0, 0))!;
  assertEquals([bare.rcode, bare.question, bare.serial], [RCODE.NOTIMP, undefined, undefined]);
});

Deno.test("readSoaResponse: what follows the answer may be cut off", () => {
  const whole = response();
  const more = Uint8Array.from([...whole, 0xc0]);
  more[9] = 1; // one authority record, of which one octet is there
  assertEquals(readSoaResponse(more)?.serial, 4_294_967_295);
});

Deno.test("readSoaResponse takes no query, no other opcode, nothing broken, cut at any octet", () => {
  assertEquals(readSoaResponse(response({}, (m) => m[2] &= 0x7f)), undefined);
  assertEquals(readSoaResponse(response({}, (m) => m[2] |= 0x20)), undefined);
  assertEquals(readSoaResponse(response({}, (m) => m[5] = 2)), undefined);
  assertEquals(readSoaResponse(response({}, (m) => m[6] = 255)), undefined);
  const whole = response();
  for (let length = 0; length < whole.length; length++) {
    assertEquals(readSoaResponse(whole.subarray(0, length)), undefined, `${length} octets`);
  }
});

Deno.test("readSoaResponse survives any octets", () => {
  const message = response();
  for (let at = 0; at < message.length; at++) {
    for (const octet of [0, 1, 0x3f, 0x40, 0xc0, 0xff]) {
      const read = readSoaResponse(response({}, (m) => m[at] = octet));
      assert(read === undefined || read.id <= 0xffff);
    }
  }
});
