/** `zonecast doctor` about secondaries, server and machine: each check good, and each bad. */
import { assertEquals, assertMatch } from "@std/assert";
import { roomFinding } from "../../lib/cli/doctor_machine.ts";
import { parseName } from "../../lib/dns/mod.ts";
import {
  findKeyIn,
  findTsig,
  FLAG,
  readRemains,
  signMessage,
  TSIG_ALGORITHMS,
  tsigKey,
  verifyTsig,
} from "../../lib/wire/mod.ts";
import { assertFound, doctor } from "../support/doctor.ts";
import { startFilePrimary } from "../support/file_primaries.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { SECONDARY_KINDS, startSecondary } from "../support/secondaries.ts";
import { noteSecret } from "../support/secrets.ts";
import { newSerial, sourceDatabase } from "../support/setup.ts";
import { readKeyLines, startSignedSecondary } from "../support/signed_secondaries.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { startZonecast, zonecastCli } from "../support/zonecast.ts";

const ZONE = "doctor.example.";
const NEEDS = { needs: ["nsd", "knot", "bind", "pdns"] } as const;

interopTest("doctor: all is well with Postgres, NSD, Knot, BIND and PowerDNS", NEEDS, async () => {
  await using postgres = await startPostgres();
  const { url, mustCli } = await sourceDatabase(postgres, [ZONE]);
  await mustCli(["schema", "apply", "--role", "serving"]);
  await mustCli(["set", ZONE, "www", "A", "192.0.2.1"]);
  await using dir = await tempDir();
  const keyFile = `${dir.path}/k.key`;
  const made = await zonecastCli(["keygen", "k.example", "--out", keyFile]);
  const ports = SECONDARY_KINDS.map(() => freePort());
  // Knot has a key, the others have none.
  const flags = SECONDARY_KINDS.flatMap((kind, at) => [
    "--secondary",
    `${kind}=127.0.0.1:${ports[at]}${kind === "knot" ? ",key=k.example" : ""}`,
  ])
    // So few connections that the descriptors of any machine suffice.
    .concat("--tsig-key-file", keyFile, "--max-connections", "100");
  const source = url.replace("postgres@", "serving@");
  // The secondaries first: a primary whose secondaries are silent waits for their serials.
  const primary = { addr: "127.0.0.1", port: freePort() };
  const lines = readKeyLines(made.stdout);
  const started = await Promise.all(
    SECONDARY_KINDS.map((kind, at) =>
      kind === "knot"
        ? startSignedSecondary("knot", ports[at], [{ zone: ZONE, ...primary, lines }])
        : startSecondary(kind, { zones: [ZONE], primary, port: ports[at] })
    ),
  );
  await using stack = new AsyncDisposableStack();
  for (const secondary of started) stack.use(secondary);
  await using zonecast = await startZonecast({ source, port: primary.port, args: flags });
  const serial = await newSerial(zonecast, ZONE, undefined);
  for (const secondary of started) await secondary.reaches(ZONE, serial);

  const env = { ZONECAST_SOURCE: source, ZONECAST_CONTROL: zonecast.controlSocket };
  const state = ["--state", zonecast.stateFile, "--listen", `127.0.0.1:${zonecast.port}`];
  const found = await doctor([...flags, ...state], env);
  for (const kind of SECONDARY_KINDS) {
    for (
      const [check, text] of [
        ["udp", /answers over UDP/],
        ["tcp", /answers over TCP/],
        ["notify", /with NOERROR/],
        ["serial", new RegExp(`at our serial ${serial}`)],
        ["content", /are as published/],
      ] as const
    ) assertFound(found, [kind, check, "good", text]);
  }
  assertFound(found, ["nsd", "transfer", "good", /may transfer from 127\.0\.0\.1/]);
  assertFound(found, ["nsd", "tsig", "unknown", /it has no key/]);
  assertFound(found, ["knot", "tsig", "good", /rightly signed with k\.example/]);
  assertFound(found, ["knot", "clock", "good", /its clock is \d+ s/]);
  // On one machine the others' address is Knot's, too.
  assertFound(found, ["knot", "transfer", "bad", /127\.0\.0\.1 may transfer without its key/]);
  assertFound(found, ["server", "running", "good", /a server runs/]);
  assertFound(found, ["server", "source", "good", /it reads postgres/]);
  assertFound(found, ["server", "udp-source", "good", /where they were asked/]);
  assertFound(found, ["server", "strangers", "unknown", /may transfer, so no stranger/]);
  assertFound(found, ["machine", "disk", "good", /free/]);
  assertFound(found, ["machine", "descriptors", "good", /suffice/]);
  const wrong = found.findings.filter(({ verdict }) => verdict === "bad" || verdict === "warning");
  assertEquals([found.code, wrong.length], [3, 1], JSON.stringify(wrong));

  // For people: no colour where there is no terminal, flags from a file; all but Knot.
  const all = [...flags, ...state];
  const flagLines = all.flatMap((flag, at) => at % 2 === 0 ? [`${flag} ${all[at + 1]}`] : []);
  const others = flagLines.filter((line) => !line.includes(" knot="));
  const file = await dir.write("flags", others.join("\n"));
  const { code, stdout } = await zonecastCli(["doctor", "--flags-file", file], { env });
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^server\n {2}good {2}a server runs/);
  assertMatch(stdout, /\nbind\n {2}good {2}127\.0\.0\.1:\d+ answers over UDP/);
  assertMatch(stdout, /\n {2}warn {2}the running server has knot, which these flags do not name\n/);
  assertMatch(stdout, /\n {8}fix: give doctor the server's own flags/);
  assertMatch(stdout, /\n\n1 warning, of \d+ checks\n$/);
  assertEquals(stdout.includes("\x1b"), false);
});

