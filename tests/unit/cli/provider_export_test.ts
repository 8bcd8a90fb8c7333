/** Zone files in the form that providers export them: the text is our own, the form is theirs. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { expandGenerate } from "../../../lib/cli/import/generate.ts";
import { makeSite, type Site } from "./served.ts";

const CLOUDFLARE = `;;
;; Domain:     example.org.
;; Exported:   2026-11-02 09:30:00
;;
;; This file is intended for use for informational and archival
;; purposes ONLY and MUST be edited before use on a production
;; DNS server.
;;
;; SOA Record
example.org	3600	IN	SOA	ada.ns.cloudflare.com. dns.cloudflare.com. 4052000001 10000 2400 604800 3600

;; NS Records
example.org.	86400	IN	NS	ada.ns.cloudflare.com.
example.org.	86400	IN	NS	bob.ns.cloudflare.com.

;; A Records
example.org.	1	IN	A	192.0.2.1 ; cf_tags=cf-proxied:true
www.example.org.	1	IN	A	192.0.2.1 ; web shop cf_tags=cf-proxied:true,owner:web
direct.example.org.	600	IN	A	192.0.2.2 ; cf_tags=cf-proxied:false

;; MX Records
example.org.	1	IN	MX	10 mail.example.net.

;; TXT Records
example.org.	1	IN	TXT	"v=spf1 include:example.net -all"
k1._domainkey.example.org.	1	IN	TXT	"${"k".repeat(250)}" "${"l".repeat(60)}"
semicolon.example.org.	1	IN	TXT	"v=DKIM1; k=rsa; cf-proxied:true"
`;

const HETZNER = `$ORIGIN example.org.
$TTL 86400
; SOA Records
@		IN	SOA	hydrogen.ns.hetzner.com. dns.hetzner.com. 2026110201 86400 10800 3600000 3600
; NS Records
@		IN	NS	helium.ns.hetzner.de.
@		IN	NS	hydrogen.ns.hetzner.com.
; A Records
@		IN	A	192.0.2.1
www	600	IN	A	192.0.2.1
; MX Records
@		IN	MX	10 mail
; TXT Records
dkim._domainkey		IN	TXT	"v=DKIM1; p=${"A".repeat(380)}"
; CNAME Records
shop		IN	CNAME	www
`;

const BIND = `$ORIGIN .
$TTL 3600	; 1 hour
example.org		IN SOA	ns1.example.org. hostmaster.example.org. (
				2026110201 ; serial
				3600       ; refresh (1 hour)
				900        ; retry (15 minutes)
				1W         ; expire (1 week)
				300        ; minimum (5 minutes)
				)
			NS	ns1.example.org.
$ORIGIN example.org.
$TTL 600	; 10 minutes
ns1			A	192.0.2.53
$GENERATE 1-3 host-$ A 192.0.2.$ ; three of them
$GENERATE 0-4/2 \${1,3,d}.pool CNAME host-\${1}.example.org.
signed	3600 RRSIG A 13 3 3600 20260101000000 20251201000000 1 example.org. AAAA
`;

async function imported(site: Site, text: string, ...flags: string[]) {
  const { code, out, err } = await site.run(["import", "example.org", "-", ...flags], text);
  return { code, out, err };
}

/** The source's records, as export prints them, blanks made one. */
async function records(site: Site): Promise<string[]> {
  const text = await site.must("export", "example.org", "--from-source", "--json");
  const { records } = JSON.parse(text);
  const lines = records.map((r: Record<string, unknown>) =>
    `${r.name} ${r.ttl} ${r.type} ${r.content}`
  );
  return [lines[0], ...lines.slice(1).sort()];
}

Deno.test("import: Cloudflare's export, with its automatic TTLs, proxied addresses and odd SOA", async () => {
  await using site = await makeSite();
  const { code, out, err } = await imported(site, CLOUDFLARE);
  assertEquals(code, 0, err);
  assertStringIncludes(
    out,
    "imported zone example.org: 9 records beside the SOA; published serials will lie above 4052000001",
  );
  const all = await records(site);
  assertMatch(all[0], /^example\.org\. 3600 SOA ada\.ns\.cloudflare\.com\. .* 4052000001 10000 /);
  for (
    const record of [
      "example.org. 300 A 192.0.2.1",
      "www.example.org. 300 A 192.0.2.1",
      "direct.example.org. 600 A 192.0.2.2",
      "example.org. 86400 NS ada.ns.cloudflare.com.",
      `semicolon.example.org. 300 TXT "v=DKIM1; k=rsa; cf-proxied:true"`,
    ]
  ) assert(all.includes(record), record);
  assertStringIncludes(err, "note: 2 records went through Cloudflare's proxy");
  assertStringIncludes(err, "note: 6 records with an automatic TTL: taken as 300 s");
  assertStringIncludes(err, "note: 1 owner without a last dot: taken as absolute");
  assertStringIncludes(err, "note: the serial 4052000001 lies ahead of the time");
});

Deno.test("import: with name servers of the new secondaries in place of the provider's", async () => {
  await using site = await makeSite();
  const flags = ["--ns", "ns1.provider.example.", "--ns", "ns2"];
  assertEquals((await imported(site, CLOUDFLARE, ...flags)).code, 0);
  const ns = (await records(site)).filter((record) => / NS /.test(record));
  assertEquals(ns, [
    "example.org. 3600 NS ns1.provider.example.",
    "example.org. 3600 NS ns2.example.org.",
  ]);
});

Deno.test("import: a CNAME at the apex, which Cloudflare flattens, is refused with what to do", async () => {
  await using site = await makeSite();
  const text = CLOUDFLARE.replace(
    "example.org.	1	IN	A	192.0.2.1 ; cf",
    "example.org.	1	IN	CNAME	app.example.net. ; cf",
  );
  const { code, err } = await imported(site, text);
  assertEquals(code, 1);
  assertMatch(err, /hint: Cloudflare answers a CNAME at the apex with addresses: write those/);
});

