/** Zones taken from real servers and from PowerDNS' own tables. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { launch } from "../support/dns_server.ts";
import { startFilePrimary } from "../support/file_primaries.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { readPdnsSchema } from "../support/pdns.ts";
import { startPostgres } from "../support/postgres.ts";
import { noteSecret } from "../support/secrets.ts";
import { newSerial } from "../support/setup.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { tempDir } from "../support/tempdir.ts";
import { startZonecast, zonecastCli } from "../support/zonecast.ts";

const ZONE = "example.org";
/** Far ahead of the time: what is published must lie above it all the same. */
const SERIAL = 3_000_000_000;
const TEXT = `@ 3600 IN SOA ns1 hostmaster ${SERIAL} 7200 900 604800 300
@ 3600 IN NS ns1.provider.example.
@ 3600 IN NS ns2.provider.example.
@ 300 IN MX 10 Mail
www 60 IN A 192.0.2.1
*.apps 60 IN AAAA 2001:db8::1
_sip._tcp 300 IN SRV 1 2 5060 sip.provider.example.
txt 300 IN TXT "with; a semicolon" "and \\"quotes\\""
`;

/** zonecast with an empty source; its commands, with their exit code. */
function emptySource(dir: string) {
  const source = `sqlite:${dir}/zones.db`;
  const env = { ZONECAST_SOURCE: source };
  return { source, cli: (args: readonly string[]) => zonecastCli(args, { env }) };
}

function recordsOf(json: string): string[] {
  return JSON.parse(json).records.slice(1)
    .map((r: Record<string, unknown>) => `${r.name} ${r.ttl} ${r.type} ${r.content}`).sort();
}

const EXPECTED = [
  "*.apps.example.org. 60 AAAA 2001:db8::1",
  "_sip._tcp.example.org. 300 SRV 1 2 5060 sip.provider.example.",
  "example.org. 300 MX 10 Mail.example.org.",
  "example.org. 3600 NS ns1.provider.example.",
  "example.org. 3600 NS ns2.provider.example.",
  'txt.example.org. 300 TXT "with; a semicolon" "and \\"quotes\\""',
  "www.example.org. 60 A 192.0.2.1",
];

interopTest("import --from: AXFR from BIND and Knot, and what is published lies above its serial", {
  needs: ["bind", "knot"],
}, async (t) => {
  for (const kind of ["bind", "knot"] as const) {
    await t.step(kind, async () => {
      await using dir = await tempDir();
      const { source, cli } = emptySource(dir.path);
      await using primary = await startFilePrimary(kind, { [`${ZONE}.`]: TEXT });
      const from = `${primary.addr}:${primary.port}`;
      const dry = await cli(["import", ZONE, "--from", from, "--dry-run"]);
      assertEquals([dry.code, dry.stderr], [0, ""]);
      assertStringIncludes(dry.stdout, "+ www.example.org.\t60\tIN\tA\t192.0.2.1\n");
      assertMatch(dry.stdout, /0 records removed, 7 added, SOA changed; .*nothing was changed\n$/);
      const { code, stdout, stderr } = await cli(["import", ZONE, "--from", from]);
      assertEquals([code, stderr], [0, ""]);
      assertStringIncludes(
        stdout,
        `7 records beside the SOA; published serials will lie above ${SERIAL}`,
      );
      const exported = await cli(["export", ZONE, "--from-source", "--json"]);
      // Knot 3.2 gives names in lower case.
      const asSent = (record: string) => kind === "knot" ? record.replace("Mail", "mail") : record;
      assertEquals(recordsOf(exported.stdout), EXPECTED.map(asSent));
      await using secondary = startFakeSecondary();
      await using zonecast = await startZonecast({ source, secondaries: [secondary] });
      assertEquals(await newSerial(zonecast, `${ZONE}.`, undefined), SERIAL + 1);
    });
  }
});

