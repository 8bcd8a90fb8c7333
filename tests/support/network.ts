/** Networks of a test's own: addresses that are nobody else's there, and no way out. */
import { mustRun } from "./processes.ts";

export interface Network extends AsyncDisposable {
  /** Arguments of ip(8) that run a program within it. */
  within(program: string, args: readonly string[]): string[];
}

/**
 * A network namespace with the loopback, these IPv4 addresses on it, and nothing else: what is sent
 * to any other address goes nowhere. It takes root.
 */
export async function makeNetwork(addresses: Iterable<string>): Promise<Network> {
  const name = `zonecast-${crypto.randomUUID().slice(0, 8)}`;
  await mustRun("ip", ["netns", "add", name]);
  const network: Network = {
    within: (program, args) => ["netns", "exec", name, program, ...args],
    async [Symbol.asyncDispose]() {
      await mustRun("ip", ["netns", "del", name]);
    },
  };
  try {
    await mustRun("ip", ["-n", name, "link", "set", "lo", "up"]);
    for (const address of new Set(addresses)) {
      await mustRun("ip", ["-n", name, "addr", "add", `${address}/32`, "dev", "lo"]);
    }
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}
