/** The C program that makes a change and sees it arrive (witness.c), compiled on the spot. */
import type { Server } from "../../support/dns_client.ts";
import { mustRun } from "../../support/processes.ts";
import { unwatch, watch } from "../../support/watchdog.ts";
import { hex } from "./messages.ts";

/** A transfer as it came: times in µs since the change, -1 for what did not happen. */
export interface SeenTransfer {
  readonly done: boolean;
  readonly serial: number;
  readonly messages: number;
  /** With the two octets of length before each message. */
  readonly octets: number;
  readonly records: number;
  /** The first message, at most 2,048 octets of it, in hexadecimal. */
  readonly first: string;
}

/** One change; times in µs since it was sent, -1 for what did not happen in time. */
export interface SeenChange extends SeenTransfer {
  /** COMMIT, or UPDATE, was answered. */
  readonly acked: number;
  readonly notified: number;
  /** The IXFR was asked; in answer to the NOTIFY, at once. */
  readonly asked: number;
  readonly firstOctet: number;
  readonly lastOctet: number;
  /** When each server polled answered with the new record. */
  readonly answered: readonly number[];
  readonly asks: number;
  readonly cpuShare: number;
  /** CPU time of the process counted until the NOTIFY came, in µs; 0 when none is. */
  readonly spent: number;
}

/** Questions at a steady rate; times in µs from when each was due to its answer. */
export interface SeenQuestions {
  readonly asked: number;
  readonly answered: number;
  /** Questions that left over 5 ms after they were due: the witness itself had to wait. */
  readonly late: number;
  readonly median: number;
  readonly p99: number;
  readonly max: number;
  readonly cpuShare: number;
}

export interface Round {
  readonly timeoutMs: number;
  /** COMMIT in Postgres' protocol, or an UPDATE; without, the caller makes the change now. */
  readonly change?: Uint8Array;
  /** Asked as soon as NOTIFY comes; none is asked without. */
  readonly ixfr?: Uint8Array;
  /** Asked of every server polled, until the answer has these octets. */
  readonly question?: { readonly message: Uint8Array; readonly octets: Uint8Array };
}

let program: Promise<string> | undefined;

/** Compiles it, once a process. */
async function compile(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "zonecast-witness-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
  const path = `${dir}/witness`;
  await mustRun("cc", ["-O2", "-o", path, new URL("witness.c", import.meta.url).pathname]);
  return path;
}

export class Witness implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #buffered = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    watch(child.pid);
    this.#writer = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async start(): Promise<Witness> {
    const path = await (program ??= compile());
    const pipes = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    return new Witness(new Deno.Command(path, pipes).spawn());
  }

  /** Where NOTIFY and SOA queries to the secondary it plays come. */
  async listen({ addr, port }: Server): Promise<void> {
    await this.#ask(`listen ${addr} ${port}`);
  }

  /** Whom it transfers from, as a secondary. */
  async primary({ addr, port }: Server): Promise<void> {
    await this.#ask(`primary ${addr} ${port}`);
  }

  /** What it answers to SOA queries; the serial follows its transfers. */
  async zone(soaRdata: Uint8Array): Promise<void> {
    await this.#ask(`zone ${hex(soaRdata)}`);
  }

  /** Where changes go: Postgres by TCP, a server that takes UPDATE by UDP. */
  async changesTo(transport: "tcp" | "udp", { addr, port }: Server): Promise<void> {
    await this.#ask(`${transport} ${addr} ${port}`);
  }

  /** Whose CPU time until the NOTIFY is told of each round. */
  async process(pid: number): Promise<void> {
    await this.#ask(`process ${pid}`);
  }

  /** One more server to be polled in each round. */
  async poll({ addr, port }: Server): Promise<void> {
    await this.#ask(`poll ${addr} ${port}`);
  }

  /** Sends over the connection of changes, and waits for the answer. @throws {Error} it is an error */
  async send(message: Uint8Array): Promise<void> {
    const { error } = await this.#ask<{ error: boolean }>(`send ${hex(message)}`);
    if (error) throw new Error("a change was refused");
  }

  round({ timeoutMs, change, ixfr, question }: Round): Promise<SeenChange> {
    const parts = [change, ixfr, question?.message, question?.octets];
    return this.#ask(`round ${timeoutMs} ${parts.map((part) => part ? hex(part) : "-").join(" ")}`);
  }

  /** Asks so often a second. Returns what ends it and gives the result. */
  async steady(
    { addr, port }: Server,
    rate: number,
    query: Uint8Array,
  ): Promise<() => Promise<SeenQuestions>> {
    await this.#write(`steady ${addr} ${port} ${rate} ${hex(query)}`);
    return async () => {
      await this.#write("");
      return JSON.parse(await this.#line());
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#lines.cancel();
    await this.#child.status;
    unwatch(this.#child.pid);
  }

  async #ask<T>(line: string): Promise<T> {
    await this.#write(line);
    return JSON.parse(await this.#line());
  }

  async #write(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  async #line(): Promise<string> {
    while (!this.#buffered.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("the witness ended");
      this.#buffered += value;
    }
    const end = this.#buffered.indexOf("\n");
    const line = this.#buffered.slice(0, end);
    this.#buffered = this.#buffered.slice(end + 1);
    return line;
  }
}
