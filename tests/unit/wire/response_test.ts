/** Responses read whole and within bounds. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseName, TYPE, ZonecastError } from "../../../lib/dns/mod.ts";
import {
  FLAG,
  isAuthoritative,
  isTruncated,
  MessageWriter,
  readResponse,
  SECTION,
  signMessage,
  TSIG_ALGORITHMS,
  tsigKey,
  WireError,
} from "../../../lib/wire/mod.ts";
import { recordOf } from "../../support/zone_version.ts";

const APEX = parseName("example.org.");

function response(flags = FLAG.QR | FLAG.AA, rcode = 0): Uint8Array {
  const writer = new MessageWriter(1232, { payloadOctets: 1232, dnssecOk: false });
  writer.header(7, flags, rcode);
  writer.question({ name: APEX, type: TYPE.MX, class: 1 });
  writer.record(SECTION.ANSWER, recordOf("@ 300 MX 10 mail", APEX));
  writer.record(SECTION.AUTHORITY, recordOf("@ 600 NS ns1", APEX));
  writer.record(SECTION.ADDITIONAL, recordOf("mail 60 A 192.0.2.1", APEX));
  return writer.finish();
}

Deno.test("readResponse: all sections, names expanded, OPT and TSIG left out of the records", () => {
  const key = tsigKey(parseName("k."), TSIG_ALGORITHMS[0], new Uint8Array(32));
  const { message } = signMessage(response(), key, { nowSeconds: 1_800_000_000 });
  const read = readResponse(message);
  assert(read);
  assertEquals(read.answer, [recordOf("@ 300 MX 10 mail", APEX)]);
  assertEquals(read.authority, [recordOf("@ 600 NS ns1", APEX)]);
  assertEquals(read.additional, [recordOf("mail 60 A 192.0.2.1", APEX)]);
  assertEquals([read.id, read.rcode, read.question?.type], [7, 0, TYPE.MX]);
  assertEquals([isAuthoritative(read), isTruncated(read)], [true, false]);
  assertEquals(read.tsig?.keyName, parseName("k."));
});

Deno.test("readResponse: the RCODE's upper bits come from the OPT record", () => {
  assertEquals(readResponse(response(FLAG.QR, 16))?.rcode, 16);
});

Deno.test("readResponse: a request, or less than a header, is no response", () => {
  assertEquals(readResponse(response(0)), undefined);
  assertEquals(readResponse(response().subarray(0, 11)), undefined);
});

Deno.test("readResponse: cut anywhere it is an error, never another one's octets", () => {
  const whole = response();
  for (let length = 12; length < whole.length; length++) {
    assertThrows(() => readResponse(whole.subarray(0, length)), ZonecastError);
  }
});

Deno.test("readResponse: counts that no message has are refused before any loop", () => {
  const message = response();
  message.fill(0xff, 4, 12);
  assertThrows(() => readResponse(message), WireError, "promise more");
});
