/**
 * Many light secondaries in one C process (sinks/main.c), compiled on the spot.
 *
 * They take NOTIFY, answer SOA, fetch zones, and sum what they fetched: two zones with the same
 * sum hold the same records. Its code shares nothing with zonecast's.
 */
import type { Server } from "../support/dns_client.ts";
import { freePort } from "../support/ports.ts";
import { mustRun, which } from "../support/processes.ts";
import { unwatch, watch } from "../support/watchdog.ts";
import { until } from "../support/wait.ts";

const SOURCES = new URL("sinks/", import.meta.url).pathname;
/** How long one transfer, or all of many at once, may take, in ms. */
const TRANSFER_MS = 60_000;
/** How many times the clocks are compared; the quickest answer tells best. */
const CLOCK_TRIES = 20;

/** All records of a zone but its SOA, summed in any order: equal zones have equal sums. */
export interface ZoneSum {
  readonly records: number;
  /** 16 hexadecimal digits. */
  readonly sum: string;
}

/** A whole zone that was fetched. */
export interface Fetched extends ZoneSum {
  readonly serial: number;
  /** With the two octets of length before each message. */
  readonly octets: number;
  readonly messages: number;
  /** Until the first octet, and until the last, in seconds from the connection's start. */
  readonly firstS: number;
  readonly lastS: number;
}

/** What a secondary that follows a zone has. */
export interface Follower extends ZoneSum {
  readonly serial: number;
  readonly ixfrs: number;
  readonly axfrs: number;
  readonly octets: number;
  /** When its last transfer ended, as `performance.now()`. */
  readonly doneMs: number;
}

/** NOTIFY messages since the mark. Times as `performance.now()`; 0 when there were none. */
export interface Notifies {
  readonly received: number;
  /** How many (zone, secondary) were told; the times are of the first NOTIFY of each. */
  readonly pairs: number;
  readonly firstMs: number;
  readonly medianMs: number;
  readonly lastMs: number;
}

/** Transfers made at once. */
export interface FetchedAtOnce {
  readonly transfers: readonly Fetched[];
  /** From the first connection to the last octet of all. */
  readonly seconds: number;
  /** The share of one core that this process used meanwhile, 0 to 1. */
  readonly cpuShare: number;
}

/** Zones fetched one by one. */
export interface Sweep extends ZoneSum {
  readonly zones: number;
  /** Zones whose serial is not what NOTIFY had told this secondary. */
  readonly stale: number;
  readonly octets: number;
  readonly seconds: number;
}

interface FetchLine extends ZoneSum {
  readonly fault: string;
  readonly serial: number;
  readonly octets: number;
  readonly messages: number;
  readonly firstNs: number;
  readonly lastNs: number;
}

interface FetchLines {
  /** Why none was begun. */
  readonly fault?: string;
  readonly transfers?: readonly FetchLine[];
  readonly ns: number;
  readonly cpuNs: number;
}

async function compile(dir: string): Promise<string> {
  const compiler = ["gcc", "cc", "clang"].map(which).find((path) => path !== undefined);
  if (!compiler) throw new Error("Cannot compile the sinks: no C compiler (Debian: gcc)");
  const parts = ["main.c", "ask.c", "fetch.c", "wire.c", "zones.c"].map((file) => SOURCES + file);
  await mustRun(compiler, ["-O2", "-Wall", "-o", `${dir}/sinks`, ...parts]);
  return `${dir}/sinks`;
}

let program: Promise<string> | undefined;

function compiled(): Promise<string> {
  return program ??= (async () => {
    const dir = await Deno.makeTempDir({ prefix: "zonecast-sinks-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
    return await compile(dir);
  })();
}

/** Addresses of the loopback that secondaries have: 127.0.1.1 and so on. */
export function sinkAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `127.0.1.${index + 1}`);
}