interopTest("doctor: what is wrong with secondaries and server, and what mends it", {
  needs: ["nsd", "bind"],
}, async (t) => {
  await using dir = await tempDir();
  const source = `sqlite:${dir.path}/zones.db`;
  const port = freePort();
  await using zonecast = await startZonecast({
    source,
    port,
    args: ["--allow-transfer", "127.0.0.1", "--listen", `0.0.0.0:${port + 1}`],
  });
  await zonecast.mustCli(["zone", "add", ZONE, "--ns", "ns1.other.example."]);
  await zonecast.mustCli(["set", ZONE, "www", "A", "192.0.2.1"]);
  await zonecast.mustCli(["set", ZONE, "mail", "A", "192.0.2.2"]);
  const serial = await until(async () => {
    const { stdout } = await zonecast.cli(["export", ZONE]);
    return /\nmail\t/.test(stdout) && Number(/with serial (\d+)/.exec(stdout)?.[1]);
  }, { what: "all records published" });
  const env = { ZONECAST_SOURCE: source, ZONECAST_CONTROL: zonecast.controlSocket };
  const examine = (...args: string[]) =>
    doctor(["--state", zonecast.stateFile, "--listen", `127.0.0.1:${port}`, ...args], env);
  const zoneAt = (serial: number, www: string) => ({
    [ZONE]: `@ 3600 SOA ns1.other.example. hostmaster ${serial} 3600 600 1209600 300
@ 3600 NS ns1.other.example.
www 3600 A ${www}
mail 3600 A 192.0.2.2`,
  });

  await t.step("nobody there; a server without the zone; strangers let in", async () => {
    await using empty = await startFilePrimary("nsd", {
      "other.example.": zoneAt(1, "192.0.2.1")[ZONE],
    });
    const found = await examine(
      ...["--secondary", `gone=127.0.0.1:${freePort()}`],
      ...["--secondary", `empty=127.0.0.1:${empty.port},from=192.0.2.7`],
      ...["--allow-transfer", "0.0.0.0/0", "--allow-transfer", "10.0.0.0/7", "--timeout", "2s"],
    );
    assertEquals(found.code, 3);
    assertFound(found, ["gone", "udp", "bad", /does not answer over UDP/, /firewall/]);
    assertFound(found, ["gone", "tcp", "bad", /refuses connections/, /running/]);
    assertFound(found, ["gone", "notify", "bad", /not acknowledged/, /allow-notify/]);
    assertFound(found, ["empty", "udp", "good", /over UDP/]);
    assertFound(found, [
      "empty",
      "notify",
      "bad",
      /with (REFUSED|NOTAUTH|NXDOMAIN)/,
      /take NOTIFY/,
    ]);
    assertFound(found, ["empty", "serial", "bad", /does not serve doctor\.example\./, /configure/]);
    assertFound(found, ["server", "strangers", "bad", /everybody transfer/, /key=KEY/]);
    assertFound(found, ["server", "strangers", "warning", /wide range/, /key=KEY/]);
  });

  await t.step("behind, ahead, and another content at our serial", async () => {
    await using behind = await startFilePrimary("bind", zoneAt(serial - 5, "192.0.2.1"));
    await using ahead = await startFilePrimary("bind", zoneAt(serial + 5, "192.0.2.1"));
    await using other = await startFilePrimary("bind", zoneAt(serial, "192.0.2.99"));
    const found = await examine(
      ...["--secondary", `behind=127.0.0.1:${behind.port}`],
      ...["--secondary", `ahead=127.0.0.1:${ahead.port}`],
      ...["--secondary", `other=127.0.0.1:${other.port}`],
    );
    assertFound(found, ["behind", "serial", "bad", /ours is/, /zonecast status/]);
    assertFound(found, [
      "ahead",
      "serial",
      "bad",
      /has serial/,
      new RegExp(`zonecast serial \\S+ --above ${serial + 5}`),
    ]);
    assertFound(found, ["other", "content", "bad", /1 RRset .*www/, /zonecast verify/]);
  });

  await t.step("keys: not here, not there, a rule without it; addresses of others", async () => {
    await using plain = await startFilePrimary("nsd", zoneAt(serial, "192.0.2.1"));
    const secret = btoa("a secret for the doctor's test ...");
    noteSecret(secret);
    const keyFile = await dir.write(
      "k.key",
      `key "k" { algorithm hmac-sha256; secret "${secret}"; };\n`,
    );
    await Deno.chmod(keyFile, 0o600);
    const secondary = ["--secondary", `plain=127.0.0.1:${plain.port},key=k`, "--timeout", "2s"];
    const keyless = await examine(...secondary);
    assertFound(keyless, ["plain", "tsig", "bad", /there is no key k/, /keygen/]);
    const unsigned = await examine(...secondary, "--tsig-key-file", keyFile);
    assertFound(unsigned, ["plain", "tsig", "bad", /BADKEY|not signed/, /key k\. /]);
    const loose = await examine(
      ...[...secondary, "--tsig-key-file", keyFile, "--allow-transfer", "127.0.0.0/8"],
    );
    assertFound(loose, ["plain", "transfer", "bad", /without its key/, /--allow-transfer/]);
    assertFound(unsigned, ["plain", "transfer", "good", /with the key k/]);
  });

  await t.step("the running server lets this machine transfer, its flags here do not", async () => {
    const found = await examine("--secondary", "far=192.0.2.1,watch=off,notify=off");
    assertFound(found, [
      "server",
      "strangers",
      "bad",
      /which these flags do not allow/,
      /other flags/,
    ]);
    assertFound(found, ["far", "serial", "unknown", /not watched/]);
    assertFound(found, ["far", "notify", "unknown", /notify=off/]);
  });

  await t.step("a wildcard's answers leave from another address", async () => {
    const found = await examine("--allow-transfer", "127.0.0.1");
    assertFound(found, [
      "server",
      "udp-source",
      "bad",
      new RegExp(`asked at 127\\.0\\.0\\.2:${port + 1} is answered from 127\\.0\\.0\\.1`),
      /name each address with --listen/,
    ]);
  });

  await t.step("room on the disk, descriptors", async () => {
    assertEquals(roomFinding("/x", 10 ** 12, 10 ** 6).verdict, "good");
    assertEquals(roomFinding("/x", 10 ** 8, 10 ** 6).verdict, "warning");
    const full = roomFinding("/x", 10 ** 6, 10 ** 6);
    assertEquals([full.verdict, /free some/.test(full.fix!)], ["bad", true]);
    const nowhere = await doctor(["--state", `${dir.path}/no/such/state.db`], env);
    assertFound(nowhere, ["machine", "disk", "bad", /cannot be looked at/, /--state/]);
    const many = await examine("--max-connections", "1000000");
    assertFound(many, ["machine", "descriptors", "bad", /are needed for 1000000/, /LimitNOFILE/]);
  });
});