interopTest("import --from: signed by BIND; without the key refused, with another not believed", {
  needs: ["bind"],
}, async (t) => {
  await using dir = await tempDir();
  const { cli } = emptySource(dir.path);
  const make = async (file: string, name: string) => {
    const { code, stderr } = await cli(["keygen", name, "--out", `${dir.path}/${file}`, "--json"]);
    assertEquals([code, stderr], [0, ""]);
    const text = await Deno.readTextFile(`${dir.path}/${file}`);
    noteSecret(/secret "([^"]+)"/.exec(text)![1]);
    return text;
  };
  const statement = await make("move.key", "move");
  await make("other.key", "move");
  await using bind = await launch({
    name: "bind",
    program: "named",
    async configure({ dir, addr, port }) {
      await Deno.writeTextFile(`${dir}/zone`, `$ORIGIN ${ZONE}.\n${TEXT}`);
      await Deno.writeTextFile(
        `${dir}/named.conf`,
        `${statement}
options { directory "${dir}"; pid-file none; session-keyfile "${dir}/session.key";
  listen-on port ${port} { ${addr}; }; listen-on-v6 { none; }; recursion no;
  dnssec-validation no; empty-zones-enable no; notify no; };
controls { };
zone "${ZONE}" { type primary; file "zone"; check-integrity no; allow-transfer { key "move"; }; };
`,
      );
      return ["-g", "-c", `${dir}/named.conf`];
    },
  });
  const from = `${bind.addr}:${bind.port}`;
  const with_ = (
    key: string,
  ) => ["import", ZONE, "--from", `${from},key=move`, "--tsig-key-file", `${dir.path}/${key}`];

  await t.step("with the key", async () => {
    const { code, stdout, stderr } = await cli([...with_("move.key"), "--json"]);
    assertEquals([code, stderr], [0, ""]);
    const { written, records, serial, provider, notes } = JSON.parse(stdout);
    assertEquals([written, records, serial, provider, notes], [true, 7, SERIAL, null, []]);
  });
  await t.step("without", async () => {
    const { code, stderr } = await cli(["import", ZONE, "--from", from]);
    assertEquals(code, 1);
    assertMatch(stderr, /answers REFUSED to the transfer .*\n {2}hint: let this machine's address/);
  });
  await t.step("with another secret", async () => {
    const { code, stderr } = await cli(with_("other.key"));
    assertEquals(code, 1);
    assertMatch(stderr, /is not believed: it says BADSIG/);
  });
  await t.step("a key that is in no file", async () => {
    const { code, stderr } = await cli(["import", ZONE, "--from", `${from},key=gone`]);
    assertEquals(code, 2);
    assertMatch(stderr, /There is no TSIG key gone\.; name its file with --tsig-key-file/);
  });
  await t.step("nothing listens", async () => {
    const { code, stderr } = await cli(["import", ZONE, "--from", "127.0.0.1:1"]);
    assertEquals(code, 1);
    assertMatch(stderr, /^zonecast: .*127\.0\.0\.1:1/);
  });
});

const POWERDNS_ROWS = `insert into domains (id, name, type) values (7, 'Example.org', 'NATIVE');
insert into records (domain_id, name, type, content, ttl, prio, disabled) values
  (7, 'example.org', 'SOA', 'ns1.example.org hostmaster@example.org ${SERIAL} 7200 900 604800 300', 3600, 0, false),
  (7, 'example.org', 'NS', 'ns1.provider.example', 3600, 0, false),
  (7, 'example.org', 'NS', 'ns2.provider.example', 3600, null, false),
  (7, 'example.org', 'MX', 'Mail.example.org', 300, 10, false),
  (7, 'www.example.org', 'A', '192.0.2.1', 60, null, false),
  (7, 'off.example.org', 'A', '192.0.2.9', 60, null, true),
  (7, '*.apps.example.org', 'AAAA', '2001:db8::1', 60, null, false),
  (7, '_tcp.example.org', null, null, null, null, false),
  (7, '_sip._tcp.example.org', 'SRV', '2 5060 sip.provider.example', 300, 1, false),
  (7, 'txt.example.org', 'TXT', '"with; a semicolon" "and \\"quotes\\""', 300, null, false);`;

