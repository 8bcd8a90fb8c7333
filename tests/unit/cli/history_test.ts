/** `log`, `diff`, `export --serial` and `rollback`, beside a server and without one. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { systemTest } from "../../support/interop.ts";
import { makeSite, type Site } from "./served.ts";

const SET = ["set", "example.org"] as const;

/** A zone with three versions published: their serials. */
async function threeVersions(site: Site): Promise<number[]> {
  const first = await site.published(/\nns1\t/);
  await site.must(...SET, "www", "A", "192.0.2.1");
  const second = await site.published(/\nwww\t/);
  await site.must(...SET, "www", "A", "192.0.2.1", "--ttl", "60");
  await site.must("zone", "set", "example.org", "--minimum", "77");
  await site.must(...SET, "mail", "TXT", '"a b"');
  const third = await site.published(/ 77\n[^]*mail\t/);
  return [first, second, third];
}

/** What a dump of a zone holds, but for comments and the serial. */
function records(text: string): string[] {
  return text.split("\n").filter((line) => !line.startsWith(";"))
    .map((line) => line.replace(/(SOA\t\S+ \S+) \d+/, "$1 SERIAL"));
}

systemTest("history: log, diff and export --serial, online and from the state file", async (t) => {
  await using site = await makeSite();
  await site.must("zone", "add", "example.org", "--ns", "ns1");
  await site.must(...SET, "ns1", "A", "192.0.2.53");
  const online: string[] = [];
  let serials: number[];
  {
    await using _server = site.serve();
    serials = await threeVersions(site);
    const [first, second, third] = serials;

    await t.step("log lists serials, times, counts and causes, oldest first", async () => {
      const versions = JSON.parse(await site.must("log", "example.org", "--json"));
      assertEquals(versions[0], { serial: first });
      assertEquals(versions.at(-1).serial, third);
      const [, one] = versions;
      assertEquals([one.serial, one.added, one.removed], [second, 1, 0]);
      assert(["notification", "poll", "feed"].includes(one.cause), one.cause);
      assert(Math.abs(Date.parse(one.publishedAt) - Date.now()) < 60_000);
      const text = await site.must("log", "Example.ORG.");
      assertMatch(text, /^SERIAL +PUBLISHED +ADDED +REMOVED +CAUSE\n/);
      assertStringIncludes(text, `\n${second}  ${one.publishedAt}  1      0        ${one.cause}\n`);
      online.push(text);
    });

    await t.step("diff prints the SOAs and the records, condensed", async () => {
      const soa = (serial: number, minimum: number) =>
        `example.org.\t3600\tIN\tSOA\tns1.example.org. hostmaster.example.org. ` +
        `${serial} 3600 600 1209600 ${minimum}`;
      const text = await site.must("diff", "example.org", String(first));
      assertEquals(text.split("\n"), [
        `- ${soa(first, 300)}`,
        `+ ${soa(third, 77)}`,
        `+ mail.example.org.\t3600\tIN\tTXT\t"a b"`,
        `+ www.example.org.\t60\tIN\tA\t192.0.2.1`,
        "",
      ]);
      online.push(text);
      const back = await site.must("diff", "example.org", String(third), String(second));
      assertEquals(back.split("\n"), [
        `- ${soa(third, 77)}`,
        `+ ${soa(second, 300)}`,
        `- mail.example.org.\t3600\tIN\tTXT\t"a b"`,
        `- www.example.org.\t60\tIN\tA\t192.0.2.1`,
        `+ www.example.org.\t3600\tIN\tA\t192.0.2.1`,
        "",
      ]);
      assertEquals(await site.must("diff", "example.org", String(third)), "");
    });

    await t.step("diff --json has the same in fields", async () => {
      const diff = JSON.parse(await site.must("diff", "example.org", String(second), "--json"));
      assertEquals([diff.zone, diff.from, diff.to], ["example.org.", second, third]);
      assertEquals(diff.removed.map(({ type }: { type: string }) => type), ["SOA", "A"]);
      assertEquals(diff.added.at(-1), {
        name: "www.example.org.",
        ttl: 60,
        type: "A",
        content: "192.0.2.1",
      });
      const none = JSON.parse(await site.must("diff", "example.org", String(third), "--json"));
      assertEquals([none.removed, none.added], [[], []]);
    });

    await t.step("export --serial prints the zone as it was", async () => {
      const text = await site.must("export", "example.org", "--serial", String(second));
      assertStringIncludes(text, `; example.org. as published with serial ${second}\n`);
      assertStringIncludes(text, ` ${second} 3600 600 1209600 300\n`);
      assertStringIncludes(text, "\nwww\t3600\tIN\tA\t192.0.2.1\n");
      assert(!text.includes("mail"));
      online.push(text);
      const now = await site.must("export", "example.org", "--serial", String(third));
      assertEquals(now, await site.must("export", "example.org"));
    });

    await t.step("a serial that is not kept: the oldest that is, is named", async () => {
      for (const args of [["diff"], ["rollback", "--dry-run"], ["export"]]) {
        const [command, ...flags] = args;
        const serial = command === "export" ? ["--serial", "7"] : ["7"];
        const { code, out, err } = await site.run([command, "example.org", ...serial, ...flags]);
        assertEquals([code, out], [1, ""]);
        assertStringIncludes(err, "zonecast: Cannot read serial 7 of zone example.org.");
        assertStringIncludes(err, `the oldest serial kept is ${first}`);
      }
    });

    await t.step("a zone that is not published is named", async () => {
      for (const command of [["log", "b.org"], ["diff", "b.org", "1"]]) {
        const { code, err } = await site.run(command);
        assertEquals(code, 1);
        assertStringIncludes(err, "zonecast: The zone b.org is not published");
      }
    });
  }

  await t.step("without a server the state file says the same", async () => {
    const [first, second] = serials.map(String);
    const offline: string[] = [];
    for (
      const args of [
        ["log", "example.org"],
        ["diff", "example.org", first],
        ["export", "example.org", "--serial", second],
      ]
    ) {
      const { code, out, err } = await site.run(args);
      assertEquals(code, 0, err);
      assertStringIncludes(err, "zonecast: no server is running at");
      offline.push(out);
    }
    assertEquals(offline, online);
  });
});

