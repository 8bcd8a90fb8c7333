/** The README's recipes for waiting until a change is live, run as they stand there. */
import { assertEquals, assertMatch } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { readPdnsSchema } from "../support/pdns.ts";
import { startPostgres } from "../support/postgres.ts";
import { spawn } from "../support/processes.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { served, untilServed } from "../support/served.ts";
import { mustZonecast, serveZones, sourceDatabase } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { SERVICES_TABLE, SERVICES_VIEW } from "../unit/source/services_view.ts";

const README = Deno.readTextFileSync(new URL("../../README.md", import.meta.url));
const ZONE = "example.org.";
const APPS = "apps.example.com.";

/** The README's code block of a language that holds a text. */
function block(language: string, text: string): string {
  for (const [, code] of README.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))) {
    if (code.includes(text)) return code;
  }
  throw new Error(`The README has no ${language} block with "${text}"`);
}

/** Gives a role the rights to serve as the README says. */
async function grantTo(url: string, role: string): Promise<void> {
  const [, flag] = /`zonecast schema apply (--role) zonecast`/.exec(README) ?? [];
  await mustZonecast(url, ["schema", "apply", flag, role]);
}

interopTest(
  "README: PowerDNS' tables served as they are",
  { needs: ["psql", "pdns-pgsql"] },
  async (t) => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase("powerdns");
    const sql = postgres.connect(url);
    await sql.unsafe(await readPdnsSchema("pgsql")).simple();
    await sql.unsafe(`insert into domains (name, type) values ('example.org', 'NATIVE');
      insert into records (domain_id, name, type, content, ttl, prio) values
        (1, 'example.org', 'SOA', 'ns1.example.org hostmaster.example.org 3000000000', 60, 0),
        (1, 'example.org', 'NS', 'ns1.example.org', 60, 0),
        (1, 'example.org', 'MX', 'mail.example.org', 60, 10),
        (1, 'www.example.org', 'A', '192.0.2.1', 60, 0)`).simple();
    await mustZonecast(url, ["schema", "apply"]);
    const [call] = /select zonecast\.serve_powerdns\(\)/.exec(README) ?? [];
    await sql.unsafe(call!);
    await grantTo(url, "serving_powerdns");
    await using zonecast = await serveZones({
      source: url.replace("postgres@", "serving_powerdns@"),
      zones: [ZONE],
    });
    const www = `www.${ZONE}`;

    await t.step("with the serial above PowerDNS'", async () => {
      assertEquals(await served(zonecast, www, "A"), ["192.0.2.1"]);
      assertEquals(await zonecast.serial(ZONE), 3000000001);
    });

    await t.step("a change by PowerDNS is followed", async () => {
      await sql`update records set content = '192.0.2.2' where name = 'www.example.org'`;
      await untilServed(zonecast, www, "A", ["192.0.2.2"]);
    });

    await t.step("zones lists it; set and rollback leave it to PowerDNS", async () => {
      assertMatch(await mustZonecast(url, ["zones"]), /^example\.org +3 /m);
      const serial = String(await zonecast.serial(ZONE));
      for (
        const args of [["set", ZONE, "x", "A", "192.0.2.1"], ["rollback", ZONE, serial, "--yes"]]
      ) {
        const { code, stderr } = await zonecast.cli([...args, "--source", url]);
        assertEquals(code, 1);
        assertMatch(stderr, /it lives in PowerDNS' tables/);
      }
    });

    await t.step("export and import move it over", async () => {
      const [line] = /zonecast export ZONE --from-source \| zonecast import ZONE -/.exec(README) ??
        [];
      const [from, to] = line!.replaceAll("ZONE", ZONE).replaceAll("zonecast ", "").split(" | ");
      const text = await mustZonecast(url, from.split(" "));
      await mustZonecast(url, to.split(" "), text);
      await mustZonecast(url, ["set", ZONE, "www", "A", "192.0.2.3"]);
      await untilServed(zonecast, www, "A", ["192.0.2.2", "192.0.2.3"]);
    });
  },
);

interopTest(
  "README: grants, an application that waits, an ACME hook",
  { needs: ["psql"] },
  async (t) => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [ZONE]);
    await grantTo(url, "serving");
    await using secondary = startFakeSecondary();
    await using zonecast = await serveZones({
      source: url.replace("postgres@", "serving@"),
      zones: [ZONE],
      secondaries: [secondary],
    });
    // It takes each version at once, as a secondary does.
    let seen = 0;
    const following = setInterval(() => {
      for (const { zone, serial } of secondary.notifies.slice(seen)) {
        if (serial !== undefined) secondary.serials.set(zone, serial);
        seen++;
      }
    }, 5);
    try {
      await using dir = await tempDir();
      /** Runs a script of the README's. */
      const run = async (code: string, env: Record<string, string> = {}) => {
        const script = await dir.write("script", code);
        const process = spawn("/bin/sh", ["-e", script], {
          name: "script",
          env: { ZONECAST_DATABASE: url, ...env },
        });
        const { code: exit } = await process.ended;
        assertEquals(exit, 0, process.log());
        return process.log();
      };

      await t.step("the ACME hook ends when the challenge is live", async () => {
        const env = { CERTBOT_DOMAIN: "www.example.org", CERTBOT_VALIDATION: "to-ken_1" };
        await run(block("sh", "CERTBOT_VALIDATION"), env);
        const name = "_acme-challenge.www.example.org";
        assertEquals(await served(zonecast, name, "TXT"), ["to-ken_1"]);
      });

      await t.step("wait_live says of a transaction that it is live", async () => {
        await sql.unsafe(SERVICES_TABLE + SERVICES_VIEW);
        await grantTo(url, "serving");
        const [change, wait] = block("sql", "zonecast.wait_live('apps").split(
          "select * from zonecast.wait_live",
        );
        const xid = /^\d+$/m.exec(
          await run(`psql -qAtX -d "$ZONECAST_DATABASE" <<'SQL'\n${change}\nSQL\n`),
        );
        const asked = `select state, live, "of", reason from zonecast.wait_live${wait}`
          .replace("'4711'", `'${xid?.[0]}'`);
        const answer = await run(`psql -qAtX -d "$ZONECAST_DATABASE" <<'SQL'\n${asked}\nSQL\n`);
        assertEquals(answer, "live|1|1|\n");
      });

      await t.step("by serial, and inside the transaction an error that says why not", async () => {
        const serial = await zonecast.serial(APPS);
        const [byserial] = /wait_live\('example\.org', \d+::bigint\)/.exec(README) ?? [];
        const call = byserial!.replace("example.org", "apps.example.com").replace(
          /\d+/,
          String(serial),
        );
        const [row] = await sql.unsafe(`select state from zonecast.${call}`);
        assertEquals(row.state, "live");
        const inside = await sql.begin((tx) =>
          tx.unsafe(`select zonecast.wait_live('apps.example.com', pg_current_xact_id())`)
        ).catch((error: Error) => error);
        assertMatch(String(inside), /inside the transaction it is to wait for/);
      });
    } finally {
      clearInterval(following);
    }
  },
);
