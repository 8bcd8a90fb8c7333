/**
 * Keys of a running server: read at the start, changed at SIGHUP, refused where they cannot
 * be used; and the secrets, which no output shows.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { formatName, parseName, TYPE } from "../../lib/dns/mod.ts";
import {
  findTsig,
  findTsigAlgorithm,
  frame,
  FrameReader,
  MessageWriter,
  rcodeName,
  signMessage,
  type TsigKey,
  tsigKey,
} from "../../lib/wire/mod.ts";
import { systemTest } from "../support/interop.ts";
import { mustRun } from "../support/processes.ts";
import { noteSecret } from "../support/secrets.ts";
import { mustZonecast, serveZones } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { type Zonecast, zonecastCli } from "../support/zonecast.ts";

const ZONE = "example.org.";

/** A key with its file's text and all that would give its secret away. */
interface TestKey {
  readonly key: TsigKey;
  readonly name: string;
  readonly text: string;
  readonly traces: readonly string[];
}

function newKey(name: string, algorithm = "hmac-sha256"): TestKey {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const base64 = noteSecret(encodeBase64(secret));
  return {
    key: tsigKey(parseName(name), findTsigAlgorithm(algorithm)!, secret),
    name,
    text: `key "${name}" { algorithm ${algorithm}; secret "${base64}"; };\n`,
    traces: tracesOf(base64),
  };
}

/** The forms in which a secret could be written: base64 and its middle, hexadecimal, numbers. */
function tracesOf(base64: string): string[] {
  const octets = Uint8Array.fromBase64(base64);
  const hex = octets.toHex();
  return [
    base64,
    base64.slice(4, 20),
    hex.slice(0, 16),
    hex.toUpperCase().slice(0, 16),
    octets.join(","),
  ];
}

async function writeKey(path: string, { text }: { text: string }, mode = 0o600): Promise<void> {
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, mode);
}

let nextId = 1;

/** How a signed AXFR is answered: the RCODE, and whether the answer is signed. */
async function axfr({ addr, port }: Zonecast, key?: TsigKey): Promise<string> {
  const writer = new MessageWriter(512);
  // Another each time: the same request again is a replay.
  writer.header(nextId++, 0);
  writer.question({ name: parseName(ZONE), type: TYPE.AXFR, class: 1 });
  const plain = writer.finish();
  const nowSeconds = Math.floor(Date.now() / 1000);
  const message = key ? signMessage(plain, key, { nowSeconds }).message : plain;
  using conn = await Deno.connect({ hostname: addr, port });
  const framed = frame(message);
  for (let at = 0; at < framed.length;) at += await conn.write(framed.subarray(at));
  const reader = new FrameReader();
  const buffer = new Uint8Array(65_536);
  while (true) {
    const length = await conn.read(buffer);
    if (length === null) return "closed";
    for (const answer of reader.feed(buffer.subarray(0, length))) {
      const mac = findTsig(answer)?.mac.length;
      return `${rcodeName(answer[3] & 0xf)}, ${mac ? "signed" : "unsigned"}`;
    }
  }
}

/** Tells the server to read its files again, and waits until it has said what came of it. */
async function reload(server: Zonecast, said: RegExp): Promise<void> {
  const before = server.log().length;
  server.signal("SIGHUP");
  await until(() => said.test(server.log().slice(before)), {
    what: `the log says ${said}`,
    seen: () => server.log().slice(before),
  });
}

/** The NOTIFY messages that come to a port, by the key each is signed with. */
function notifiedPort() {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const keys: string[] = [];
  const listening = (async () => {
    try {
      while (true) {
        const [message] = await socket.receive();
        const tsig = findTsig(message);
        keys.push(tsig ? formatName(tsig.keyName) : "none");
      }
    } catch (error) {
      const isClosed = error instanceof Deno.errors.BadResource ||
        error instanceof Deno.errors.Interrupted;
      if (!isClosed) throw error;
    }
  })();
  return {
    port: socket.addr.transport === "udp" ? socket.addr.port : 0,
    keys,
    async [Symbol.asyncDispose]() {
      socket.close();
      await listening;
    },
  };
}

