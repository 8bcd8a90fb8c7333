/** dig, kdig and drill transfer what `zonecast export` prints, record by record. */
import { assert, assertEquals } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { assertSameLines, exportLines, serverLines } from "../support/same_zone.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { recordLines, runTool, transferText, type TransferTool } from "../support/zone_text.ts";
import { CHANGED_ZONE, changes } from "./changes.ts";

const TOOLS: readonly TransferTool[] = ["dig", "kdig", "drill"];
const ZONE = `${CHANGED_ZONE}.`;

/** What kdig (the first) or drill prints as something else, or not at all. dig: see bind_test.ts. */
const MISPRINTED = /^(?:KEY 49152 3 0|CAA 0 issue ""|SVCB .* alpn="?f\\.*)$/;

interopTest("dig, kdig and drill transfer exactly what zonecast exports", {
  needs: ["dig", "kdig", "drill", "compilezone"],
}, async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using zonecast = await serveZones({ source: url, zones: [ZONE] });
  let serial = await newSerial(zonecast, ZONE, undefined);
  for (const { make } of changes((type, content) => MISPRINTED.test(`${type} ${content}`))) {
    await make(sql);
    serial = await newSerial(zonecast, ZONE, serial);
  }
  const exported = await exportLines(zonecast, ZONE);
  assert(exported.length > 590, `${exported.length} records`);

  for (const tool of TOOLS) {
    await t.step(tool, async () => {
      const text = await transferText(tool, zonecast, ZONE);
      const lines = recordLines(text);
      assertEquals(lines.at(0), lines.at(-1), "the transfer begins and ends with the same SOA");
      assertEquals(lines.length, exported.length + 1);
      assertSameLines(await serverLines(zonecast, ZONE, tool), exported);
      assert(/^WwW\.follow\.example\.\s+77\s+IN\s+A\s/m.test(text), "owners keep their case");
    });
  }

  await t.step("each asks for one record over UDP and gets it", async () => {
    for (const tool of TOOLS) {
      const lines = recordLines(await runTool(tool, zonecast, `www.${ZONE}`, "A"));
      assertEquals(lines.sort(), [
        "www.follow.example. 77 A 192.0.2.1",
        "www.follow.example. 77 A 192.0.2.3",
      ]);
    }
  });
});
