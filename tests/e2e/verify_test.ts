/** `zonecast verify` against real servers: transferred, asked for, signed, over TLS. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { misfits } from "../../lib/cli/json_shape.ts";
import { certificates } from "../support/certificates.ts";
import { type FilePrimary, startFilePrimary } from "../support/file_primaries.ts";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { noteSecret } from "../support/secrets.ts";
import { newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { startZonecast, type Zonecast } from "../support/zonecast.ts";

const ZONE = "verify.example";

/** Records of every kind that verifying meets: a cut with glue, a wildcard, a CNAME, text. */
const RECORDS = `
@ 300 IN NS ns1
@ 300 IN NS ns2.elsewhere.example.
@ 300 IN MX 10 Mail
@ 300 IN TXT "v=spf1 -all" "second string"
ns1 300 IN A 127.0.0.1
Mail 300 IN A 192.0.2.5
mail 300 IN AAAA 2001:db8::5
*.wild 60 IN A 192.0.2.6
alias 300 IN CNAME mail
sub 300 IN NS ns.sub
ns.sub 300 IN A 192.0.2.7
a\\.dot 300 IN A 192.0.2.8
`;
const SOA = "@ 300 IN SOA ns1 hostmaster SERIAL 3600 600 86400 300";

const withSoa = (serial: number, records = RECORDS) =>
  `${SOA.replace("SERIAL", String(serial))}\n${records}`;

const SHAPE = COMMANDS.find(({ name }) => name === "verify")!.json!;

interface JsonReport {
  readonly equal: boolean;
  readonly serial: number;
  readonly servers: readonly {
    readonly method: string | null;
    readonly noTransfer: string | null;
    readonly serial: number | null;
    readonly leftOut: number | null;
    readonly equal: boolean | null;
    readonly differences: readonly Record<string, unknown>[] | null;
    readonly error: string | null;
  }[];
}

/** zonecast with the zone published, and its serial. */
async function published(
  dir: string,
  args: readonly string[] = [],
): Promise<{ zonecast: Zonecast; serial: number }> {
  const zonecast = await startZonecast({ source: `sqlite:${dir}/zones.db`, args });
  await zonecast.mustCli(["import", ZONE, "-"], withSoa(5));
  return { zonecast, serial: await newSerial(zonecast, `${ZONE}.`, undefined) };
}

interopTest(
  "verify: the same zone at BIND, Knot and NSD; what differs there is shown",
  { needs: ["bind", "knot", "nsd"] },
  async (t) => {
    await using dir = await tempDir();
    const { zonecast: started, serial } = await published(dir.path);
    await using zonecast = started;
    const verify = (kind: { addr: string; port: number }, ...more: string[]) =>
      zonecast.cli(["verify", ZONE, "--against", `${kind.addr}:${kind.port}`, ...more]);
    const report = async (kind: { addr: string; port: number }, ...more: string[]) => {
      const { code, stdout } = await verify(kind, "--json", ...more);
      assertEquals([...misfits(SHAPE, JSON.parse(stdout))], []);
      return { code, ...JSON.parse(stdout) as JsonReport };
    };
    const other = RECORDS.replace("192.0.2.5", "192.0.2.55")
      .replace("@ 300 IN MX", "@ 60 IN MX")
      .replace("alias 300 IN CNAME mail\n", "alias 300 IN A 192.0.2.9\nextra 300 IN A 192.0.2.1\n")
      .replace("ns.sub 300 IN A 192.0.2.7", "ns.sub 300 IN A 192.0.2.77") +
      "* 300 IN TXT wild\n";
    // BIND and Knot let everybody here transfer, NSD nobody.
    const kinds: [FilePrimary, string][] = [["bind", "axfr"], ["knot", "axfr"], [
      "nsd",
      "questions",
    ]];
    for (const [kind, method] of kinds) {
      await t.step(`${kind} has the same: ${method}`, async () => {
        await using same = await startFilePrimary(kind, { [`${ZONE}.`]: withSoa(serial) });
        const { code, equal, servers: [server] } = await report(same, "--rate", "1000");
        assertEquals([code, equal, server.error, server.differences], [0, true, null, []]);
        assertEquals([server.method, server.serial], [method, serial]);
        // By questions alone the others say so, too.
        const { code: again, stdout } = await verify(same, "--questions", "--rate", "1000");
        assertEquals(again, 0, stdout);
        assertMatch(stdout, /^127\.0\.0\.1:\d+: the same \(\d+ RRsets compared, by questions/);
        assertEquals(stdout.includes("\x1b"), false, "colour where there is no terminal");
      });
      await t.step(`${kind} has another: ${method}`, async () => {
        await using another = await startFilePrimary(kind, { [`${ZONE}.`]: withSoa(1, other) });
        const { code, equal, servers: [server] } = await report(another, "--rate", "1000");
        assertEquals([code, equal, server.error], [3, false, null]);
        const found = server.differences!.map(({ name, type }) =>
          `${String(name).toLowerCase()} ${type}`
        ).sort();
        assertEquals(
          found,
          [
            `*.${ZONE}. TXT`,
            `alias.${ZONE}. A`,
            `alias.${ZONE}. CNAME`,
            // Questions cannot show a name that only the other has.
            ...method === "axfr" ? [`extra.${ZONE}. A`] : [],
            `mail.${ZONE}. A`,
            `ns.sub.${ZONE}. A`,
            `${ZONE}. MX`,
            `${ZONE}. SOA`,
          ].sort(),
        );
        const mail = server.differences!.find(({ name, type }) =>
          String(name).toLowerCase() === `mail.${ZONE}.` && type === "A"
        );
        assertEquals(mail?.ours, { ttl: 300, content: ["192.0.2.5"] });
        assertEquals(mail?.theirs, { ttl: 300, content: ["192.0.2.55"] });
        const ignoring = await verify(
          another,
          ...["--ignore", "SOA", "--ignore", "mail/A", "--ignore", "CNAME", "--ignore-ttl"],
          ...["--rate", "1000"],
        );
        assertEquals(ignoring.code, 3);
        assertStringIncludes(ignoring.stdout, `- alias.${ZONE}.\t300\tIN\tA\t192.0.2.9`);
        assertStringIncludes(ignoring.stdout, `+ ns.sub.${ZONE}.\t300\tIN\tA\t192.0.2.7`);
        assertEquals(/SOA\t|MX\t|192\.0\.2\.55/.test(ignoring.stdout), false, ignoring.stdout);
      });
    }
    await t.step("a server without the zone, and one that is not there, fail", async () => {
      await using empty = await startFilePrimary("nsd", { "other.example.": withSoa(1) });
      const { code, stderr } = await verify(
        empty,
        ...["--against", `127.0.0.1:${freePort()}`, "--timeout", "2s"],
      );
      assertEquals(code, 1);
      assertStringIncludes(stderr, "does not serve the zone");
      assertStringIncludes(stderr, "does not answer over UDP");
      assertEquals(stderr.match(/hint: /g)?.length, 2);
    });
    await t.step("wrong usage, a zone that is not there", async () => {
      assertEquals((await zonecast.cli(["verify", ZONE])).code, 2);
      assertEquals((await verify({ addr: "x y", port: 1 })).code, 2);
      const unknown = await zonecast.cli(["verify", "no.example", "--against", "127.0.0.1"]);
      assertEquals(unknown.code, 1);
      assertStringIncludes(unknown.stderr, "not published");
    });
    await t.step("with no server running the state file is compared", async () => {
      await using same = await startFilePrimary("bind", { [`${ZONE}.`]: withSoa(serial) });
      await zonecast.stop();
      const { code, stderr } = await zonecast.cli(
        ["verify", ZONE, "--state", zonecast.stateFile, "--against", `127.0.0.1:${same.port}`],
      );
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "reading the state file");
    });
  },
);

