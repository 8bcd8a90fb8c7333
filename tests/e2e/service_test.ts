/**
 * zonecast as a service: the unit it prints, what it tells the service manager, reload and end.
 *
 * systemd itself does not run where these tests do: its own analysis judges the unit, strace
 * the system calls, and a socket of the test's own hears what is told.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { streamEncode } from "dns-packet";
import { Service } from "../../lib/cli/service.ts";
import { createLogger } from "../../lib/ops/mod.ts";
import { query } from "../support/dns_client.ts";
import { interopTest, systemTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { mustRun, run, spawn } from "../support/processes.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { makeSite, type Site } from "../unit/cli/served.ts";
import { zonecast } from "../unit/cli/context.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BINARY = `${ROOT}dist/zonecast`;
/** Highest exposure that `systemd-analyze security` may give. */
const MAX_EXPOSURE = 2.0;

async function printUnit(...args: string[]): Promise<string> {
  const { code, out, err } = await zonecast(["systemd-unit", ...args]);
  assertEquals([code, err], [0, ""]);
  return out;
}

async function siteWithZone(): Promise<Site> {
  const site = await makeSite();
  await site.must("zone", "add", "example.org", "--ns", "ns1");
  await site.must("set", "example.org", "ns1", "A", "192.0.2.1");
  return site;
}

interopTest("systemd-unit: systemd takes it, and finds little exposed", {
  needs: ["systemd"],
}, async (t) => {
  await using dir = await tempDir();
  const unit = await printUnit(
    ...["--executable", Deno.execPath(), "--listen", "198.51.100.1:53"],
    ...["--tsig-key-file", "/etc/zonecast/keys", "--control-group", "adm"],
    ...["--password-file", "/etc/zonecast/password", "--server-id", "a b%c$d"],
    ...["--listen-tls", "198.51.100.1:853", "--tls-cert=/etc/tls.pem", "--tls-key", "/etc/tls.key"],
  );
  const file = await dir.write("zonecast.service", unit);
  await t.step("verify", async () => {
    const { code, stderr } = await run("systemd-analyze", ["verify", file]);
    assertEquals([code, stderr], [0, ""]);
  });
  await t.step("security", async () => {
    const text = await mustRun("systemd-analyze", [
      "security",
      "--offline=yes",
      "--no-pager",
      file,
    ]);
    const [, exposure] = /Overall exposure level for zonecast\.service: ([\d.]+)/.exec(text) ?? [];
    assert(Number(exposure) <= MAX_EXPOSURE, `${exposure}: ${text}`);
  });
  await t.step("keys and password are credentials, and words are quoted", () => {
    assertStringIncludes(unit, "\nLoadCredential=tsig-1:/etc/zonecast/keys\n");
    assertStringIncludes(unit, "\nLoadCredential=postgres-password:/etc/zonecast/password\n");
    const [, command] = /^ExecStart=(.*)$/m.exec(unit)!;
    assertStringIncludes(
      command,
      'serve --listen 198.51.100.1:53 --control-group adm --server-id "a b%%c$$d" ' +
        "--listen-tls 198.51.100.1:853",
    );
    assertMatch(command, /:853$/);
  });
  await t.step("TLS: its files are credentials, loopback and port 853 are allowed", () => {
    assertStringIncludes(unit, "\nLoadCredential=tls-cert:/etc/tls.pem\n");
    assertStringIncludes(unit, "\nLoadCredential=tls-key:/etc/tls.key\n");
    assertStringIncludes(unit, "\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n");
    // What comes over TLS goes through a connection of the server to itself.
    assertMatch(unit, /^RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX$/m);
    assertEquals(/^(IPAddressDeny|SocketBind|PrivateNetwork|RestrictNetwork)/m.test(unit), false);
  });
  await t.step(
    "a relative path of a credential is refused: systemd reads it elsewhere",
    async () => {
      const { code, err } = await zonecast(["systemd-unit", "--tsig-key-file", "keys/ns1.key"]);
      assertEquals([code, err.includes("keys/ns1.key")], [2, true]);
      const unit = await printUnit("--tsig-key-file", "/etc/100%/ns1.key");
      assertStringIncludes(unit, "\nLoadCredential=tsig-1:/etc/100%%/ns1.key\n");
    },
  );
  await t.step("a password in the URL is refused, unquoted", async () => {
    const { code, err } = await zonecast(["systemd-unit", "--source", "postgres://u:geheim@h/d"]);
    assertEquals([code, err.includes("geheim")], [2, false]);
  });
});

