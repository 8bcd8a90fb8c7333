/**
 * The release's executable for aarch64, under QEMU: `make dist-test`. It takes a minute, for every
 * instruction is emulated, and so is no part of `make test`, as its name has it.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { untilListening } from "../support/dns_server.ts";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { run, spawn } from "../support/processes.ts";
import { newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";

/** The executable to run. */
const EXECUTABLE = Deno.env.get("ZONECAST_TEST_AARCH64")!;
/** Debian's libraries for aarch64, as packages for cross-compiling bring them. */
const LIBRARIES = "/usr/aarch64-linux-gnu";
/** Compiling the program's JavaScript alone takes most of it. */
const PATIENCE_MS = 180_000;

interopTest("aarch64: the executable says what it is, writes a zone, serves and transfers it", {
  needs: ["qemu", "dig"],
}, async () => {
  await using dir = await tempDir();
  const zonecast = ["-L", LIBRARIES, EXECUTABLE];
  const source = ["--source", `sqlite:${dir.path}/zones.db`];
  const version = await run("qemu-aarch64", [...zonecast, "version"]);
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /aarch64-unknown-linux-gnu\)\n$/);
  const add = ["zone", "add", "example.org", "--ns", "ns1.provider.example.", ...source];
  const added = await run("qemu-aarch64", [...zonecast, ...add]);
  assertEquals([added.code, added.stderr], [0, ""]);
  const address = { addr: "127.0.0.1", port: freePort() };
  const serve = ["serve", ...source, "--state", `${dir.path}/state.db`, "--listen"];
  await using server = spawn("qemu-aarch64", [
    ...[...zonecast, ...serve, `127.0.0.1:${address.port}`],
    ...["--allow-transfer", "127.0.0.1"],
  ], { name: "zonecast" });
  await untilListening(address, server, PATIENCE_MS);
  const serial = await newSerial(address, "example.org.", undefined, PATIENCE_MS);
  const port = ["-p", String(address.port)];
  const transfer = await run("dig", [
    "@127.0.0.1",
    ...port,
    "+noall",
    "+answer",
    "example.org",
    "AXFR",
  ]);
  assertEquals(transfer.stdout.match(new RegExp(` ${serial} `, "g"))?.length, 2, transfer.stdout);
  server.signal("SIGTERM");
  assertEquals((await server.ended).code, 0);
});
