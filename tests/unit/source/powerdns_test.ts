/** PowerDNS' tables in zonecast's terms. */
import { assertEquals } from "@std/assert";
import { powerdnsName, powerdnsRow, powerdnsZone } from "../../../lib/source/powerdns.ts";
import { normalOwner } from "../../../lib/source/edit_rules.ts";

Deno.test("a record of PowerDNS' becomes one of zonecast's", async (t) => {
  const table: [type: string, content: string, prio: number | null, becomes: string][] = [
    ["A", "192.0.2.1", 0, "192.0.2.1"],
    ["CNAME", "www.example.com", null, "www.example.com."],
    ["CNAME", "www.example.com.", null, "www.example.com."],
    ["NS", "ns1.example.net", 0, "ns1.example.net."],
    ["MX", "mail.example.com", 10, "10 mail.example.com."],
    ["MX", "mail.example.com", null, "0 mail.example.com."],
    ["MX", ".", 0, "0 ."],
    ["SRV", "5 5060 sip.example.com", 10, "10 5 5060 sip.example.com."],
    [
      "NAPTR",
      '100 10 "S" "SIP+D2U" "" _sip._udp.example.com',
      0,
      '100 10 "S" "SIP+D2U" "" _sip._udp.example.com.',
    ],
    ["TXT", '"mail.example.com"', 0, '"mail.example.com"'],
    ["HTTPS", "1 web.example.com alpn=h2", 0, '1 web.example.com. alpn="h2"'],
    ["https", "1 . alpn=h2", 0, '1 . alpn="h2"'],
    ["PTR", "a b c", 0, "a b c"], // no name: a bad row, with its own text
    ["LUA", "A \"ifportup(443, {'192.0.2.1'})\"", 0, "A \"ifportup(443, {'192.0.2.1'})\""],
  ];
  for (const [type, content, prio, becomes] of table) {
    await t.step(`${type} ${content}`, () => {
      const record = { zone: "example.com", name: "a.example.com", type, ttl: 60, content, prio };
      assertEquals(powerdnsRow(record), {
        zone: "example.com",
        name: "a.example.com.",
        type: type.toUpperCase(),
        ttl: 60,
        content: becomes,
        owner: "a.example.com.",
      });
    });
  }
});

Deno.test("a SOA row of PowerDNS' becomes a zone's settings", () => {
  const settings = {
    name: "example.com",
    mname: "ns1.example.com.",
    rname: "hostmaster.example.com.",
    refresh: 1,
    retry: 2,
    expire: 3,
    minimum: 4,
    defaultTtl: 3600,
    soaTtl: 60,
    serialFloor: 2026010203,
  };
  const zone = (content: string | null) => powerdnsZone({ name: "example.com", content, ttl: 60 });
  assertEquals(zone("ns1.example.com hostmaster.example.com 2026010203 1 2 3 4"), settings);
  assertEquals(zone("ns1.example.com. hostmaster@example.com 2026010203 1 2 3 4"), settings);
  const defaults = { refresh: 10800, retry: 3600, expire: 604800, minimum: 3600 };
  const short = { ...settings, ...defaults, serialFloor: null };
  assertEquals(zone("ns1.example.com hostmaster.example.com 0"), short);
  assertEquals(zone("ns1.example.com hostmaster.example.com"), short);
  assertEquals(zone(null).mname, ".");
});

Deno.test("an owner is looked for as PowerDNS spells it", () => {
  for (
    const name of [
      "www.example.com",
      "*.example.com",
      "_sip._udp.example.com",
      "a\\.b.example.com",
      "a\\\\b.example.com",
      "a\\032b.example.com",
      "a;b.example.com",
      "a@b.example.com",
      "0/26.2.0.192.in-addr.arpa",
    ]
  ) assertEquals(powerdnsName(normalOwner(".", `${name}.`)), name);
});