Deno.test("import: Hetzner's export, with relative targets and text too long for one string", async () => {
  await using site = await makeSite();
  const { code, out, err } = await imported(site, HETZNER, "--json");
  assertEquals(code, 0, err);
  const { provider, serial, notes } = JSON.parse(out);
  assertEquals([provider, serial], ["Hetzner", 2026110201]);
  assertMatch(notes[0], /^1 text of more than 255 octets in one string/);
  const all = await records(site);
  for (
    const record of [
      "example.org. 86400 MX 10 mail.example.org.",
      "www.example.org. 600 A 192.0.2.1",
      "shop.example.org. 86400 CNAME www.example.org.",
      `dkim._domainkey.example.org. 86400 TXT "v=DKIM1; p=${"A".repeat(244)}" "${"A".repeat(136)}"`,
    ]
  ) assert(all.includes(record), record);
});

Deno.test("import: a zone of BIND's, with $GENERATE, TTL units, and signatures left out on request", async () => {
  await using site = await makeSite();
  const signed = await imported(site, BIND);
  assertEquals(signed.code, 0, signed.err);
  assertMatch(signed.err, /note: 1 record of a signed zone: nobody renews signatures here/);
  assertEquals((await imported(site, BIND, "--without-dnssec")).err, "");
  assertEquals((await records(site)).slice(1), [
    "001.pool.example.org. 600 CNAME host-1.example.org.",
    "003.pool.example.org. 600 CNAME host-3.example.org.",
    "005.pool.example.org. 600 CNAME host-5.example.org.",
    "example.org. 3600 NS ns1.example.org.",
    "host-1.example.org. 600 A 192.0.2.1",
    "host-2.example.org. 600 A 192.0.2.2",
    "host-3.example.org. 600 A 192.0.2.3",
    "ns1.example.org. 600 A 192.0.2.53",
  ]);
});

Deno.test("import --dry-run: shows what would change, and changes nothing", async () => {
  await using site = await makeSite();
  const fresh = await imported(site, HETZNER, "--dry-run");
  assertEquals(fresh.code, 0);
  assertStringIncludes(fresh.out, "+ www.example.org.\t600\tIN\tA\t192.0.2.1\n");
  assertMatch(
    fresh.out,
    /would import zone example\.org from standard input: 0 records removed, 7 added, SOA changed; published serials will lie above 2026110201; nothing was changed\n$/,
  );
  assertMatch((await site.run(["zones"])).err, /^zonecast: There is no file /);

  await imported(site, HETZNER);
  const changed = HETZNER.replace("192.0.2.1\n; MX", "192.0.2.9\n; MX").replace(
    "86400 10800",
    "7200 10800",
  );
  const { out } = await imported(site, changed, "--dry-run");
  assertEquals(
    out.split("\n").filter((line) => /^[-+]/.test(line)).map((line) => line.replaceAll("\t", " ")),
    [
      "- example.org. 86400 IN SOA hydrogen.ns.hetzner.com. dns.hetzner.com. 2026110201 86400 10800 3600000 3600",
      "+ example.org. 86400 IN SOA hydrogen.ns.hetzner.com. dns.hetzner.com. 2026110201 7200 10800 3600000 3600",
      "- www.example.org. 600 IN A 192.0.2.1",
      "+ www.example.org. 600 IN A 192.0.2.9",
    ],
  );
  const json = JSON.parse((await imported(site, changed, "--dry-run", "--json")).out);
  assertEquals([json.written, json.soa, json.removed.length, json.added.length], [
    false,
    true,
    1,
    1,
  ]);
  assertStringIncludes(await site.must("export", "example.org", "--from-source"), "192.0.2.1");
  assertEquals((await imported(site, HETZNER, "--dry-run", "--json")).code, 0);
});

Deno.test("import: exactly one place to take the zone from", async () => {
  await using site = await makeSite();
  const none = await site.run(["import", "example.org"]);
  assertEquals([none.code, none.out], [2, ""]);
  assertMatch(none.err, /FILE is missing; usage: zonecast import ZONE FILE, or --from SERVER/);
  const two = await site.run(["import", "example.org", "-", "--from", "127.0.0.1"]);
  assertEquals(two.code, 2);
  assertMatch(two.err, /exclude each other/);
});

Deno.test("$GENERATE: widths, bases, steps; what cannot be understood is left to be refused", () => {
  const cases: [string, string][] = [
    ["$GENERATE 1-2 h$ A 192.0.2.$", "h1 A 192.0.2.1\nh2 A 192.0.2.2"],
    ["$GENERATE 8-9 ${0,2,o} PTR h", "10 PTR h\n11 PTR h"],
    ['$GENERATE 255-255 ${0,4,X} TXT "$$;x" ; note', '00FF TXT "\\036;x"'],
    ["$GENERATE 18-18 ${0,0,n} PTR h", "2.1 PTR h"],
    ["$GENERATE 1-1 ${-1}x A 192.0.2.1", "0x A 192.0.2.1"],
    ["$GENERATE 1-1 ${-2}x A 192.0.2.1", "$GENERATE 1-1 ${-2}x A 192.0.2.1"],
    ["$GENERATE 3-1 h$ A 192.0.2.$", "$GENERATE 3-1 h$ A 192.0.2.$"],
    ["$GENERATE 1-99999999 h$ A 192.0.2.1", "$GENERATE 1-99999999 h$ A 192.0.2.1"],
  ];
  for (const [line, expected] of cases) assertEquals(expandGenerate(line), expected);
});
