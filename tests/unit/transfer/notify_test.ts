import { assert, assertEquals } from "@std/assert";
import { formatName, parseName } from "../../../lib/dns/mod.ts";
import {
  answersNotify,
  FAST_TRIES,
  notifyMessage,
  notifyRetryMs,
  notifyVerdict,
  readNotifyReply,
  SLOW_RETRY_MS,
} from "../../../lib/transfer/mod.ts";
import { RCODE } from "../../../lib/wire/mod.ts";
import { decodeMessage } from "../../support/oracle.ts";
import { soaOf } from "../../support/zone_version.ts";

const soa = soaOf("Example.org.", 42);

Deno.test("notifyMessage: opcode 4, AA, the SOA asked for and shown (RFC 1996 §3.7)", () => {
  const octets = notifyMessage(0x1234, soa);
  const message = decodeMessage(octets);
  assertEquals(message.id, 0x1234);
  assertEquals([message.flag_qr, message.flag_aa, octets[2] >> 3 & 0xf], [false, true, 4]);
  assertEquals([message.questions?.[0].name, message.questions?.[0].type], ["Example.org", "SOA"]);
  const answer = message.answers?.[0];
  assertEquals(answer?.type === "SOA" && answer.data.serial, 42);
});

Deno.test("notifyMessage leaves the SOA out where it would pass 512 octets", () => {
  const label = "a".repeat(63);
  const long = parseName(`${label}.${label}.${label}.${"b".repeat(55)}.`);
  const rdata = new Uint8Array([
    ...parseName(`x${label.slice(1)}.`),
    ...long,
    ...new Uint8Array(20),
  ]);
  const message = notifyMessage(1, { ...soa, owner: long, rdata });
  assert(message.length <= 512);
});

function reply(over: (message: Uint8Array) => void = () => {}): Uint8Array {
  const message = notifyMessage(7, soa);
  message[2] |= 0x80;
  over(message);
  return message;
}

Deno.test("readNotifyReply reads ID, RCODE and QNAME", () => {
  const read = readNotifyReply(reply((m) => m[3] = RCODE.REFUSED))!;
  assertEquals([read.id, read.rcode, formatName(read.apex!)], [7, RCODE.REFUSED, "Example.org."]);
});

Deno.test("readNotifyReply takes no query, no other opcode, no broken or short message", () => {
  const broken: [string, Uint8Array][] = [
    ["a query", notifyMessage(7, soa)],
    ["opcode QUERY", reply((m) => m[2] &= 0x87)],
    ["two questions", reply((m) => m[5] = 2)],
    ["a name cut off", reply().subarray(0, 20)],
    ["no header", reply().subarray(0, 11)],
    ["nothing", new Uint8Array(0)],
  ];
  for (const [what, message] of broken) assertEquals(readNotifyReply(message), undefined, what);
});

Deno.test("answersNotify wants the same ID and zone, without case; a bare header only with an error", () => {
  const apex = parseName("example.ORG.");
  assert(answersNotify({ id: 7, rcode: 0, apex }, 7, soa.owner));
  assert(!answersNotify({ id: 8, rcode: 0, apex }, 7, soa.owner));
  assert(!answersNotify({ id: 7, rcode: 0, apex: parseName("example.net.") }, 7, soa.owner));
  assert(!answersNotify({ id: 7, rcode: 0, apex: undefined }, 7, soa.owner));
  assert(answersNotify({ id: 7, rcode: RCODE.NOTIMP, apex: undefined }, 7, soa.owner));
});

Deno.test("notifyVerdict tells done, unsupported, refused and try again apart", () => {
  assertEquals(
    [RCODE.NOERROR, RCODE.NOTIMP, RCODE.SERVFAIL, RCODE.REFUSED, RCODE.NOTAUTH].map(notifyVerdict),
    ["acknowledged", "unsupported", "retry", "refused", "refused"],
  );
});

Deno.test("notifyRetryMs doubles from 1 s to 60 s, then repeats slowly", () => {
  const waits = Array.from({ length: FAST_TRIES + 2 }, (_, i) => notifyRetryMs(i + 1));
  assertEquals(waits.slice(0, 8), [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]);
  assertEquals(waits.slice(FAST_TRIES - 1), [SLOW_RETRY_MS, SLOW_RETRY_MS, SLOW_RETRY_MS]);
});
