/** dnspython as a secondary without a server: it fetches when it is told to. */
import type { Server } from "./dns_client.ts";
import { mustRun } from "./processes.ts";
import { type TempDir, tempDir } from "./tempdir.ts";

const SCRIPT = new URL("dnspython_secondary.py", import.meta.url).pathname;

export class DnspythonSecondary implements AsyncDisposable {
  readonly #file: string;

  private constructor(
    readonly dir: TempDir,
    readonly zone: string,
    readonly primary: Server,
    readonly addr: string,
  ) {
    this.#file = `${dir.path}/zone`;
  }

  /** @param addr  the IP address it transfers from */
  static async make(zone: string, primary: Server, addr: string): Promise<DnspythonSecondary> {
    return new DnspythonSecondary(await tempDir(), zone, primary, addr);
  }

  /** Fetches the zone, then what has changed. Returns the serial it has. */
  async fetch(transport: "tcp" | "udp" = "tcp"): Promise<number> {
    const { addr, port } = this.primary;
    const args = [addr, String(port), this.zone, this.#file, this.addr, transport];
    return Number(await mustRun("/usr/bin/python3", [SCRIPT, ...args]));
  }

  /** The zone it has, as a master file. */
  text(): Promise<string> {
    return Deno.readTextFile(this.#file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dir[Symbol.asyncDispose]();
  }
}