/** Owns: the process. Its secondaries are {@link Sinks.servers}. */
export class Sinks implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #buffered = "";
  /** The monotonic clock minus `performance.now()`, in ns. */
  #clockOffset = 0;

  private constructor(child: Deno.ChildProcess, readonly servers: readonly Server[]) {
    this.#child = child;
    watch(child.pid);
    this.#writer = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts `count` secondaries of one primary, which need not run yet. */
  static async start(primary: Server, count: number): Promise<Sinks> {
    const addresses = sinkAddresses(count);
    const port = freePort();
    const child = new Deno.Command(await compiled(), {
      args: [primary.addr, String(primary.port), String(port), ...addresses],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const sinks = new Sinks(child, addresses.map((addr) => ({ addr, port })));
    try {
      await sinks.#line();
      await sinks.#compareClocks();
    } catch (error) {
      await sinks[Symbol.asyncDispose]();
      throw error;
    }
    return sinks;
  }

  /** Forgets the NOTIFY messages so far. */
  async mark(): Promise<void> {
    await this.#ask("mark");
  }

  /** The same, before a change: NOTIFY that comes again with a serial told before does not count. */
  async markBeforeChange(): Promise<void> {
    await this.#ask("mark newer");
  }

  async notifies(): Promise<Notifies> {
    const line = await this.#ask<Record<string, number>>("notifies");
    return {
      received: line.received,
      pairs: line.pairs,
      firstMs: this.#ms(line.firstNs),
      medianMs: this.#ms(line.medianNs),
      lastMs: this.#ms(line.lastNs),
    };
  }

  /** Waits until so many (zone, secondary) were told since the mark. */
  async untilNotified(pairs: number, timeoutMs: number, intervalMs = 10): Promise<Notifies> {
    let seen: Notifies | undefined;
    return await until(async () => {
      seen = await this.notifies();
      return seen.pairs >= pairs && seen;
    }, { what: `NOTIFY of ${pairs}`, timeoutMs, intervalMs, seen: () => seen });
  }

  /** The serial that NOTIFY told of each zone, when it told all secondaries the same. */
  async zones(file: string): Promise<Map<string, number>> {
    await this.#ask(`zones ${file}`);
    const all = String(this.servers.length);
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n").map((line) =>
      line.split(" ")
    );
    return new Map(
      lines.filter(([, serial, told]) => serial !== "different" && told === all)
        .map(([zone, serial]) => [zone, Number(serial)]),
    );
  }

  /** From now on all follow a zone: a whole transfer first, then IXFR at each NOTIFY. */
  async follow(zone: string): Promise<void> {
    await this.#ask(`follow ${zone}`);
  }

  /** What those have that have it and are not fetching; fewer than all while some do. */
  async followers(): Promise<Follower[]> {
    const { sinks } = await this.#ask<{
      sinks: (Omit<Follower, "doneMs"> & { readonly has: boolean; readonly doneNs: number })[];
    }>("sinks");
    return sinks.filter(({ has }) => has)
      .map(({ doneNs, ...sink }) => ({ ...sink, doneMs: this.#ms(doneNs) }));
  }

  /** Waits until all have exactly this serial. */
  async untilFollowed(serial: number, timeoutMs: number): Promise<Follower[]> {
    let seen: Follower[] = [];
    return await until(async () => {
      seen = await this.followers();
      return seen.length === this.servers.length &&
        seen.every((follower) => follower.serial === serial) && seen;
    }, {
      what: `all secondaries have serial ${serial}`,
      timeoutMs,
      seen: () => `${seen.length} of ${this.servers.length}: ${seen.map(({ serial }) => serial)}`,
    });
  }

  /** All fetch the whole zone at once. @throws {Error} one failed */
  async axfrAll(zone: string): Promise<FetchedAtOnce> {
    return this.#fetched(await this.#ask(`axfr ${zone} ${TRANSFER_MS}`));
  }

  /** One fetches the whole zone, from its primary or another server. @throws {Error} it failed */
  async axfr({ addr, port }: Server, zone: string): Promise<Fetched> {
    const { transfers } = this.#fetched(
      await this.#ask(`fetch ${addr} ${port} ${zone} ${TRANSFER_MS}`),
    );
    return transfers[0];
  }

  #fetched(line: FetchLines): FetchedAtOnce {
    const fault = line.fault ?? line.transfers?.find(({ fault }) => fault !== "")?.fault;
    if (fault || !line.transfers) throw new Error(`A transfer failed: ${fault}`);
    const transfers = line.transfers.map(({ firstNs, lastNs, ...rest }) => ({
      ...rest,
      firstS: firstNs / 1e9,
      lastS: lastNs / 1e9,
    }));
    return { transfers, seconds: line.ns / 1e9, cpuShare: line.cpuNs / line.ns };
  }

  /** All together fetch these zones, one connection a zone. @throws {Error} one failed */
  async sweep(file: string, zones: readonly string[]): Promise<Sweep> {
    await Deno.writeTextFile(file, zones.map((zone) => `${zone}\n`).join(""));
    const { ns, failures, fault, ...sweep } = await this.#ask<
      Omit<Sweep, "seconds"> & { ns: number; failures: number; fault: string }
    >(`sweep ${file} ${TRANSFER_MS}`);
    if (failures > 0) throw new Error(`${failures} transfers failed: ${fault}`);
    return { ...sweep, seconds: ns / 1e9 };
  }

  /**
   * Asks the primary the SOA of each zone until it shows a newer serial: any serial for undefined.
   *
   * @returns when the first and the last newer one was seen, as `performance.now()`
   * @throws {Error} not all in time
   */
  async untilNewer(
    file: string,
    zones: Iterable<readonly [zone: string, serial: number | undefined]>,
    timeoutMs: number,
  ): Promise<{ firstMs: number; lastMs: number }> {
    const lines = Array.from(zones, ([zone, serial]) => `${zone} ${serial ?? ""}`.trimEnd() + "\n");
    await Deno.writeTextFile(file, lines.join(""));
    const { asked, newer, firstNs, lastNs } = await this.#ask<Record<string, number>>(
      `until ${file} ${timeoutMs}`,
    );
    if (newer < asked) throw new Error(`Of ${asked} zones ${newer} were new in ${timeoutMs} ms`);
    return { firstMs: this.#ms(firstNs), lastMs: this.#ms(lastNs) };
  }

  /** The sum of a file of lines "OWNER TTL TYPE RDATA". */
  async sumOf(file: string): Promise<ZoneSum> {
    return await this.#ask<ZoneSum>(`sum ${file}`);
  }

  async #compareClocks(): Promise<void> {
    let best = Infinity;
    for (let tries = 0; tries < CLOCK_TRIES; tries++) {
      const asked = performance.now();
      const { ns } = await this.#ask<{ ns: number }>("clock");
      const took = performance.now() - asked;
      if (took < best) this.#clockOffset = ns - (asked + took / 2) * 1e6;
      best = Math.min(best, took);
    }
  }

  #ms(ns: number): number {
    return ns === 0 ? 0 : (ns - this.#clockOffset) / 1e6;
  }

  async #ask<T>(command: string): Promise<T> {
    await this.#writer.write(new TextEncoder().encode(`${command}\n`));
    return JSON.parse(await this.#line()) as T;
  }

  async #line(): Promise<string> {
    while (!this.#buffered.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("The sinks ended");
      this.#buffered += value;
    }
    const end = this.#buffered.indexOf("\n");
    const line = this.#buffered.slice(0, end);
    this.#buffered = this.#buffered.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#lines.cancel().catch(() => {});
    await this.#child.status;
    unwatch(this.#child.pid);
  }
}
