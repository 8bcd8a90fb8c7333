/** Memory and CPU time of processes, as the kernel counts them (Linux). */
import { sleep, until } from "../support/wait.ts";
import { processTree } from "./peers/peer.ts";

function status(pid: number, field: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/status`);
  const kib = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(text)?.[1];
  if (kib === undefined) throw new Error(`Cannot read ${field} of process ${pid}`);
  return Number(kib) * 1024;
}

/** Resident octets now. */
export function resident(pid: number): number {
  return status(pid, "VmRSS");
}

/** The most resident octets since the process began, or since {@link forgetPeak}. */
export function residentPeak(pid: number): number {
  return status(pid, "VmHWM");
}

/** Sets the peak back to what is resident now. */
export function forgetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

export interface Resident {
  /** Octets resident, shared ones counted in each process. */
  readonly rss: number;
  /** Octets, each shared one divided among those that share it: what all of them take together. */
  readonly pss: number;
}

/** The memory of a process and all that descend from it; those that end meanwhile count as none. */
export function residentTree(pid: number): Resident {
  const total = treeOrNone(pid);
  if (total.rss === 0) throw new Error(`Cannot read the memory of process ${pid}`);
  return total;
}

/** The same; zeros when it has ended. */
function treeOrNone(pid: number): Resident {
  const total = { rss: 0, pss: 0 };
  for (const member of processTree(pid)) {
    const text = ifThere(() => Deno.readTextFileSync(`/proc/${member}/smaps_rollup`)) ?? "";
    total.rss += Number(/^Rss:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
    total.pss += Number(/^Pss:\s*(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
  }
  return total;
}

/** CPU seconds, user and system, that a process and all that descend from it have used. */
export function cpuSeconds(pid: number): number {
  return processTree(pid).reduce((sum, member) => {
    const text = ifThere(() => Deno.readTextFileSync(`/proc/${member}/stat`)) ?? "";
    // Behind the program's name, which may hold anything: utime and stime are fields 14 and 15.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
  }, 0);
}

/** Linux's USER_HZ, on every architecture there is a zonecast for. */
const TICKS_PER_SECOND = 100;

/** undefined when the process has ended. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // ESRCH: it ended between opening and reading.
    if (error instanceof Error && /os error 3\b/.test(error.message)) return undefined;
    throw error;
  }
}

/** How long a server must be quiet, in ms, and what CPU time counts as quiet, in seconds. */
const QUIET = { ms: 600, cpuSeconds: 0.03 };

/** Waits until a server has no more work of its own: it has used nearly no CPU time for a while. */
export async function untilQuiet(pid: number, timeoutMs = 60_000): Promise<void> {
  let before = cpuSeconds(pid);
  await sleep(QUIET.ms);
  await until(() => {
    const now = cpuSeconds(pid);
    const quiet = now - before <= QUIET.cpuSeconds;
    before = now;
    return quiet;
  }, { what: `process ${pid} is quiet`, timeoutMs, intervalMs: QUIET.ms });
}

/** Between two looks at the memory, in ms. */
const SAMPLING_MS = 20;
/** PSS is looked at in one of so many: the kernel walks all pages for it, and the server waits. */
const PSS_EACH = 50;
const PAGE_OCTETS = 4096;

/** Resident octets of a process tree, cheaply. */
function residentTotal(pid: number): number {
  return processTree(pid).reduce((sum, member) => {
    const text = ifThere(() => Deno.readTextFileSync(`/proc/${member}/statm`)) ?? "";
    return sum + Number(text.split(" ")[1] ?? 0) * PAGE_OCTETS;
  }, 0);
}

/**
 * The most memory a server takes while `work` is done.
 *
 * Sampled, all its processes together; of a single process also the kernel's own high-water mark.
 */
export async function peakWhile(pid: number, work: () => Promise<void>): Promise<Resident> {
  const alone = processTree(pid).length === 1;
  if (alone) forgetPeak(pid);
  const peak = { rss: 0, pss: residentTree(pid).pss };
  let samples = 0;
  const sample = () => {
    peak.rss = Math.max(peak.rss, residentTotal(pid));
    if (++samples % PSS_EACH === 0) peak.pss = Math.max(peak.pss, treeOrNone(pid).pss);
  };
  const timer = setInterval(sample, SAMPLING_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const { pss } = residentTree(pid);
  return {
    rss: alone ? Math.max(peak.rss, residentPeak(pid)) : peak.rss,
    pss: Math.max(peak.pss, pss),
  };
}
