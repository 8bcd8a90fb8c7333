/** CPU time of a process, as the kernel counts it (Linux). */

/** Seconds of CPU that all threads of a process have used, in user and system mode. */
export function cpuSeconds(pid: number): number {
  let ns = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    // Nanoseconds, where /proc/PID/stat counts in hundredths of a second.
    ns += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
  }
  return ns / 1e9;
}

/** The share of one core that a process uses while it is left alone for `seconds`. */
export async function idleShare(pid: number, seconds: number): Promise<number> {
  const [cpu, began] = [cpuSeconds(pid), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return (cpuSeconds(pid) - cpu) / ((performance.now() - began) / 1000);
}
