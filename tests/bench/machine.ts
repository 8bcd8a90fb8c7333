/** What the figures were measured on. */
import { run } from "../support/processes.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Octets. */
  readonly memory: number;
  readonly kernel: string;
  readonly system: string;
  /** Load average of the last minute when the bench began: others were at work if it is not low. */
  readonly load: number;
}

async function firstMatch(path: string, pattern: RegExp): Promise<string> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return pattern.exec(text)?.[1] ?? "unknown";
}

export async function machine(): Promise<Machine> {
  return {
    cpu: await firstMatch("/proc/cpuinfo", /^model name\s*:\s*(.*)$/m),
    cores: navigator.hardwareConcurrency,
    memory: Deno.systemMemoryInfo().total,
    kernel: (await run("uname", ["-sr"])).stdout.trim(),
    system: await firstMatch("/etc/os-release", /^PRETTY_NAME="?([^"\n]*)/m),
    load: Deno.loadavg()[0],
  };
}