/** Fails if a text shows a secret; says where, and not what. */
function assertNoSecret(where: string, text: string, keys: readonly TestKey[]): void {
  for (const { name, traces } of keys) {
    for (const [i, trace] of traces.entries()) {
      assert(!text.includes(trace), `${where} shows the secret of ${name} (form ${i})`);
    }
  }
}

systemTest(
  "keys are changed at SIGHUP, two at once in between, and no output shows a secret",
  async (t) => {
    await using dir = await tempDir();
    await using notified = notifiedPort();
    const source = `sqlite:${dir.path}/zones.db`;
    await mustZonecast(source, ["zone", "add", ZONE, "--ns", "ns1"]);
    await mustZonecast(source, ["set", ZONE, "ns1", "A", "192.0.2.53"]);
    const [old, fresh, guest] = [
      newKey("old.key."),
      newKey("new.key."),
      newKey("guest.", "hmac-md5"),
    ];
    const forged = newKey("old.key.");
    const all = [old, fresh, guest, forged];
    const keys = `${dir.path}/keys`;
    await Deno.mkdir(keys);
    await writeKey(`${keys}/old`, old);
    await writeKey(`${keys}/guest`, guest);
    await using server = await serveZones({
      source,
      zones: [ZONE],
      args: [
        ...["--tsig-key-file", keys, "--log-level", "debug"],
        ...["--secondary", `s=127.0.0.1:${notified.port},key=new.key+old.key,watch=off`],
        ...["--allow-transfer", "127.0.0.1,key=guest"],
      ],
    });
    /** How the server answers each key, and a request without one. */
    const answers = async () => ({
      old: await axfr(server, old.key),
      new: await axfr(server, fresh.key),
      guest: await axfr(server, guest.key),
      forged: await axfr(server, forged.key),
      none: await axfr(server),
    });
    const [yes, unknown] = ["NOERROR, signed", "NOTAUTH, unsigned"];
    const always = { guest: yes, forged: unknown, none: "REFUSED, unsigned" };
    /** Makes a change, and waits until NOTIFY comes signed by a key. */
    const signsWith = async (key: TestKey, address: string) => {
      const before = notified.keys.length;
      await server.mustCli(["set", ZONE, "www", "A", address]);
      await until(() => notified.keys.slice(before).includes(key.name), {
        what: `NOTIFY is signed with ${key.name}`,
        seen: () => notified.keys,
      });
    };

    await t.step("the key that is there signs; one that is not is warned of, md5 too", async () => {
      assertEquals(await answers(), { ...always, old: yes, new: unknown });
      await signsWith(old, "192.0.2.1");
      assert(/TSIG key that is named is in no file.*key=new\.key\./.test(server.log()));
      assert(/algorithm is weak.*key=guest\..*hmac-md5/.test(server.log()));
    });
    using open = await Deno.connect({ hostname: server.addr, port: server.port });
    await t.step("both keys at once; the first named signs", async () => {
      await writeKey(`${keys}/new`, fresh);
      await reload(server, /TSIG keys read again.*keys=3/);
      assertEquals(await answers(), { ...always, old: yes, new: yes });
      await signsWith(fresh, "192.0.2.2");
    });
    await t.step("the old key removed", async () => {
      await Deno.remove(`${keys}/old`);
      await reload(server, /TSIG keys read again.*keys=2/);
      assertEquals(await answers(), { ...always, old: unknown, new: yes });
    });
    await t.step("a reload that cannot be leaves the keys as they were", async () => {
      const stay = /the TSIG keys stay as they were/;
      await writeKey(`${keys}/open`, old, 0o644);
      await reload(server, stay);
      await writeKey(`${keys}/open`, { text: old.text.replace("secret", "secret secret") });
      await reload(server, stay);
      await Deno.remove(`${keys}/open`);
      await Deno.rename(`${keys}/new`, `${dir.path}/new`);
      await reload(server, stay);
      assertStringIncludes(server.log(), "There is no TSIG key new.key. or old.key.");
      assertEquals(await answers(), { ...always, old: unknown, new: yes });
      await Deno.rename(`${dir.path}/new`, `${keys}/new`);
      await reload(server, /TSIG keys read again/);
    });
    await t.step("no connection was dropped", async () => {
      const writer = new MessageWriter(512);
      writer.header(9, 0);
      writer.question({ name: parseName(ZONE), type: TYPE.SOA, class: 1 });
      await open.write(frame(writer.finish()));
      assert((await open.read(new Uint8Array(512)) ?? 0) > 12);
    });
    await t.step("log, status, control socket, process list, state file: no secret", async () => {
      const status = await server.mustCli(["status"]);
      assertStringIncludes(status, "s (key new.key., old.key.)");
      assertNoSecret("status", status, all);
      assertNoSecret("the control socket", await server.mustCli(["status", "--json"]), all);
      assertNoSecret("the process list", await mustRun("ps", ["axww", "-o", "args"]), all);
      const proc = `/proc/${server.pid}`;
      assertNoSecret("its environment", await Deno.readTextFile(`${proc}/environ`), all);
      assertNoSecret("the export", await server.mustCli(["export", ZONE]), all);
      await server.stop();
      assert(server.log().length > 2_000, "there is a log");
      assertNoSecret("the log", server.log(), all);
      for await (const { name, isFile } of Deno.readDir(server.dir)) {
        if (!isFile) continue;
        const octets = await Deno.readFile(`${server.dir}/${name}`);
        assertNoSecret(`the file ${name}`, new TextDecoder("latin1").decode(octets), all);
      }
    });
  },
);