/** The system calls that a unit's filter lets through. */
async function allowedCalls(unit: string): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const [, not, words] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const call of await callsOf(words.split(" "))) {
      if (not) allowed.delete(call);
      else allowed.add(call);
    }
  }
  return allowed;
}

async function callsOf(words: string[]): Promise<string[]> {
  const calls = words.filter((word) => !word.startsWith("@"));
  for (const set of words.filter((word) => word.startsWith("@"))) {
    const text = await mustRun("systemd-analyze", ["syscall-filter", set]);
    const lines = text.split("\n").slice(1).map((line) => line.trim());
    calls.push(...await callsOf(lines.filter((line) => line !== "" && !line.startsWith("#"))));
  }
  return calls;
}

interopTest("systemd-unit: its filter has every system call that the server makes", {
  needs: ["systemd", "strace", "openssl"],
  ignore: Deno.env.has("ZONECAST_TEST_BINARY") ? undefined : "only `make test` builds it first",
}, async () => {
  await using site = await siteWithZone();
  const port = freePort();
  const tlsPort = freePort();
  const httpPort = freePort();
  const flags = await site.write("flags", "allow-transfer 127.0.0.1\n");
  const [cert, key] = [`${site.path}/cert.pem`, `${site.path}/key.pem`];
  await mustRun("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/CN=zonecast", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
  ]);
  await using traced = spawn("strace", [
    ...["-f", "-c", "-o", `${site.path}/calls`, BINARY, "serve", "--log-format", "logfmt"],
    ...["--source", `sqlite:${site.path}/zones.db`, "--state", `${site.path}/state.db`],
    ...["--listen", `127.0.0.1:${port}`, "--flags-file", flags, "--control-group", "0"],
    ...["--listen-tls", `127.0.0.1:${tlsPort}`, "--tls-cert", cert, "--tls-key", key],
    ...["--http", `127.0.0.1:${httpPort}`],
  ], { name: "strace" });
  const [, pid] = await traced.logged(/event=starting .*pid=(\d+)/);
  try {
    await traced.logged(/event="zone published"/);
    const server = { addr: "127.0.0.1", port };
    assertEquals((await query(server, "ns1.example.org", "A")).answers?.length, 1);
    await transfer(await Deno.connect({ hostname: "127.0.0.1", port }));
    const caCerts = [await Deno.readTextFile(cert)];
    const dot = { hostname: "127.0.0.1", port: tlsPort, caCerts, alpnProtocols: ["dot"] };
    await transfer(await Deno.connectTls(dot));
    await site.must("status");
    for (const path of ["", "metrics", "page/log.json?zone=example.org"]) {
      assertEquals(await httpStatus(`http://127.0.0.1:${httpPort}/${path}`), 200, path);
    }
    await Deno.writeTextFile(flags, "allow-transfer 127.0.0.0/8\n");
    Deno.kill(Number(pid), "SIGHUP");
    await traced.logged(/event="flags changed"/);
  } finally {
    Deno.kill(Number(pid), "SIGTERM");
  }
  assertEquals((await traced.ended).code, 0);
  const table = await Deno.readTextFile(`${site.path}/calls`);
  const called = table.split("\n").map((line) => line.trim().split(/\s+/).at(-1) ?? "")
    .filter((name) => /^[a-z][a-z0-9_]+$/.test(name) && !["syscall", "total"].includes(name));
  assert(called.length > 30, table);
  const allowed = await allowedCalls(await printUnit());
  assertEquals(called.filter((name) => !allowed.has(name)), []);
});

