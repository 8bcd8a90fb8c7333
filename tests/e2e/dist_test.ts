/**
 * The release folder, in its short form: with the executable that `make build` has made. And the
 * first walk of somebody who has nothing but that folder.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { run, spawn, which } from "../support/processes.ts";
import { newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { untilListening } from "../support/dns_server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const BINARY = `${ROOT}dist/zonecast`;
const EXECUTABLE = `zonecast-${Deno.build.arch}-linux`;
/** Only `make test` is sure to have built an executable that is not an old one. */
const isBuilt = Deno.env.has("ZONECAST_TEST_BINARY");

/** Makes the folder from the executable there is. */
async function makeDist(out: string): Promise<void> {
  const dist = ["run", "--no-prompt", "--no-check", "--allow-all", "--config", `${ROOT}deno.json`];
  const { code, stderr } = await run(Deno.execPath(), [
    ...dist,
    `${ROOT}.ci/dist.ts`,
    `--out=${out}`,
    `--executable=${BINARY}`,
  ]);
  assertEquals(code, 0, stderr);
}

/** A directory with the executable, the libraries it is linked with, and nothing else of a system. */
async function bareMachine(path: string, executable: string): Promise<void> {
  for (
    const name of [
      "usr/local/bin",
      "etc/zonecast",
      "tmp",
      "var/lib/zonecast",
      "run/zonecast",
      "proc",
      "dev",
    ]
  ) {
    await Deno.mkdir(`${path}/${name}`, { recursive: true });
  }
  await Deno.copyFile(executable, `${path}/usr/local/bin/zonecast`);
  const { stdout } = await run("ldd", [executable]);
  for (const [library] of stdout.matchAll(/\/\S+(?= \(0x)/g)) {
    await Deno.mkdir(`${path}${library.replace(/\/[^/]*$/, "")}`, { recursive: true });
    await Deno.copyFile(library, `${path}${library}`);
  }
}

/**
 * Arguments of unshare(1) that run a command with that directory for all there is of a system, and
 * these variables for an environment. The network is the test's own, and so is /proc, in which the
 * runtime looks for its executable; it is mounted for this process alone.
 */
function onBareMachine(root: string, env: readonly string[], command: readonly string[]): string[] {
  const chroot = which("chroot") ?? "/usr/sbin/chroot";
  const script = 'mount --bind /proc "$0/proc" && exec env -i "$@"';
  return ["--mount", "sh", "-c", script, root, ...env, chroot, root, ...command];
}

interopTest("the release, and a first walk on a clean machine with nothing else", {
  ignore: !isBuilt
    ? "only `make test` builds the executable first"
    : Deno.uid() === 0
    ? undefined
    : "only root may make what it runs in",
}, async (t) => {
  await using dir = await tempDir();
  const out = `${dir.path}/dist`;
  await makeDist(out);
  const names = Array.from(Deno.readDirSync(out), ({ name }) => name).sort();

  await t.step("every file, the executable alone executable", () => {
    assertEquals(
      names,
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "SHA256SUMS",
        "_zonecast",
        EXECUTABLE,
        "zonecast.8",
        "zonecast.bash",
        "zonecast.fish",
        "zonecast.flags",
        "zonecast.service",
      ].sort(),
    );
    for (const name of names) {
      assertEquals(
        Deno.statSync(`${out}/${name}`).mode! & 0o777,
        name === EXECUTABLE ? 0o755 : 0o644,
      );
    }
  });
  await t.step("the sums are of all of them", async () => {
    const { code, stdout } = await run("sha256sum", ["--check", "SHA256SUMS"], { cwd: out });
    assertEquals([code, stdout.trim().split("\n").length], [0, names.length - 1]);
  });
  await t.step("the unit starts what is installed, with the flags file", async () => {
    const unit = await Deno.readTextFile(`${out}/zonecast.service`);
    assertMatch(
      unit,
      /^ExecStart=\/usr\/local\/bin\/zonecast serve --flags-file \/etc\/zonecast\/flags$/m,
    );
  });

  const root = `${dir.path}/root`;
  await bareMachine(root, `${out}/${EXECUTABLE}`);
  const zonecast = (...args: string[]) =>
    run("unshare", onBareMachine(root, [], ["/usr/local/bin/zonecast", ...args]));
  const [port, http] = [freePort(), freePort()];
  const FLAGS = "/etc/zonecast/flags";
  const control = "/run/zonecast/control.sock";

  await t.step("it runs", async () => {
    const { code, stdout } = await zonecast("version");
    assertEquals(code, 0);
    assertMatch(stdout, /^zonecast \d/);
  });
  await t.step("its flags file, made out of the example", async () => {
    const example = await Deno.readTextFile(`${out}/zonecast.flags`);
    await Deno.writeTextFile(root + FLAGS, example);
    assertEquals((await zonecast("check-flags", FLAGS)).code, 0);
    const flags = example
      .replace(/^source .*/m, "source sqlite:/var/lib/zonecast/zones.db")
      .replace(/^listen .*/m, `listen 127.0.0.1:${port}`)
      .replace(/^http .*/m, `http 127.0.0.1:${http}`)
      // So few connections that the descriptors of any machine suffice.
      .concat("max-connections 100\n");
    await Deno.writeTextFile(root + FLAGS, flags + "lisen 127.0.0.1\n");
    const slip = await zonecast("check-flags", FLAGS);
    assertEquals(slip.code, 2);
    assertMatch(slip.stderr, /\/etc\/zonecast\/flags:\d+: .*did you mean --listen\?/);
    await Deno.writeTextFile(root + FLAGS, flags);
    const { code, stdout } = await zonecast("check-flags", FLAGS);
    assertEquals([code, stdout], [0, "good: 4 flags set\n"]);
  });
  await t.step("a zone", async () => {
    const source = ["--source", "sqlite:/var/lib/zonecast/zones.db"];
    const added = await zonecast(
      "zone",
      "add",
      "example.org",
      "--ns",
      "ns1.provider.example.",
      ...source,
    );
    assertEquals([added.code, added.stderr], [0, ""]);
  });
  await t.step(
    "started by the unit's own line, it serves, and doctor finds nothing bad",
    async () => {
      const unit = (await zonecast("systemd-unit", "--flags-file", FLAGS)).stdout;
      const [, line] = /^ExecStart=(.*)$/m.exec(unit)!;
      // What systemd gives it, by the unit's StateDirectory and RuntimeDirectory.
      const given = ["STATE_DIRECTORY=/var/lib/zonecast", "RUNTIME_DIRECTORY=/run/zonecast"];
      await using server = spawn("unshare", onBareMachine(root, given, line.split(" ")), {
        name: "zonecast",
      });
      const address = { addr: "127.0.0.1", port };
      await untilListening(address, server);
      await newSerial(address, "example.org.", undefined);
      const doctor = await zonecast(
        "doctor",
        "--flags-file",
        FLAGS,
        "--control",
        control,
        "--state",
        "/var/lib/zonecast/zonecast.db",
      );
      assertEquals([doctor.code, doctor.stderr], [0, ""], doctor.stdout);
      assertStringIncludes(doctor.stdout, "server\n");
      const status = await zonecast("status", "--control", control);
      assertMatch(status.stdout, /^example\.org\. +\d+ /m);
      const ready = await fetch(`http://127.0.0.1:${http}/readyz`);
      assertEquals([ready.status, await ready.text().then((text) => text.length > 0)], [200, true]);
      server.signal("SIGTERM");
      assertEquals((await server.ended).code, 0);
      assert(!server.log().includes("level=error"), server.log());
    },
  );
});
