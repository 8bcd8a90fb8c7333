/** zonecast's very first start while Postgres is away; what else may happen is in tests/fault. */
import { assertEquals } from "@std/assert";
import { query } from "../support/dns_client.ts";
import { systemTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { serveZones, sourceDatabase } from "../support/setup.ts";
import { untilServed } from "../support/served.ts";

const NAME = "away.example";
const ZONE = `${NAME}.`;

systemTest(
  "started for the first time while Postgres is down, it waits and then serves",
  async () => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${NAME}, 'first', 'A', '192.0.2.1')`;
    await postgres.stop();
    await using zonecast = await serveZones({ source: url, zones: [] });
    assertEquals((await query(zonecast, ZONE, "SOA")).rcode, "REFUSED");
    await postgres.start();
    await untilServed(zonecast, `first.${ZONE}`, "A", ["192.0.2.1"]);
  },
);
