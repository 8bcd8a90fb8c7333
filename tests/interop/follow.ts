/** The scenario every secondary goes through: it follows ten changes to the same zone as ours. */
import { assertSameZone } from "../support/same_zone.ts";
import type { SecondaryKind } from "../support/dns_server.ts";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { newSerial, sourceDatabase } from "../support/setup.ts";
import { CHANGED_ZONE, changes, type LeftOut } from "./changes.ts";

export interface FollowOptions {
  /** Golden records it is not asked to hold; the call says why. Default: none. */
  readonly isLeftOut?: LeftOut;
  /** Whether it keeps the case of names; one that does not may fold it (RFC 4343 §3). Default: no. */
  readonly keepsCase?: boolean;
}

/** Defines the test for one kind of secondary. */
export function followTest(kind: SecondaryKind, options: FollowOptions = {}): void {
  interopTest(`${kind} follows ten changes in Postgres to the same zone, record by record`, {
    needs: [kind, "dig", "compilezone"],
  }, async (t) => {
    const zones = [`${CHANGED_ZONE}.`];
    const [zone] = zones;
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, zones);
    await using servers = await serveFollowed([kind], { source: url, zones });
    const { zonecast, secondaries: [secondary] } = servers;
    let serial = await newSerial(zonecast, zone, undefined);
    await secondary.reaches(zone, serial);

    for (const { what, make } of changes(options.isLeftOut)) {
      const followed = await t.step(what, async () => {
        await make(sql);
        serial = await newSerial(zonecast, zone, serial);
        await secondary.reaches(zone, serial);
        await assertSameZone(zonecast, secondary, zone, options);
      });
      if (!followed) throw new Error(`${kind} did not follow: ${what}`);
    }
  });
}
