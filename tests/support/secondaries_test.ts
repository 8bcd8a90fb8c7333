/** The launchers are proven against each other: Knot is the primary, each server its secondary. */
import { assertEquals } from "@std/assert";
import { axfr } from "./dns_client.ts";
import { startKnotPrimary } from "./knot.ts";
import { freePort } from "./ports.ts";
import { untilServed } from "./served.ts";
import { SECONDARY_KINDS, startSecondary } from "./secondaries.ts";
import { interopTest } from "./interop.ts";
import { canonicalLines, transferLines, transferText, type TransferTool } from "./zone_text.ts";

const ZONE = "launch.example.";

function zoneText(serial: number, address: string): string {
  return `$ORIGIN ${ZONE}
$TTL 300
@ SOA ns1 hostmaster ${serial} 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
www A ${address}
txt TXT "one two" "th;ree"
unknown TYPE65280 \\# 4 0a000001
https HTTPS 1 . alpn=h2
`;
}

for (const kind of SECONDARY_KINDS) {
  interopTest(`${kind} as a secondary follows a NOTIFY, and comes back on its port`, {
    needs: [kind, "knot"],
  }, async () => {
    const port = freePort();
    await using primary = await startKnotPrimary({
      zones: { [ZONE]: zoneText(1, "192.0.2.1") },
      secondaries: [{ addr: "127.0.0.1", port }],
    });
    await using secondary = await startSecondary(kind, { zones: [ZONE], primary, port });
    await secondary.reaches(ZONE, 1);

    await primary.load(ZONE, zoneText(2, "192.0.2.2"));
    await secondary.reaches(ZONE, 2);
    // NSD's process of before the reload may answer once more beside the new one.
    await untilServed(secondary, `www.${ZONE}`, "A", ["192.0.2.2"]);

    await secondary.stop();
    assertEquals(await secondary.serial(ZONE), undefined);
    await secondary.start();
    await secondary.reaches(ZONE, 2);
  });
}

interopTest(
  "dig, kdig and drill transfer the same zone, and the test's own client as many records",
  {
    needs: ["knot", "dig", "kdig", "drill", "compilezone"],
  },
  async () => {
    await using primary = await startKnotPrimary({
      zones: { [ZONE]: zoneText(1, "192.0.2.1") },
      secondaries: [],
    });
    await primary.reaches(ZONE, 1);
    const expected = await canonicalLines(ZONE, zoneText(1, "192.0.2.1"));
    for (const tool of ["dig", "kdig", "drill"] satisfies TransferTool[]) {
      assertEquals(await canonicalLines(ZONE, await transferText(tool, primary, ZONE)), expected);
      assertEquals((await transferLines(tool, primary, ZONE)).length, expected.length);
    }
    const { records, rcode } = await axfr(primary, ZONE);
    assertEquals([rcode, records.length], ["NOERROR", expected.length + 1]);
  },
);
