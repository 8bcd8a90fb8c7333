/** What the runtime tells of the process and its state file. Effects: reads. */
import process from "node:process";
import type { ProcessReadings, StateReadings } from "./readings.ts";

/** A figure that cannot be had here (no /proc, say) is undefined. */
export function processReadings(): ProcessReadings {
  const { rss, heapUsed } = Deno.memoryUsage();
  const { user, system } = process.cpuUsage();
  return {
    residentOctets: rss,
    heapOctets: heapUsed,
    cpuSeconds: (user + system) / 1e6,
    descriptors: openDescriptors(),
  };
}

function openDescriptors(): number | undefined {
  try {
    let count = 0;
    for (const _ of Deno.readDirSync("/proc/self/fd")) count++;
    return count - 1; // the directory's own
  } catch {
    return undefined; // not on this system
  }
}

/** Sizes of the state file and its log. */
export async function stateReadings(
  path: string,
): Promise<Pick<StateReadings, "octets" | "walOctets">> {
  const [octets, walOctets] = await Promise.all([sizeOf(path), sizeOf(`${path}-wal`)]);
  return { octets, walOctets };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch {
    return undefined; // deleted, or out of reach: publishing will say so
  }
}
