import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openStateFile, setAside, StateError } from "../../../lib/store/mod.ts";
import { spawn } from "../../support/processes.ts";
import { tempDir } from "../../support/tempdir.ts";

const PUBLISHER = new URL("./publisher.ts", import.meta.url).pathname;

Deno.test("a second server is refused at once, with file and process named, until the first ends", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  await using first = spawn(Deno.execPath(), ["run", "--no-check", "-A", PUBLISHER, path, "hold"]);
  await first.logged(/open/);

  const error = await assertRejects(() => openStateFile(path), StateError);
  assertEquals(error.code, "state-in-use");
  assert(error.message.includes(path) && error.message.includes(String(first.pid)), error.message);
  assert(error.hint?.includes("--state"));
  assertEquals(assertThrows(() => setAside(path), StateError).code, "state-in-use");

  const reader = await openStateFile(path, { readOnly: true });
  assertEquals((await reader.load()).zones, []);
  await reader.close();

  await first.stop("SIGKILL");
  const second = await openStateFile(path); // the lock file is still there
  await second.close();
});

Deno.test("a second server is refused by whatever path it comes", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  const first = await openStateFile(path);
  await Deno.symlink(path, `${dir.path}/link.db`);
  await Deno.symlink(dir.path, `${dir.path}/here`);
  for (const other of ["link.db", "here/state.db", "./state.db"]) {
    const open = () => openStateFile(`${dir.path}/${other}`);
    assertEquals((await assertRejects(open, StateError)).code, "state-in-use", other);
  }
  await first.close();
});

Deno.test("the lock goes with close(), and with an opening that failed", async () => {
  await using dir = await tempDir();
  const path = `${dir.path}/state.db`;
  for (let i = 0; i < 3; i++) await (await openStateFile(path)).close();
  await Deno.writeTextFile(path, "this is no database ".repeat(500));
  for (let i = 0; i < 2; i++) {
    const error = await assertRejects(() => openStateFile(path), StateError);
    assertEquals(error.code, "state-damaged");
  }
});