systemTest(
  "serve ends with 2 and a reason where keys cannot be used, and shows no secret",
  async (t) => {
    await using dir = await tempDir();
    const key = newKey("own.key.");
    const base64 = key.traces[0];
    const rows: [what: string, text: string, mode: number, said: RegExp][] = [
      ["no file has the key that is named", newKey("other.").text, 0o600, /no TSIG key own\.key\./],
      ["everybody may read the file", key.text, 0o644, /by everybody \(mode 0644\).*chmod 600/s],
      ["everybody may write the file", key.text, 0o602, /by everybody/],
      ["two keys have one name", key.text + key.text, 0o600, /own\.key\. stands in/],
      [
        "an algorithm nobody knows",
        key.text.replace("sha256", "sha3"),
        0o600,
        /has the algorithm "hmac-sha3"/,
      ],
      ["a secret that is no base64", key.text.replace(base64, `!${base64}`), 0o600, /no base64/],
      [
        "a quote that does not end",
        key.text.replace(`"${base64}"`, `"${base64}`),
        0o600,
        /:1: .*does not end/,
      ],
      ["a word too many", key.text.replace("secret", "secret secret"), 0o600, /:1: /],
      [
        "YAML that is none",
        `key:\n - id: own.key\n  secret: ${base64}: [\n`,
        0o600,
        /well-formed YAML/,
      ],
      [
        "YAML without an algorithm",
        `key:\n  - id: own.key\n    secret: ${base64}\n`,
        0o600,
        /has no algorithm/,
      ],
      ["an empty file", "", 0o600, /has no key/],
    ];
    for (const [what, text, mode, said] of rows) {
      await t.step(what, async () => {
        const file = `${dir.path}/key`;
        await writeKey(file, { text }, mode);
        const { code, stdout, stderr } = await zonecastCli([
          ...[
            "serve",
            "--source",
            `sqlite:${dir.path}/zones.db`,
            "--state",
            `${dir.path}/state.db`,
          ],
          ...["--listen", "127.0.0.1:0", "--secondary", "127.0.0.1,key=own.key"],
          ...["--tsig-key-file", file],
        ]);
        assertEquals([code, stdout], [2, ""], stderr);
        assert(said.test(stderr), stderr);
        assertNoSecret("the error", stderr, [key]);
      });
    }
    await t.step("a file that is not there", async () => {
      const { code, stderr } = await zonecastCli([
        ...["serve", "--source", `sqlite:${dir.path}/zones.db`, "--listen", "127.0.0.1:0"],
        ...["--tsig-key-file", `${dir.path}/none`],
      ]);
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, `Cannot read key file ${dir.path}/none`);
    });
  },
);
