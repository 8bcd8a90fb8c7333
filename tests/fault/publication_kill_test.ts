/** kill -9 at every step of a publication: no serial has two contents, none goes back. */
import { assert, assertEquals } from "@std/assert";
import { openEditor, type SourceEditor } from "../../lib/source/mod.ts";
import { axfr, query, serialOf, type Server } from "../support/dns_client.ts";
import { recordText } from "../support/ixfr.ts";
import { freePort } from "../support/ports.ts";
import { type Running, spawn } from "../support/processes.ts";
import { startFakeSecondary } from "../support/secondary_fake.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { ZONE_SETTINGS } from "../support/zone_settings.ts";

const ROUNDS = 3;
const STEPS = ["before-commit", "after-commit", "before-notify", "after-notify"];
const ZONE = "example.org";

/** All that was ever served, and the newest serial of it. */
class Served {
  readonly #contents = new Map<number, string>();
  newest = 0;

  async look(server: Server): Promise<void> {
    const { rcode, records } = await axfr(server, ZONE, 2000);
    const soa = records[0];
    if (soa?.type !== "SOA") throw new Error(`no zone yet: ${rcode}`);
    const serial = soa.data.serial!;
    const content = records.map(recordText).sort().join("\n");
    assertEquals(
      this.#contents.get(serial) ?? content,
      content,
      `serial ${serial} has two contents`,
    );
    assert(serial >= this.newest, `serial ${serial} after ${this.newest}`);
    this.#contents.set(serial, content);
    this.newest = serial;
  }

  /** Looks until the process has ended; what it was cut off in counts for nothing. */
  async lookWhile(server: Server, process: Running): Promise<void> {
    while (process.alive) {
      try {
        await this.look(server);
      } catch (error) {
        // The server is killed under the transfer: only what arrived whole is judged.
        if (error instanceof Error && error.name === "AssertionError") throw error;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  }
}

function start(dir: string, port: number, secondary: number, step: string): Running {
  const script = new URL("crash_server.ts", import.meta.url).pathname;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  return spawn(Deno.execPath(), [
    "run",
    "--no-check",
    "--quiet",
    "-A",
    `--config=${config}`,
    script,
    `sqlite:${dir}/records.db`,
    `${dir}/state.db`,
    String(port),
    String(secondary),
    step,
  ], { name: `crash server (${step})` });
}

async function addZone(editor: SourceEditor, name = ZONE): Promise<void> {
  await editor.addZone({ ...ZONE_SETTINGS, name }, [{
    name: "@",
    type: "NS",
    content: "ns1.example.net.",
    ttl: null,
  }]);
}

for (const step of STEPS) {
  Deno.test(`killed ${step}: after the restart the change is served, by a serial not used before`, async () => {
    await using dir = await tempDir();
    await using secondary = await startFakeSecondary({ reaction: "acknowledge" });
    const editor = await openEditor(`sqlite:${dir.path}/records.db`);
    try {
      await addZone(editor);
      const port = freePort();
      const server = { addr: "127.0.0.1", port };
      const served = new Served();
      for (let round = 0; round < ROUNDS; round++) {
        await editor.setRecord(ZONE, {
          name: `r${round}`,
          type: "A",
          content: "192.0.2.1",
          ttl: null,
        });
        await using killed = start(dir.path, port, secondary.port, step);
        await served.lookWhile(server, killed);
        assertEquals((await killed.ended).signal, "SIGKILL");
        const before = secondary.notifies.length;
        await using running = start(dir.path, port, secondary.port, "none");
        await until(async () => {
          assert(running.alive, running.log());
          if (await serialOf(server, ZONE) === undefined) return false;
          await served.look(server);
          const { records } = await axfr(server, ZONE);
          return records.some((record) => record.name === `r${round}.${ZONE}`);
        }, { what: "the change served after the restart" });
        await until(() => secondary.notifies.length > before, { what: "NOTIFY after the restart" });
      }
    } finally {
      await editor.close();
    }
  });
}

/** The zones that have the record `www`. */
async function zonesWithChange(server: Server, zones: readonly string[]): Promise<number> {
  let count = 0;
  for (const zone of zones) {
    const { answers } = await query(server, `www.${zone}`, "A");
    if (answers && answers.length > 0) count++;
  }
  return count;
}

Deno.test("killed before and after the commit of a change in each of a thousand zones: none is lost", async () => {
  await using dir = await tempDir();
  await using secondary = await startFakeSecondary({ reaction: "acknowledge" });
  const editor = await openEditor(`sqlite:${dir.path}/records.db`);
  const port = freePort();
  const server = { addr: "127.0.0.1", port };
  const zones = Array.from({ length: 1000 }, (_, i) => `z${i}.example`);
  const servedAll = (running: Running) => async () => {
    assert(running.alive, running.log());
    return await serialOf(server, zones[0]) !== undefined &&
      await serialOf(server, zones[999]) !== undefined;
  };
  try {
    for (const zone of zones) await addZone(editor, zone);
    {
      await using first = start(dir.path, port, secondary.port, "none");
      await until(servedAll(first), { what: "a thousand zones served" });
      assertEquals(await zonesWithChange(server, zones), 0);
    }
    for (const zone of zones) {
      await editor.setRecord(zone, { name: "www", type: "A", content: "192.0.2.1", ttl: null });
    }
    for (const step of ["before-commit", "after-commit"]) {
      await using killed = start(dir.path, port, secondary.port, step);
      assertEquals((await killed.ended).signal, "SIGKILL");
    }
    await using running = start(dir.path, port, secondary.port, "none");
    await until(servedAll(running), { what: "the zones served again" });
    await until(async () => await zonesWithChange(server, zones) === 1000, {
      what: "the change in every zone",
    });
  } finally {
    await editor.close();
  }
});
