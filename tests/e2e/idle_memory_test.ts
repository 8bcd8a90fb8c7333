/** Memory of a server that has started: what only the start needed is given back. */
import { systemTest } from "../support/interop.ts";
import { pidOf } from "../support/process_figures.ts";
import { mustZonecast, newSerial } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { startZonecast } from "../support/zonecast.ts";

const MIB = 2 ** 20;

/** Octets resident of the program's own file where nothing can be written. */
function programOctets(pid: number): number {
  const program = Deno.readLinkSync(`/proc/${pid}/exe`);
  let octets = 0;
  let isProgram = false;
  for (const line of Deno.readTextFileSync(`/proc/${pid}/smaps`).split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) {
      isProgram = line.endsWith(program) && line.split(" ")[1][1] === "-";
    } else if (isProgram) octets += Number(/^Rss: +(\d+) kB/.exec(line)?.[1] ?? 0) * 1024;
  }
  return octets;
}

systemTest(
  "pages of the program that only the start needed do not stay with a server, and it serves on",
  async () => {
    await using dir = await tempDir("zonecast-idle-");
    const source = `sqlite:${dir.path}/zones.db`;
    await mustZonecast(source, ["zone", "add", "idle.example", "--ns", "ns.example."]);
    let most = 0;
    // From its first moment on: the pages go a third of a second after it has started.
    const [started] = await Promise.all([
      startZonecast({ source }),
      until(() => {
        const now = programOctets(pidOf("zonecast"));
        most = Math.max(most, now);
        return now < most - 15 * MIB;
      }, { what: "pages of the program are given back", intervalMs: 5 }),
    ]);
    await using zonecast = started;
    await zonecast.mustCli(["status"]);
    await newSerial(zonecast, "idle.example.", undefined);
  },
);
