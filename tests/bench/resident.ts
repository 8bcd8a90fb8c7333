/** Memory of a process, as the kernel counts it (Linux). */

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
