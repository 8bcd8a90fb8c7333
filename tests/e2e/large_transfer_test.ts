/** Large zones from the executable: whole, signed, read slowly, left midway. */
import { assert, assertEquals } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { formatName, parseName } from "../../lib/dns/mod.ts";
import { Asker, fetchZone } from "../../lib/server/mod.ts";
import { frame } from "../../lib/wire/mod.ts";
import { axfr, axfrMessages, query, wholeTransfer } from "../support/dns_client.ts";
import { systemTest } from "../support/interop.ts";
import { encodeQuery } from "../support/oracle.ts";
import { startPostgres } from "../support/postgres.ts";
import { newSerial, serveZones, sourceDatabase } from "../support/setup.ts";
import { key } from "../support/signed_requests.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";

const LARGE = "large.example.";
const SMALL = "small.example.";
const NAMES = 20_000;
/** Clients that go away midway, one after another: each one's descriptor is the next one's. */
const LEAVING = 30;
const SECRET = 5;
const KEY = key("transfers.key.", SECRET);

systemTest(
  "a large zone comes whole: plain, signed, to many, to who reads late; who goes harms nobody",
  async (t) => {
    await using postgres = await startPostgres();
    const { url, sql } = await sourceDatabase(postgres, [LARGE, SMALL]);
    await sql`insert into zonecast.records (zone, name, type, content)
    select 'large.example', 'name' || n, 'TXT', '"' || n || '" "' || repeat('x', 250) || '"'
    from generate_series(1, ${NAMES}) as n`;
    await using dir = await tempDir();
    const secret = encodeBase64(new Uint8Array(32).fill(SECRET));
    await Deno.writeTextFile(
      `${dir.path}/keys`,
      `key "${formatName(KEY.name)}" { algorithm hmac-sha256; secret "${secret}"; };\n`,
      { mode: 0o600 },
    );
    await using zonecast = await serveZones({
      source: url,
      zones: [LARGE, SMALL],
      args: [
        ...["--tsig-key-file", `${dir.path}/keys`],
        ...["--allow-transfer", "127.0.0.1", "--tcp-stall-timeout", "10m"], // one is held
        ...["--allow-transfer", `127.0.0.2,key=${formatName(KEY.name)}`],
      ],
    });
    const { pid } = zonecast;
    await newSerial(zonecast, LARGE, undefined);
    const names = (owners: Iterable<string>) => {
      const seen = new Set<string>();
      for (const owner of owners) if (owner.startsWith("name")) seen.add(owner);
      return seen.size;
    };
    const whole = async () => {
      const { records } = await axfr(zonecast, LARGE);
      assertEquals(names(records.map(({ name }) => name)), NAMES);
      assertEquals(records.length, NAMES + 2 + 2); // NS, and both SOA
    };

    await t.step("to several at once, a small zone beside it", async () => {
      await Promise.all([
        ...Array.from({ length: 3 }, whole),
        axfr(zonecast, SMALL).then(({ records }) => assertEquals(records.length, 2 + 2)),
      ]);
    });

    await t.step("signed", async () => {
      using asker = new Asker();
      const { addr: ip, port } = zonecast;
      const server = { ip, port, key: KEY, via: "127.0.0.2" };
      const owners: string[] = [];
      for await (const { records } of fetchZone(asker, server, parseName(LARGE))) {
        for (const { owner } of records) owners.push(formatName(owner));
      }
      assertEquals([names(owners), owners.length], [NAMES, NAMES + 2]);
    });

    await t.step("read late and left midway, while others ask", async () => {
      const late = axfrMessages(zonecast, LARGE);
      const { value: begun } = await late.next();
      const question = frame(encodeQuery({ id: 9, questions: [{ type: "AXFR", name: LARGE }] }));
      for (let i = 0; i < LEAVING; i++) {
        const conn = await Deno.connect({ hostname: zonecast.addr, port: zonecast.port });
        await conn.write(question);
        await conn.read(new Uint8Array(1 + i * 997));
        conn.close(); // with octets unread: a reset
        assertEquals((await query(zonecast, SMALL, "SOA", { tcp: true })).answers?.length, 1);
      }
      await whole();
      const { records } = await wholeTransfer(late, "the late AXFR", begun?.answers);
      assertEquals(records.length, NAMES + 2 + 2);
      const broken = () => zonecast.log().match(/event="transfer broken off"/g)?.length ?? 0;
      await until(() => broken() > 0, { what: "a transfer broken off is logged" });
      assert(broken() <= LEAVING, `${broken()} transfers broken off`);
    });

    assertEquals(zonecast.pid, pid);
    assert(!zonecast.log().includes("a large zone is written by the runtime"), zonecast.log());
  },
);