systemTest("doctor: strangers are refused; a clock that is off is seen", async (t) => {
  await using dir = await tempDir();
  const source = `sqlite:${dir.path}/zones.db`;
  const keyFile = `${dir.path}/k.key`;
  await zonecastCli(["keygen", "k.example", "--out", keyFile]);
  const secret = /secret "([^"]+)"/.exec(await Deno.readTextFile(keyFile))![1];
  noteSecret(secret);
  const flags = ["--tsig-key-file", keyFile, "--allow-transfer", "127.0.0.1,key=k.example"];
  await using zonecast = await startZonecast({ source, args: flags });
  await zonecast.mustCli(["zone", "add", ZONE, "--ns", "ns1.other.example."]);
  await newSerial(zonecast, ZONE, undefined);
  const env = { ZONECAST_SOURCE: source, ZONECAST_CONTROL: zonecast.controlSocket };
  const look = (...args: string[]) =>
    doctor([...flags, ...args, "--state", zonecast.stateFile, "--timeout", "2s"], env);

  await t.step("with a key alone this machine may transfer", async () => {
    const found = await look();
    assertFound(found, ["server", "strangers", "good", /refuses a transfer/]);
    assertEquals([found.code, found.verdict], [0, "good"], JSON.stringify(found.findings));
  });
  await t.step("BADTIME shows by how much; a clock near the limit is a warning", async () => {
    for (
      const [skew, verdict, shown] of [
        [1000, "bad", /\b(999|100[01]) s ahead of ours/],
        [100, "warning", /\b(99|10[01]) s ahead of ours/],
      ] as const
    ) {
      const port = freePort();
      using _ = signingServer(port, "k.example.", secret, skew);
      const found = await look("--secondary", `off=127.0.0.1:${port},key=k.example`);
      assertFound(found, ["off", "clock", verdict, shown, /NTP/]);
    }
  });
});

