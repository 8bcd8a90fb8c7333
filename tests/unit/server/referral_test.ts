/** Referrals of a signed zone: which of their records bring signatures. */
import { assertEquals } from "@std/assert";
import { Access } from "../../../lib/server/access.ts";
import { respond } from "../../../lib/server/respond.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { comparable } from "../../support/comparable.ts";
import { askMessage, outcome } from "../../support/conformance.ts";
import { versionOfFile } from "../../support/our_primary.ts";

const SIGNATURE = "13 3 300 20380101000000 20260101000000 4711 zone.test. AAAA";
const zones = new ZoneTable();
zones.set(versionOfFile(
  "zone.test.",
  `
@       300 SOA   ns hostmaster 1 7200 3600 1209600 300
@       300 NS    ns
ns      300 A     192.0.2.1
ns      300 RRSIG A ${SIGNATURE}
ns      300 TXT   "not asked for"
ns      300 RRSIG TXT ${SIGNATURE}
cut     300 NS    ns
cut     300 NS    ns.cut
ns.cut  300 A     192.0.2.2
`,
));
const access = new Access({ secondaries: [], allowTransfer: [], allowQuery: undefined });

function additionalOf(flags: number): string[] {
  const ask = askMessage({ name: "x.cut.zone.test.", type: "A", edns: { flags } });
  const client = { ip: "192.0.2.9", transport: "udp" } as const;
  const { message } = respond(ask, client, { zones, access, keepsDifferences: false });
  return outcome(comparable(message!)).additional;
}

Deno.test("with DO, addresses of this zone's own in a referral are signed; glue is not (RFC 4035 §3.1.1)", () => {
  const addresses = ["ns.cut.zone.test. 300 A 192.0.2.2", "ns.zone.test. 300 A 192.0.2.1"];
  assertEquals(additionalOf(0), addresses);
  assertEquals(additionalOf(0x8000), [...addresses, "ns.zone.test. 300 RRSIG A"]);
});