interopTest("verify: signed by a key, and over TLS", { needs: ["openssl"] }, async (t) => {
  await using dir = await tempDir();
  const issued = await certificates(dir.path);
  const { cert, key } = await issued.issue("server");
  const tls = freePort();
  const secret = btoa("a secret for verify alone, yes");
  noteSecret(secret);
  const keyFile = await dir.write(
    "tsig.key",
    `key "v" { algorithm hmac-sha256; secret "${secret}"; };\n`,
  );
  const wrong = await dir.write(
    "wrong.key",
    `key "v" { algorithm hmac-sha256; secret "${btoa("another")}"; };\n`,
  );
  await Deno.chmod(keyFile, 0o600);
  await Deno.chmod(wrong, 0o600);
  const { zonecast: started } = await published(dir.path, [
    ...["--listen-tls", `127.0.0.1:${tls}`, "--tls-cert", cert, "--tls-key", key],
    ...["--tsig-key-file", keyFile, "--allow-transfer", "127.0.0.1,key=v"],
  ]);
  await using zonecast = started;
  const verify = async (server: string, ...more: string[]) => {
    const args = ["verify", ZONE, "--json", "--against", server, ...more];
    const { code, stdout, stderr } = await zonecast.cli(args);
    if (stdout === "") throw new Error(stderr);
    const { servers: [report] } = JSON.parse(stdout) as JsonReport;
    return { code, ...report };
  };
  const plain = `127.0.0.1:${zonecast.port}`;
  const signed = ["--tsig-key-file", keyFile];

  await t.step("with the key it is transferred, without it asked for", async () => {
    const transferred = await verify(`${plain},key=v`, ...signed);
    assertEquals([transferred.code, transferred.method], [0, "axfr"]);
    const byDefault = await verify(plain, ...signed, "--key", "v");
    assertEquals([byDefault.code, byDefault.method], [0, "axfr"]);
    const asked = await verify(plain, "--rate", "1000");
    assertEquals([asked.code, asked.method], [0, "questions"]);
    assertStringIncludes(asked.noTransfer ?? "", "REFUSED");
  });
  await t.step("with another secret it fails, and says why", async () => {
    const { code, error } = await verify(`${plain},key=v`, "--tsig-key-file", wrong);
    assertEquals(code, 1);
    assertStringIncludes(error ?? "", "BADSIG");
  });
  await t.step("over TLS, for its address or its name, of a known authority", async () => {
    const overTls = `127.0.0.1:${tls},key=v,tls`;
    const ca = ["--tls-ca", issued.ca];
    assertEquals((await verify(overTls, ...signed, ...ca)).method, "axfr");
    assertEquals((await verify(`${overTls}=ns.test`, ...signed, ...ca)).method, "axfr");
    const other = await verify(`${overTls}=other.test`, ...signed, ...ca);
    assertEquals(other.code, 1);
    assertStringIncludes(other.error ?? "", "TLS with");
    assertEquals((await verify(overTls, ...signed)).code, 1);
  });
});