systemTest("rollback: shows the change, then makes it, and it is published", async (t) => {
  await using site = await makeSite();
  await site.must("zone", "add", "example.org", "--ns", "ns1");
  await site.must(...SET, "ns1", "A", "192.0.2.53");
  await using _server = site.serve();
  const [, second, third] = await threeVersions(site);
  const before = await site.must("export", "example.org", "--serial", String(second));
  const source = () => site.must("export", "example.org", "--from-source");
  const roll = (...flags: string[]) =>
    site.must("rollback", "example.org", String(second), ...flags);
  const lines = (serial: number) => [
    `- example.org.\t3600\tIN\tSOA\tns1.example.org. hostmaster.example.org. ${serial} 3600 600 1209600 77`,
    `+ example.org.\t3600\tIN\tSOA\tns1.example.org. hostmaster.example.org. ${serial} 3600 600 1209600 300`,
    `- mail.example.org.\t3600\tIN\tTXT\t"a b"`,
    `- www.example.org.\t60\tIN\tA\t192.0.2.1`,
    `+ www.example.org.\t3600\tIN\tA\t192.0.2.1`,
  ];

  await t.step("--dry-run changes nothing", async () => {
    const was = await source();
    assertEquals((await roll("--dry-run")).split("\n"), [
      ...lines(second),
      `would roll back to zone example.org with serial ${second}: ` +
      "2 records removed, 1 added, SOA changed; nothing was changed",
      "",
    ]);
    assertEquals(await source(), was);
  });

  await t.step("--yes writes the records back, and the zone gets a new serial", async () => {
    assertEquals((await roll("--yes")).split("\n"), [
      ...lines(second),
      `rolled back to zone example.org with serial ${second}: ` +
      "2 records removed, 1 added, SOA changed",
      "",
    ]);
    const serial = await site.published(/ 300\n[^]*www\t3600/);
    assert(serial > third);
    assertEquals(records(await site.must("export", "example.org")), records(before));
    const last = JSON.parse(await site.must("log", "example.org", "--json")).at(-1);
    assertEquals([last.serial, last.added, last.removed], [serial, 1, 2]);
  });

  await t.step("again: there is nothing to do", async () => {
    assertEquals(
      await roll("--yes"),
      `unchanged: the source has zone example.org with serial ${second} already\n`,
    );
  });

  await t.step("one of --dry-run and --yes is needed: exit code 2", async () => {
    for (const flags of [[], ["--dry-run", "--yes"]]) {
      const { code, err } = await site.run(["rollback", "example.org", String(second), ...flags]);
      assertEquals(code, 2);
      assertStringIncludes(err, "zonecast: rollback: give --dry-run to see what would change, or");
    }
  });

  await t.step("rows that are no records go too, and are shown as they stand", async () => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(`${site.path}/zones.db`);
    database.exec(`insert into records (zone, name, type, content, disabled)
      values ('example.org', 'bad', 'A', '1.2.3', 0), ('example.org', 'off', 'A', '192.0.2.9', 1)`);
    const out = await roll("--yes");
    assertStringIncludes(out, "- bad\t3600\tIN\tA\t1.2.3\n");
    assertMatch(out, /: 1 record removed, 0 added\n$/);
    const left = database.prepare("select name from records where disabled").all();
    database.close();
    assertEquals(left.map(({ name }) => name), ["off"]);
  });

  await t.step("a zone the source no longer has: said, with the way to make it anew", async () => {
    await site.must("zone", "add", "other.org", "--ns", "ns1.example.org.");
    const elsewhere = `sqlite:${site.path}/other.db`;
    await site.must("zone", "add", "b.org", "--ns", "ns1", "--source", elsewhere);
    const { code, err } = await site.run(
      ["rollback", "example.org", String(second), "--yes", "--source", elsewhere],
    );
    assertEquals(code, 1);
    assertStringIncludes(err, "zonecast: There is no zone example.org in the source");
    assertStringIncludes(
      err,
      `export example.org --serial ${second} | zonecast import example.org -`,
    );
  });
});

systemTest("history: of a purged serial the error names the oldest that is kept", async () => {
  await using site = await makeSite();
  await site.must("zone", "add", "example.org", "--ns", "ns1");
  await site.must(...SET, "ns1", "A", "192.0.2.53");
  await using _server = site.serve(["--journal-max-age", "0"]);
  const [first] = await threeVersions(site);
  await site.must(...SET, "last", "A", "192.0.2.9");
  await site.published(/\nlast\t/);
  const kept = JSON.parse(await site.must("log", "example.org", "--json"));
  assertEquals(kept.length, 2); // the newest difference always stays
  for (const command of [["diff"], ["rollback", "--yes"]]) {
    const [name, ...flags] = command;
    const { code, out, err } = await site.run([name, "example.org", String(first), ...flags]);
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err, `the oldest serial kept is ${kept[0].serial};`);
  }
});
