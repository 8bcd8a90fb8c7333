/** What Linux says of a process: memory, descriptors, processor time. */
import { startedProcesses } from "./processes.ts";

/** Clock ticks of /proc/PID/stat in a second; Linux has had 100 on all its machines. */
const TICKS = 100;

export interface ProcessFigures {
  /** Resident set, octets. */
  readonly rss: number;
  /** The largest it ever was, octets. */
  readonly peakRss: number;
  /** Open file descriptors. */
  readonly descriptors: number;
  /** User and system time since its start, ms; exact to 10 ms. */
  readonly cpuMs: number;
}

/** The figures of a process now. */
export function processFigures(pid: number): ProcessFigures {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name in brackets may hold blanks; utime and stime are the 12th and 13th fields behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    rss: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024,
    peakRss: Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024,
    descriptors: Array.from(Deno.readDirSync(`/proc/${pid}/fd`)).length,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS,
  };
}

export interface SchedulerFigures {
  /** Time the main thread has run, ms. */
  readonly ranMs: number;
  /** Time it was ready to run and other processes had the processor, ms. */
  readonly waitedMs: number;
}

/** What the kernel gave a process's main thread since its start: what else the machine does shows. */
export function schedulerFigures(pid: number): SchedulerFigures {
  const [ran, waited] = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/schedstat`).split(" ");
  return { ranMs: Number(ran) / 1e6, waitedMs: Number(waited) / 1e6 };
}

/** The process ID of the program started last under a name. */
export function pidOf(name: string): number {
  const process = startedProcesses().findLast((each) => each.name === name && each.alive);
  if (!process) throw new Error(`${name} does not run`);
  return process.pid;
}

/** Octets of memory that the sockets of the machine take, and how many TCP sockets there are. */
export function socketFigures(): { readonly octets: number; readonly sockets: number } {
  const text = Deno.readTextFileSync("/proc/net/sockstat");
  const line = /^TCP: inuse (\d+) orphan (\d+) .* mem (\d+)/m.exec(text);
  return { octets: Number(line?.[3]) * 4096, sockets: Number(line?.[1]) + Number(line?.[2]) };
}

/** The value below which a share of the values lies; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
