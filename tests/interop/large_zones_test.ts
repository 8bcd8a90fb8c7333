/** Zones of 10,000 and of 100,000 records, transferred by every tool and followed by real secondaries. */
import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { serveFollowed } from "../support/followed.ts";
import { interopTest, type Need } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { assertSameLines, assertSameZone, exportLines, serverLines } from "../support/same_zone.ts";
import type { SecondaryKind } from "../support/dns_server.ts";
import { newSerial, sourceDatabase } from "../support/setup.ts";
import type { TransferTool } from "../support/zone_text.ts";

const NAME = "large.example";
const ZONE = `${NAME}.`;
const TOOLS: readonly TransferTool[] = ["dig", "kdig", "drill"];
/** How long a secondary may take to load 100,000 records on a busy machine. */
const LOAD_MS = 60_000;

/** Half as many owners as records: each has an A and, by turns, an AAAA, TXT, MX or second A. */
function fill(sql: postgres.Sql, records: number) {
  return sql`insert into zonecast.records (zone, name, type, content)
    select ${NAME}, 'owner' || n, type, content from generate_series(1, ${records / 2}) as n,
      lateral (values ('A', '10.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256),
        (case n % 4 when 0 then 'AAAA' when 1 then 'TXT' when 2 then 'MX' else 'A' end,
         case n % 4 when 0 then '2001:db8::' || to_hex(n % 65536) when 1 then '"number ' || n || '"'
           when 2 then '10 mail' || n when 3 then '192.0.2.' || n % 256 end)
      ) as record (type, content)`;
}

interface LargeZone {
  readonly records: number;
  readonly kinds: readonly SecondaryKind[];
}

const LARGE_ZONES: readonly LargeZone[] = [
  { records: 10_000, kinds: ["nsd", "knot", "bind", "pdns"] },
  { records: 100_000, kinds: ["nsd", "knot"] },
];

for (const { records, kinds } of LARGE_ZONES) {
  interopTest(`${records} records: transferred by every tool, followed by ${kinds.join(", ")}`, {
    needs: [...kinds, ...TOOLS, "compilezone"] satisfies Need[],
  }, async (t) => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    await fill(sql, records);
    await using servers = await serveFollowed(kinds, { source: url, zones: [ZONE] });
    const { zonecast, secondaries } = servers;
    let serial = await newSerial(zonecast, ZONE, undefined);

    await t.step("every tool's transfer is what zonecast exports", async () => {
      const exported = await exportLines(zonecast, ZONE);
      assertEquals(exported.length, records + 3); // SOA and two NS
      await Promise.all(TOOLS.map(async (tool) => {
        assertSameLines(await serverLines(zonecast, ZONE, tool), exported);
      }));
    });

    const follow = async (makeChange?: Promise<unknown>) => {
      if (makeChange) {
        await makeChange;
        serial = await newSerial(zonecast, ZONE, serial, LOAD_MS);
      }
      await Promise.all(secondaries.map(async (secondary) => {
        await secondary.reaches(ZONE, serial, LOAD_MS);
        await assertSameZone(zonecast, secondary, ZONE);
      }));
    };
    await t.step("each secondary gets it whole", () => follow());
    await t.step(
      "each follows one changed record",
      () =>
        follow(sql`update zonecast.records set content = '192.0.2.255'
        where name = 'owner7' and type = 'A' and content like '10.%'`),
    );
    await t.step(
      "each follows the loss of every tenth owner",
      () => follow(sql`delete from zonecast.records where name like '%0'`),
    );
  });
}
