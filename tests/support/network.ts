/** Networks of a test's own: addresses that are nobody else's there, and no way out. */
import { mustRun } from "./processes.ts";

export interface Network extends AsyncDisposable {
  /** Arguments of ip(8) that run a program within it. */
  within(program: string, args: readonly string[]): string[];
}

/**
 * A network namespace with the loopback, these IPv4 addresses on it, and nothing else: what is sent
 * to any other address goes nowhere. It takes root.
 *
 * @param resolver  the name server of its /etc/resolv.conf; undefined for the machine's own file
 */
export async function makeNetwork(
  addresses: Iterable<string>,
  resolver?: string,
): Promise<Network> {
  const name = `zonecast-${crypto.randomUUID().slice(0, 8)}`;
  const files = `/etc/netns/${name}`; // what lies there stands for /etc within it: ip-netns(8)
  await mustRun("ip", ["netns", "add", name]);
  const network: Network = {
    within: (program, args) => ["netns", "exec", name, program, ...args],
    async [Symbol.asyncDispose]() {
      await mustRun("ip", ["netns", "del", name]);
      if (resolver === undefined) return;
      await Deno.remove(files, { recursive: true });
      // The directory above goes with the last network; another may still use it.
      await Deno.remove("/etc/netns").catch(() => {});
    },
  };
  try {
    if (resolver) {
      await Deno.mkdir(files, { recursive: true });
      await Deno.writeTextFile(`${files}/resolv.conf`, `nameserver ${resolver}\n`);
    }
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
