/** CPU time of a process, as the kernel counts it (Linux). */
import { sleep } from "../support/wait.ts";
import { median } from "./statistics.ts";

/** Seconds of CPU that all threads of a process have used, in user and system mode. */
export function cpuSeconds(pid: number): number {
  let ns = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    // Nanoseconds, where /proc/PID/stat counts in hundredths of a second.
    ns += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
  }
  return ns / 1e9;
}

/**
 * The share of one core that a process uses while it is left alone: the median of `times` looks of
 * `seconds` each, so that what it still has to do about the past, once, does not count.
 */
export async function idleShare(pid: number, seconds: number, times: number): Promise<number> {
  const shares: number[] = [];
  for (let look = 0; look < times; look++) {
    const [cpu, began] = [cpuSeconds(pid), performance.now()];
    await sleep(seconds * 1000);
    shares.push((cpuSeconds(pid) - cpu) / ((performance.now() - began) / 1000));
  }
  return median(shares);
}