/** A server that signs every answer by a clock that is ahead, as nothing real can be made to do. */
function signingServer(port: number, name: string, secret: string, aheadSeconds: number) {
  const octets = Uint8Array.from(atob(secret), (char) => char.charCodeAt(0));
  const key = tsigKey(parseName(name), TSIG_ALGORITHMS[0], octets);
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  const serve = async () => {
    for await (const [message, from] of socket) {
      const now = Math.floor(Date.now() / 1000) + aheadSeconds;
      const tsig = findTsig(message)!;
      const verdict = verifyTsig(message, tsig, findKeyIn([key]), now);
      const reply = message.slice(0, tsig.offset);
      reply[2] |= FLAG.QR >> 8;
      reply.fill(0, 6, 10); // no records but OPT
      reply[11] = readRemains(message).edns ? 1 : 0;
      const isLate = verdict.kind === "untimely";
      reply[3] = reply[3] & 0xf0 | (isLate ? 9 : 5);
      const { message: signed } = signMessage(reply, key, {
        nowSeconds: now,
        requestMac: tsig.mac,
        ...(isLate ? { error: 18, untimely: tsig } : {}),
      });
      await socket.send(signed, from);
    }
  };
  serve().catch(() => {}); // closed
  return { [Symbol.dispose]: () => socket.close() };
}