/** The status of what is answered, read to its end. */
async function httpStatus(url: string): Promise<number> {
  const answer = await fetch(url);
  await answer.text();
  return answer.status;
}

const AXFR = streamEncode({
  id: 1,
  type: "query",
  questions: [{ name: "example.org", type: "AXFR" }],
});

/** One whole transfer of a zone of one message. */
async function transfer(peer: Deno.Conn): Promise<void> {
  using conn = peer;
  await conn.write(AXFR);
  const head = new Uint8Array(14);
  await conn.read(head);
  assertEquals(head[5] & 15, 0, "RCODE");
}

/** A service manager's end: all that was told, a line each. */
class Manager {
  told = "";
  readonly #socket: Deno.DatagramConn;
  readonly #hearing: Promise<void>;

  constructor(readonly path: string) {
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path });
    this.#hearing = this.#hear();
  }

  async #hear(): Promise<void> {
    try {
      while (true) this.told += `${new TextDecoder().decode((await this.#socket.receive())[0])}\n`;
    } catch {
      // closed
    }
  }

  async hears(pattern: RegExp): Promise<void> {
    await until(() => pattern.test(this.told), { what: `told ${pattern}`, seen: () => this.told });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#hearing;
  }
}

systemTest("serve: tells the service manager of start, life, reload and end", async (t) => {
  await using site = await siteWithZone();
  await using manager = new Manager(`${site.path}/notify`);
  const env = { NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: "900000" };
  await using server = site.serve([], env);
  await t.step("READY once it serves, then STATUS", async () => {
    await manager.hears(/^READY=1\nSTATUS=serving /m);
    await manager.hears(/STATUS=serving 1 zone$/m);
  });
  await t.step("the watchdog is fed", () => manager.hears(/(WATCHDOG=1\n[^]*){3}/));
  await t.step("RELOADING, and READY again", async () => {
    manager.told = "";
    server.signal("SIGHUP");
    await manager.hears(/RELOADING=1\n[^]*READY=1/);
  });
  await t.step("STOPPING at the end, and no socket stays", async () => {
    assertEquals((await server.stop("SIGTERM")).code, 0);
    await manager.hears(/STOPPING=1/);
    const left = [...Deno.readDirSync(site.path)].map(({ name }) => name);
    assertEquals(left.filter((name) => /\.sock/.test(name)), []);
  });
});

Deno.test("service: the watchdog is not fed when our own listener does not answer", async () => {
  await using dir = await tempDir();
  await using manager = new Manager(`${dir.path}/notify`);
  const lines: string[] = [];
  const log = createLogger({ format: "logfmt", level: "info", write: (line) => lines.push(line) });
  const watched = { notifySocket: manager.path, watchdogMs: 300 };
  const service = new Service(watched, `${dir.path}/own`, log);
  try {
    const addresses = [{ ip: "127.0.0.1", port: freePort() }];
    await service.ready({ addresses, summary: "serving" });
    await until(() => lines.some((line) => line.includes("watchdog is not fed")), { what: "said" });
    await service.stopping();
    await manager.hears(/STOPPING=1/);
    assertEquals(manager.told.includes("WATCHDOG"), false);
  } finally {
    service.close();
    await until(() => !service.isLooking, { what: "the last look is over" });
  }
});

