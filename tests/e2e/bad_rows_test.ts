/** Rows and zones that cannot be served: each is told of with its row, the rest is served. */
import { assert, assertEquals } from "@std/assert";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { startPostgres } from "../support/postgres.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { served, untilServed } from "../support/served.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import type { Zonecast } from "../support/zonecast.ts";
import type { ProblemStatus } from "../../lib/cli/status_report.ts";

const NAME = "bad.example";
const ZONE = `${NAME}.`;

/** Rows that are left out, and the code of the problem each is. */
const BAD_ROWS: readonly [
  name: string,
  type: string,
  ttl: number | null,
  content: string,
  code: string,
][] = [
  ["unparsable", "A", null, "192.0.2.999", "address"],
  ["unparsable", "AAAA", null, "not an address", "address"],
  ["unparsable", "MX", null, "mail", "number-range"],
  ["unparsable", "TXT", null, '"open', "quote-open"],
  ["unparsable", "TYPE65280", null, "\\# 4 0a", "unknown-length"],
  ["unparsable", "A", null, "", "field-missing"],
  ["unknown-type", "BOGUS", null, "192.0.2.1", "type-unknown"],
  ["unknown-type", "AXFR", null, "192.0.2.1", "type-not-data"],
  ["unknown-type", "", null, "192.0.2.1", "type-unknown"],
  ["soa", "SOA", null, "ns. hm. 1 2 3 4 5", "soa-row"],
  ["www.other.example.", "A", null, "192.0.2.1", "out-of-zone"],
  ["", "A", null, "192.0.2.1", "name-empty"],
  ["a..b", "A", null, "192.0.2.1", "name-empty-label"],
  ["x".repeat(64), "A", null, "192.0.2.1", "label-too-long"],
  [`${"x".repeat(60)}.`.repeat(4) + "x", "A", null, "192.0.2.1", "name-too-long"],
  ["café", "A", null, "192.0.2.1", "name-not-ascii"],
  ["ttl", "A", -1, "192.0.2.1", "ttl-out-of-range"],
  ["ttl", "A", 2 ** 31, "192.0.2.2", "ttl-out-of-range"],
  ["ttl", "A", 2 ** 40, "192.0.2.3", "ttl-out-of-range"],
  ["not-a-hash", "NSEC3", null, `1 0 0 - ${"0".repeat(32)}`, "nsec3-owner"],
  ["*.delegated", "NS", null, "ns1.example.net.", "wildcard-ns"],
  ["too-long", "TXT", null, `"${"x".repeat(255)}"`.repeat(257), "rdata-too-long"],
  [
    "too-big",
    "TXT",
    null,
    `"${"x".repeat(255)}"`.repeat(255) + `"${"x".repeat(230)}"`,
    "record-too-big",
  ],
];

/** Owners whose rows are right each, and cannot stand together. */
const CONFLICTS: readonly [
  name: string,
  rows: readonly (readonly [string, string])[],
  code: string,
][] = [
  ["alias", [["CNAME", "www"], ["A", "192.0.2.1"]], "cname-and-other-data"],
  ["two-aliases", [["CNAME", "www"], ["CNAME", "ftp"]], "several-cnames"],
  ["two-dnames", [["DNAME", "a.example."], ["DNAME", "b.example."]], "several-dnames"],
];