interopTest("import --from-powerdns: gpgsql's tables, also in a schema of their own", {
  needs: ["pdns-pgsql"],
}, async (t) => {
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase("powerdns");
  const sql = postgres.connect(url);
  await sql.unsafe(await readPdnsSchema("pgsql")).simple();
  await sql.unsafe(POWERDNS_ROWS.replaceAll("'Example.org'", "'example.org'")).simple();
  await using dir = await tempDir();
  const { cli } = emptySource(dir.path);
  const take = (from: string, ...more: string[]) =>
    cli(["import", ZONE, "--from-powerdns", from, ...more]);

  await t.step("its rows are the zone's records", async () => {
    const { code, stdout, stderr } = await take(url);
    assertEquals([code, stderr], [0, "zonecast: note: 1 row left out: disabled there\n"]);
    assertStringIncludes(
      stdout,
      `7 records beside the SOA; published serials will lie above ${SERIAL}`,
    );
    const exported = await cli(["export", ZONE, "--from-source", "--json"]);
    assertEquals(recordsOf(exported.stdout), EXPECTED);
    const [{ mname, rname }] = JSON.parse((await cli(["zones", "--json"])).stdout);
    assertEquals([mname, rname], ["ns1.example.org.", "hostmaster.example.org."]);
  });
  await t.step("again: nothing would change", async () => {
    const { stdout } = await take(url, "--dry-run");
    assertMatch(stdout, /^would import zone example\.org .*: 0 records removed, 0 added; /);
  });
  await t.step("ALIAS is refused, with what to do", async () => {
    await sql`insert into records (domain_id, name, type, content, ttl)
      values (7, 'alias.example.org', 'ALIAS', 'app.example.net', 60)`;
    const { code, stderr } = await take(url);
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /alias ALIAS: .*\n.*\n {2}hint: write addresses in place of ALIAS and LUA/s,
    );
    await sql`delete from records where type = 'ALIAS'`;
  });
  await t.step("in a schema", async () => {
    await sql.unsafe(
      "create schema pdns; alter table domains set schema pdns; alter table records set schema pdns",
    ).simple();
    const gone = await take(url);
    assertEquals(gone.code, 1);
    assertMatch(
      gone.stderr,
      /There are no tables domains and records .*\n {2}hint: .*\?schema=NAME/,
    );
    const { code } = await take(`${url}?schema=pdns`, "--dry-run");
    assertEquals(code, 0);
  });
  await t.step("another zone", async () => {
    const from = ["--from-powerdns", `${url}?schema=pdns`];
    const { code, stderr } = await cli(["import", "example.net", ...from]);
    assertEquals(code, 1);
    assertMatch(stderr, /There is no zone "example\.net" in the PowerDNS database/);
  });
});

systemTest("import --from-powerdns: a file of gsqlite3", async () => {
  await using dir = await tempDir();
  const { cli } = emptySource(dir.path);
  const path = `${dir.path}/pdns.sqlite3`;
  const db = new DatabaseSync(path);
  db.exec(
    `create table domains (id integer primary key, name varchar(255) collate nocase, type varchar(8));
    create table records (id integer primary key, domain_id integer, name varchar(255), type varchar(10),
      content varchar(65535), ttl integer, prio integer, disabled boolean default 0)`,
  );
  db.exec(POWERDNS_ROWS);
  db.close();
  const { code, stderr } = await cli(["import", ZONE, "--from-powerdns", `sqlite:${path}`]);
  assertEquals([code, stderr], [0, "zonecast: note: 1 row left out: disabled there\n"]);
  const exported = await cli(["export", ZONE, "--from-source", "--json"]);
  assertEquals(recordsOf(exported.stdout), EXPECTED);
  const placeholder =
    "a.misconfigured.dns.server.invalid hostmaster.example.org 0 10800 3600 3600 9";
  const changing = new DatabaseSync(path);
  changing.prepare("update records set content = ? where type = 'SOA'").run(placeholder);
  changing.close();
  const warned = await cli(["import", ZONE, "--from-powerdns", `sqlite:${path}`]);
  assertEquals(warned.code, 0);
  assertMatch(
    warned.stderr,
    /note: the SOA names a\.misconfigured\.dns\.server\.invalid\. as primary.* zone set example\.org --mname/,
  );
  const gone = await cli(["import", ZONE, "--from-powerdns", `sqlite:${path}.gone`]);
  assertEquals(gone.code, 1);
  assertMatch(gone.stderr, /Cannot read the PowerDNS database .*gone/);
  assert(!await Deno.stat(`${path}.gone`).then(() => true, () => false), "a file was made");
});