systemTest("serve --flags-file: SIGHUP takes what may change, on live connections", async (t) => {
  await using site = await siteWithZone();
  const port = freePort();
  const flags = await site.write(
    "flags",
    "# who may\nallow-transfer 192.0.2.1\n\n--log-level=info\n",
  );
  await using server = site.serve(["--listen", `127.0.0.1:${port}`, "--flags-file", flags]);
  await server.logged(/event="zone published"/);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const rcode = async () => {
    await conn.write(AXFR);
    const message = new Uint8Array(65_537);
    const read = await conn.read(message);
    assert(read !== null && read >= 14, "the connection is open");
    return message[5] & 15;
  };
  assertEquals(await rcode(), 5);

  await t.step("what may change changes", async () => {
    await Deno.writeTextFile(flags, "allow-transfer 127.0.0.1\n");
    server.signal("SIGHUP");
    await server.logged(/event="flags changed" flags=--allow-transfer/);
    assertEquals(await rcode(), 0);
  });
  await t.step("what may not is named, and the rest is taken", async () => {
    await Deno.writeTextFile(flags, "allow-transfer 127.0.0.2\nmax-transfers 7\n");
    server.signal("SIGHUP");
    await server.logged(/event="flags have changed that need a restart" flags=--max-transfers/);
    await until(async () => await rcode() === 5, { what: "the transfer is refused" });
  });
  await t.step("a file with a mistake changes nothing, and the log says where", async () => {
    await Deno.writeTextFile(flags, "allow-transfer 127.0.0.1\nmax-transfers many\n");
    server.signal("SIGHUP");
    await server.logged(/event="the flags stay as they were".*flags:2: /);
    assertEquals(await rcode(), 5);
  });
  await t.step("at the start a mistake is exit code 2", async () => {
    await using wrong = site.serve(["--flags-file", flags]);
    assertEquals((await wrong.ended).code, 2);
    assertMatch(wrong.log(), /flags:2: --max-transfers/);
  });
});

systemTest(
  "serve: only owner and group may use the control socket and read the state",
  async () => {
    await using site = await siteWithZone();
    const group = Deno.uid() === 0 ? "12345" : String(Deno.gid());
    await using server = site.serve(["--control-group", group]);
    await server.logged(/event="zone published"/);
    const control = await Deno.stat(`${site.path}/state.db.sock`);
    assertEquals([(control.mode! & 0o777).toString(8), control.gid], ["660", Number(group)]);
    for (const suffix of ["", "-wal", "-shm", ".lock"]) {
      const { mode } = await Deno.stat(`${site.path}/state.db${suffix}`);
      assertEquals((mode! & 0o777).toString(8), "600", suffix);
    }
    await site.must("status");
    await using other = await siteWithZone();
    await using wrong = other.serve(["--control-group", "no-such-group"]);
    assertEquals((await wrong.ended).code, 1);
    assertMatch(wrong.log(), /\/etc\/group has none of this name/);
  },
);

systemTest("serve: SIGTERM lets a running transfer end, within --drain-timeout", async (t) => {
  await using site = await siteWithZone();
  const lines = Array.from({ length: 60_000 }, (_, n) => `t${n} 60 TXT "${"x".repeat(250)}"`);
  const zone = ["@ 60 SOA a b 1 2 3 4 5", "@ 60 NS ns.b.", ...lines].join("\n");
  assertEquals((await site.run(["import", "example.org", "-"], zone)).code, 0);
  for (
    const [name, drain, isWhole] of [["it ends", "60s", true], ["it is cut", "1s", false]] as const
  ) {
    await t.step(name, async () => {
      const port = freePort();
      await using server = site.serve([
        ...["--listen", `127.0.0.1:${port}`, "--allow-transfer", "127.0.0.1"],
        ...["--drain-timeout", drain],
      ]);
      await server.logged(/event="?(zone published|serving)/);
      await until(
        async () => /t59999/.test((await site.run(["export", "example.org"])).out),
        { what: "the zone is served" },
      );
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await conn.write(AXFR);
      await conn.read(new Uint8Array(2));
      server.signal("SIGTERM");
      await server.logged(/event=stopping/);
      if (!isWhole) await server.ended; // nobody reads
      let octets = 0;
      const part = new Uint8Array(1 << 20);
      try {
        for (let read = await conn.read(part); read !== null; read = await conn.read(part)) {
          octets += read;
        }
      } catch {
        // Reset: cut.
      }
      await server.ended;
      assertEquals(octets > 15_000_000, isWhole, `${octets} octets`);
    });
  }
});