const sorted = (rows: unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

interopTest("bad rows are left out and told of, good ones served, and NSD takes the zone", {
  needs: ["nsd", "dig", "compilezone"],
}, async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await using servers = await serveFollowed(["nsd"], { source: url, zones: [ZONE] });
  const { zonecast, secondaries: [secondary] } = servers;
  let serial = await newSerial(zonecast, ZONE, undefined);

  await sql.begin(async (tx) => {
    for (const [name, type, ttl, content] of BAD_ROWS) {
      await tx`insert into zonecast.records (zone, name, type, ttl, content)
        values (${NAME}, ${name}, ${type}, ${ttl}, ${content})`;
    }
    for (const [name, rows] of CONFLICTS) {
      for (const [type, content] of rows) {
        await tx`insert into zonecast.records (zone, name, type, content)
          values (${NAME}, ${name}, ${type}, ${content})`;
      }
    }
    await tx`insert into zonecast.records (zone, name, type, ttl, content) values
      (${NAME}, 'www', 'A', 60, '192.0.2.1'), (${NAME}, 'www', 'A', 90, '192.0.2.2'),
      (${NAME}, 'ttl', 'TXT', 60, 'neighbour')`;
  });
  serial = await newSerial(zonecast, ZONE, serial);

  await t.step("status shows every bad row and every conflict, and nothing else", async () => {
    const { problems } = await untilStatus(
      zonecast,
      "problems",
      ({ problems }) => problems.length > 0,
    );
    const shown = (content: string) => content.length > 200 ? content.slice(0, 200) + "…" : content;
    const rows = problems.filter(({ content, type }) => type !== "" || content !== "");
    assertEquals(
      sorted(rows.map(({ zone, name, type, content }) => [zone, name, type, content])),
      sorted(BAD_ROWS.map(([name, type, , content]) => [ZONE, name, type, shown(content)])),
    );
    for (const [name, type, , content, code] of BAD_ROWS) {
      const problem = rows.find((row) =>
        row.name === name && row.type === type && row.content === shown(content)
      );
      assertEquals(problem?.code, code, `${name} ${type} ${shown(content)}`);
    }
    const owners = problems.filter(({ type, content }) => type === "" && content === "");
    assertEquals(
      sorted(owners.map(({ name, code }) => [name, code])),
      sorted([
        ...CONFLICTS.map(([name, , code]) => [`${name}.${ZONE}`, code]),
        [`www.${ZONE}`, "ttls-differ"],
      ]),
    );
  });

  await t.step("the log names each row and the reason", () => {
    const log = zonecast.log();
    for (const [name, type] of BAD_ROWS) {
      if (name === "" || type === "" || name === "café") continue;
      const line = log.split("\n").find((line) =>
        line.includes("event=problem") && line.includes(name) && line.includes(`type=${type}`)
      );
      assert(line && /reason="/.test(line), `${name} ${type} is not in the log`);
    }
  });

  await t.step("the rest is served", async () => {
    assertEquals(await served(zonecast, `www.${ZONE}`, "A"), ["192.0.2.1", "192.0.2.2"]);
    assertEquals(await served(zonecast, `ttl.${ZONE}`, "TXT"), ["neighbour"]);
    for (const name of ["unparsable", "alias", "two-aliases", "too-big"]) {
      assertEquals(await served(zonecast, `${name}.${ZONE}`, "A"), "NXDOMAIN", name);
    }
  });

  await t.step("NSD has the same zone", async () => {
    await secondary.reaches(ZONE, serial);
    await assertSameZone(zonecast, secondary, ZONE);
  });

  await t.step("an owner that turns bad is served as it was", async () => {
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${NAME}, 'www', 'CNAME', 'elsewhere.example.')`;
    await untilStatus(
      zonecast,
      "the conflict",
      ({ problems }) =>
        problems.some(({ name, code }) =>
          name === `www.${ZONE}` && code === "cname-and-other-data"
        ),
    );
    assertEquals(await served(zonecast, `www.${ZONE}`, "A"), ["192.0.2.1", "192.0.2.2"]);
  });

  await t.step("mended rows are served, their problems gone", async () => {
    await sql`delete from zonecast.records where name <> '@' and
      not (name = 'www' and type = 'A' and ttl = 60)`;
    await sql`insert into zonecast.records (zone, name, type, content)
      values (${NAME}, 'unparsable', 'A', '192.0.2.99')`;
    await untilServed(zonecast, `unparsable.${ZONE}`, "A", ["192.0.2.99"]);
    await untilStatus(zonecast, "no problems", ({ problems }) => problems.length === 0);
    const last = await newSerial(zonecast, ZONE, undefined);
    await secondary.reaches(ZONE, last);
    await assertSameZone(zonecast, secondary, ZONE);
  });
});

/** Waits until the problems in status are of these zones, with these codes, in this order. */
async function untilProblems(zonecast: Zonecast, wanted: readonly string[][]): Promise<void> {
  await untilStatus(zonecast, JSON.stringify(wanted), ({ problems }) => {
    const told = problems.map(({ zone, code }) => [zone, code]).sort();
    return JSON.stringify(told) === JSON.stringify(wanted);
  });
}

/** Ways to spoil a served zone as a whole, and to mend it. */
const SPOILT_ZONES: readonly [what: string, spoil: string, mend: string, code: string][] = [
  [
    "no NS",
    "update zonecast.records set disabled = true where zone = 'bad.example' and type = 'NS'",
    "update zonecast.records set disabled = false",
    "zone-without-ns",
  ],
  [
    "a broken mname",
    "update zonecast.zones set mname = 'a..b' where name = 'bad.example'",
    "update zonecast.zones set mname = 'ns1.servers.example.'",
    "soa-mname",
  ],
  [
    "a mail address as rname",
    "update zonecast.zones set rname = 'admin@bad.example' where name = 'bad.example'",
    "update zonecast.zones set rname = 'hostmaster.servers.example.'",
    "soa-rname",
  ],
  [
    "a negative refresh",
    "update zonecast.zones set refresh = -1 where name = 'bad.example'",
    "update zonecast.zones set refresh = 3600",
    "soa-refresh",
  ],
  [
    "a default TTL out of range",
    "update zonecast.zones set default_ttl = 4294967296 where name = 'bad.example'",
    "update zonecast.zones set default_ttl = 300",
    "soa-default-ttl",
  ],
];

interopTest(
  "a zone that cannot be served as a whole stays as it was; others go on",
  {},
  async (t) => {
    const zones = [ZONE, "good.example."];
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, zones);
    await using zonecast = await serveZones({ source: url, zones });
    const isOf = (code: string) => (problem: ProblemStatus) =>
      problem.zone === ZONE && problem.code === code;
    let change = 0;
    const changeBoth = async () => {
      await sql`insert into zonecast.records (zone, name, type, content)
      select name, ${`change${++change}`}, 'A', '192.0.2.1' from zonecast.zones`;
      return change;
    };

    for (const [what, spoil, mend, code] of SPOILT_ZONES) {
      await t.step(what, async () => {
        const serial = await newSerial(zonecast, ZONE, undefined);
        await sql.unsafe(spoil);
        await untilStatus(zonecast, code, ({ problems }) => problems.some(isOf(code)));
        const n = await changeBoth();
        await untilServed(zonecast, `change${n}.good.example`, "A", ["192.0.2.1"]);
        // Without NS records it is the apex that stays as it was.
        if (code === "zone-without-ns") {
          await untilServed(zonecast, `change${n}.${ZONE}`, "A", ["192.0.2.1"]);
        } else assertEquals(await zonecast.serial(ZONE), serial);
        assertEquals((await served(zonecast, ZONE, "NS")).length, 2);
        await sql.unsafe(mend);
        await untilServed(zonecast, `change${n}.${ZONE}`, "A", ["192.0.2.1"]);
        await untilStatus(zonecast, "no problems", ({ problems }) => problems.length === 0);
      });
    }

    const untilTold = (wanted: string[][]) => untilProblems(zonecast, wanted);

    await t.step("a new zone that is spoilt is not served, and told of at once", async () => {
      await sql`insert into zonecast.zones (name, mname, rname) values
      ('no-ns.example', 'ns1.example.net.', 'hm.example.net.'), ('a..b', 'ns.', 'hm.')`;
      await untilTold([["a..b", "name-empty-label"], ["no-ns.example.", "zone-without-ns"]]);
      assertEquals(await served(zonecast, "no-ns.example", "NS"), "REFUSED");
      const n = await changeBoth();
      await untilServed(zonecast, `change${n}.good.example`, "A", ["192.0.2.1"]);
      await untilTold([["a..b", "name-empty-label"], ["no-ns.example.", "zone-without-ns"]]);
    });
    await t.step("and no more when it is gone", async () => {
      await sql`delete from zonecast.zones where name = 'no-ns.example'`;
      await untilTold([["a..b", "name-empty-label"]]);
      await sql`delete from zonecast.zones where name = 'a..b'`;
      await untilTold([]);
    });
  },
);

interopTest("rows of a zone that is not there are told of, until it is", {}, async () => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE]);
  await sql.unsafe(`
    alter table zonecast.records rename to own_records;
    create table public.elsewhere (name text primary key);
    create view zonecast.records as
      select zone, name, type, ttl, content, disabled, owner from zonecast.own_records union all
      select 'late.example', name, 'A', 60, '192.0.2.1', false,
        zonecast.owner('late.example', name) from public.elsewhere`);
  await using zonecast = await serveZones({ source: url, zones: [ZONE] });
  await sql.begin((tx) => [
    tx`insert into public.elsewhere values ('www')`,
    tx`select zonecast.touch('late.example', array['www'])`,
  ]);
  await untilProblems(zonecast, [["late.example", "zone-unknown"]]);
  await sql`insert into zonecast.own_records (zone, name, type, content)
    values ('bad.example', 'www', 'A', '192.0.2.1')`;
  await untilServed(zonecast, `www.${ZONE}`, "A", ["192.0.2.1"]);
  await untilProblems(zonecast, [["late.example", "zone-unknown"]]);

  await sql`insert into zonecast.zones (name, mname, rname)
    values ('late.example', 'ns1.servers.example.', 'hm.servers.example.')`;
  await sql`insert into zonecast.own_records (zone, name, type, content)
    values ('late.example', '@', 'NS', 'ns1.servers.example.')`;
  await untilServed(zonecast, "www.late.example", "A", ["192.0.2.1"]);
  await untilProblems(zonecast, []);
});
