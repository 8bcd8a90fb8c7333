import { assert, assertEquals } from "@std/assert";
import { equalOctets, parseName, TYPE } from "../../../lib/dns/mod.ts";
import { axfrMessages } from "../../../lib/transfer/mod.ts";
import { FLAG, type Query, type ResponseEdns } from "../../../lib/wire/mod.ts";
import { ZoneVersion } from "../../../lib/zone/mod.ts";
import { zoneVersion } from "../../support/zone_version.ts";

function query(id: number, name = "example.org.", type: number = TYPE.AXFR, flags = 0): Query {
  const question = { name: parseName(name), type, class: 1 };
  return { id, flags, question, edns: undefined, tsig: undefined, ixfrSerial: undefined };
}

const octetsOf = (version: ZoneVersion, asked: Query, edns?: ResponseEdns) =>
  Array.from(axfrMessages(version, asked, edns), ({ head }) => head.slice());

Deno.test("an AXFR of a version asked before is as one of a version never asked, whatever is asked", () => {
  const owners = Array.from({ length: 6000 }, (_, i) => `app-${i} 300 A 192.0.2.${i % 256}`);
  const version = zoneVersion("example.org.", 7, owners.join("\n"));
  assert(version.pages.length >= 8);
  const asked: [Query, ResponseEdns?][] = [
    [query(1)],
    [query(2)],
    [query(0xffff)],
    [query(3, "eXample.ORG.")],
    [query(4, "eXample.ORG."), { payloadOctets: 1232, dnssecOk: false }],
    [query(5, "eXample.ORG."), { payloadOctets: 1232, dnssecOk: true }],
    [query(6, "example.org.", TYPE.IXFR)],
    [query(7, "example.org.", TYPE.IXFR, FLAG.RD)],
    [query(8)],
  ];
  for (const [one, edns] of asked) {
    const fresh = new ZoneVersion(version.soa, version.pages);
    const expected = octetsOf(fresh, one, edns);
    const sent = octetsOf(version, one, edns);
    assertEquals(sent.length, expected.length);
    assert(sent.every((head, i) => equalOctets(head, expected[i])), `ID ${one.id}`);
  }
});
