import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Ending, zonecast } from "./context.ts";

/** Runs a test with commands on an empty SQLite source. */
async function withSource(
  test: (run: (args: string[], input?: string) => Promise<Ending>, dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const env = { ZONECAST_SOURCE: `sqlite:${dir}/zones.db` };
  try {
    await test((args, input) => zonecast(args, env, input), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Runs commands that must succeed; returns what the last printed. */
async function all(
  run: (args: string[]) => Promise<Ending>,
  ...lines: string[][]
): Promise<string> {
  let last = "";
  for (const args of lines) {
    const { code, out, err } = await run(args);
    assertEquals([code, err], [0, ""], args.join(" "));
    last = out;
  }
  return last;
}

const ADD = ["zone", "add", "example.org", "--ns", "ns1.provider.example."];

Deno.test("zone add: defaults make a zone that can be served", async () => {
  await withSource(async (run) => {
    const text = await all(run, ADD, ["zones", "--json"]);
    assertEquals(JSON.parse(text), [{
      name: "example.org",
      mname: "ns1.provider.example.",
      rname: "hostmaster.example.org.",
      refresh: 3600,
      retry: 600,
      expire: 1209600,
      minimum: 300,
      defaultTtl: 3600,
      soaTtl: null,
      serialFloor: null,
      records: 1,
    }]);
    const out = await all(run, ["export", "example.org", "--from-source"]);
    assertStringIncludes(out, "@\t3600\tIN\tNS\tns1.provider.example.\n");
  });
});

Deno.test("zone add, set and remove: settings are kept as given", async () => {
  await withSource(async (run) => {
    await all(
      run,
      [
        ...["zone", "add", "Example.ORG.", "--ns", "ns1", "--mname", "m", "--rname", "r.b."],
        ...["--ttl", "1m", "--refresh", "2", "--retry", "3", "--expire", "4", "--minimum", "5"],
      ],
      ["zone", "set", "example.org", "--minimum", "1h", "--mname", "n"],
      ["zone", "set", "example.org", "--serial-floor", "4294967295"],
    );
    const [zone] = JSON.parse(await all(run, ["zones", "--json"]));
    const { name, mname, rname, refresh, retry, expire, minimum, defaultTtl, serialFloor } = zone;
    assertEquals(
      [name, mname, rname, refresh, retry, expire, minimum, defaultTtl, serialFloor],
      ["example.org", "n.example.org.", "r.b.", 2, 3, 4, 3600, 60, 4294967295],
    );
    const out = await all(run, ["zone", "remove", "example.org"]);
    assertMatch(
      out,
      /^removed zone example\.org and its 1 record; .* zonecast held example\.org\n$/,
    );
    assertEquals(JSON.parse(await all(run, ["zones", "--json"])), []);
  });
});

Deno.test("zone add: a serial floor is kept", async () => {
  await withSource(async (run) => {
    await all(run, [...ADD, "--serial-floor", "7"]);
    const [zone] = JSON.parse(await all(run, ["zones", "--json"]));
    assertEquals(zone.serialFloor, 7);
  });
});

Deno.test("set and unset: change exactly the records named", async () => {
  await withSource(async (run) => {
    await all(
      run,
      ADD,
      ["set", "example.org", "www", "A", "192.0.2.1"],
      ["set", "example.org", "www", "A", "192.0.2.2", "--ttl", "60"],
      ["set", "example.org", "www", "AAAA", "2001:db8::1"],
      ["set", "example.org", "@", "MX", "10", "mail"],
      ["set", "example.org", "@", "TXT", '"-all"'],
    );
    assertEquals(
      await all(run, ["set", "example.org", "www", "A", "192.0.2.1"]),
      "unchanged: www.example.org. A 192.0.2.1\n",
    );
    const records = async () =>
      (await all(run, ["export", "example.org", "--from-source"])).split("\n")
        .filter((line) => line.startsWith("www")).sort();
    assertEquals(await records(), [
      "www\t3600\tIN\tA\t192.0.2.1",
      "www\t3600\tIN\tAAAA\t2001:db8::1",
      "www\t60\tIN\tA\t192.0.2.2",
    ]);
    await all(run, ["unset", "example.org", "www", "A", "192.0.2.1"]);
    await all(run, ["unset", "example.org", "WWW.example.org.", "aaaa"]);
    assertEquals(await records(), ["www\t60\tIN\tA\t192.0.2.2"]);
    await all(run, ["unset", "example.org", "www"]);
    assertEquals(await records(), []);
  });
});

Deno.test("what cannot be done fails with exit code 1, says why, and changes nothing", async (t) => {
  const cases: [what: string, args: string[], line: string][] = [
    ["a zone twice", ADD, `The zone "example.org" exists already`],
    ["no such zone", ["zone", "remove", "b.org"], `There is no zone "b.org" in the source`],
    ["no such zone to change", ["zone", "set", "b.org", "--ttl", "1"], `There is no zone "b.org"`],
    ["no such zone to fill", ["set", "b.org", "a", "A", "192.0.2.1"], `There is no zone "b.org"`],
    ["no such zone to print", ["export", "b.org", "--from-source"], "There is no zone b.org"],
    ["no such record", ["unset", "example.org", "x", "A"], "There is no record x.example.org. A"],
    ["malformed data", ["set", "example.org", "x", "A", "1.2.3"], `Cannot read A address "1.2.3"`],
    ["too much data", ["set", "example.org", "x", "A", "192.0.2.1", "x"], "Cannot read A"],
    [
      "outside",
      ["set", "example.org", "x.b.", "A", "192.0.2.1"],
      "Cannot set x.b.: it lies outside the zone",
    ],
    ["no file", ["import", "example.org", "/nonexistent"], "Cannot read /nonexistent"],
  ];
  await withSource(async (run) => {
    await all(run, ADD);
    const before = await all(run, ["export", "example.org", "--from-source"]);
    for (const [what, args, line] of cases) {
      await t.step(what, async () => {
        const { code, out, err } = await run(args);
        assertEquals([code, out], [1, ""]);
        assertStringIncludes(err, `zonecast: ${line}`);
      });
    }
    assertEquals(await all(run, ["export", "example.org", "--from-source"]), before);
  });
});

Deno.test("likely slips are warned of: a doubled name, text without quotes", async () => {
  await withSource(async (run) => {
    await all(run, ADD);
    const doubled = await run(["set", "example.org", "www.example.org", "A", "192.0.2.1"]);
    assertEquals(doubled.code, 0);
    assertStringIncludes(doubled.err, "it means www.example.org.example.org.");
    const words = await run(["set", "example.org", "@", "TXT", "v=spf1 mx"]);
    assertEquals(words.code, 0);
    assertStringIncludes(words.err, "each word of v=spf1 mx becomes a string of its own");
  });
});

const ZONE_FILE = `$ORIGIN example.org.
$TTL 5m
@ 1d IN SOA ns1 Host\\.master ( 2026010100 1h 10m 2w 300 ) ; comment
@ NS ns1
WWW.Example.ORG. 60 A 192.0.2.1
*.x\\.y TXT "a;b" "\\"c\\"" \\000\\255
t TYPE65280 \\# 3 00ff10
`;

Deno.test("import and export: a master file comes back as the same zone", async () => {
  await withSource(async (run, dir) => {
    const imported = await run(["import", "example.org", "-"], ZONE_FILE);
    assertEquals([imported.code, imported.err], [0, ""]);
    assertEquals(
      imported.out,
      "imported zone example.org: 4 records beside the SOA; published serials will lie above 2026010100\n",
    );
    const [zone] = JSON.parse(await all(run, ["zones", "--json"]));
    assertEquals([zone.serialFloor, zone.defaultTtl, zone.soaTtl], [2026010100, 300, 86400]);

    const first = await all(run, ["export", "example.org", "--from-source"]);
    assertStringIncludes(
      first,
      "@\t86400\tIN\tSOA\tns1.example.org. Host\\.master.example.org. " +
        "2026010100 3600 600 1209600 300\n",
    );
    assertStringIncludes(first, "WWW.Example.ORG.\t60\tIN\tA\t192.0.2.1\n");
    await Deno.writeTextFile(`${dir}/zone`, first);
    await all(run, ["import", "example.org", `${dir}/zone`]);
    assertEquals(await all(run, ["export", "example.org", "--from-source"]), first);
  });
});

Deno.test("import: the end of a transfer's output, the SOA again, is no second SOA", async () => {
  await withSource(async (run) => {
    const soa = "@ 60 SOA a b 1 2 3 4 5\n";
    assertEquals((await run(["import", "b.org", "-"], `${soa}@ 60 NS a\n${soa}`)).code, 0);
  });
});

Deno.test("import: what is served otherwise than written is warned of", async () => {
  await withSource(async (run) => {
    const soa = "@ 60 SOA a b 1 2 3 4 5\n";
    const { code, err } = await run(
      ["import", "b.org", "-"],
      soa + "x 1 A 192.0.2.1\nx A 192.0.2.2",
    );
    assertEquals(code, 0);
    assertStringIncludes(err, "zonecast: warning: b.org: the zone b.org. has no NS records");
    const ttls = soa + "@ NS a\nx 1 A 192.0.2.1\nx 2 A 192.0.2.2";
    assertStringIncludes(
      (await run(["import", "b.org", "-"], ttls)).err,
      "zonecast: warning: x.b.org.: the records of one RRset have different TTLs",
    );
  });
});

Deno.test("import: a file that is no such zone is refused whole, every problem with its line", async (t) => {
  const soa = "@ 60 SOA a b 1 2 3 4 5\n";
  const cases: [what: string, text: string, lines: string[]][] = [
    ["no SOA", "@ 60 NS a\n", ["the file has no SOA record"]],
    ["another zone's", "$ORIGIN a.net.\n" + soa, ["the file's SOA record is that of a.net."]],
    ["two SOAs", soa + "@ 60 SOA a b 2 2 3 4 5\n", ["the file has 2 SOA records"]],
    ["outside", soa + "a.net. 60 A 192.0.2.1\n", ["1 record outside the zone, first a.net. A"]],
    ["malformed", soa + "x 60 A 1.2\ny 60 AAAA z\n", [
      "zonecast: standard input:2: ",
      "zonecast: standard input:3: ",
    ]],
    ["a CNAME beside others", soa + "@ 60 NS a\nx 60 CNAME a\nx 60 A 192.0.2.1\n", [
      "zonecast: x.b.org.: a CNAME cannot stand beside other records of its owner",
      "Cannot import b.org: 1 problem, as above",
    ]],
    ["a type that is no data", soa + "@ 60 NS a\nx 60 TYPE255 \\# 0\n", [
      'standard input:3: Cannot read type "TYPE255"',
    ]],
  ];
  await withSource(async (run) => {
    for (const [what, text, lines] of cases) {
      await t.step(what, async () => {
        const { code, out, err } = await run(["import", "b.org", "-"], text);
        assertEquals([code, out], [1, ""]);
        for (const line of lines) assertStringIncludes(err, line);
      });
    }
    await all(run, ADD);
    assertEquals(JSON.parse(await all(run, ["zones", "--json"])).length, 1);
  });
});

Deno.test("export --from-source: bad rows stand as comments, are named, and make it fail", async () => {
  await withSource(async (run, dir) => {
    await all(run, ADD);
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(`${dir}/zones.db`);
    database.exec(
      "insert into records (zone, name, type, content) values ('example.org', 'x', 'A', '1.2')",
    );
    database.close();
    const { code, out, err } = await run(["export", "example.org", "--from-source"]);
    assertEquals(code, 1);
    assertStringIncludes(out, "; bad row: x A 1.2: Cannot read A");
    assertStringIncludes(err, "zonecast: bad row: x A 1.2: Cannot read A");
  });
});

Deno.test("schema: printed for Postgres, nothing to apply for SQLite", async () => {
  await withSource(async (run) => {
    assertStringIncludes(await all(run, ["schema"]), "create table if not exists zonecast.records");
    assertEquals(await all(run, ["schema", "apply"]), "the schema is up to date\n");
  });
});

Deno.test("status and export without server and state file: said in one place, exit code 1", async (t) => {
  const dir = await Deno.makeTempDir();
  try {
    for (const args of [["status"], ["status", "--json"], ["export", "example.org"]]) {
      await t.step(args.join(" "), async () => {
        const { code, out, err } = await zonecast([...args, "--state", `${dir}/none.db`]);
        assertEquals([code, out], [1, ""]);
        assertStringIncludes(err, `No server is running at ${dir}/none.db.sock, and there is no`);
        assertStringIncludes(err, "zonecast serve");
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
