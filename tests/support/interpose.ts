/**
 * A process whose time of day and whose writes are in the test's hands: a C library of a page,
 * compiled on the spot, stands between it and the kernel (interpose/interpose.c).
 *
 * It holds for the process alone: the machine's clock and disk stay as they are.
 */
import { mustRun } from "./processes.ts";
import { tempDir } from "./tempdir.ts";

/** Why writes are refused. */
export const REFUSALS = { "disk full": 28, "read-only": 30, "input/output error": 5 } as const;

/** Where the numbers stand in the file that the library reads, in units of 8 octets. */
const SHIFT = 0, WRITES = 1, REFUSE = 2, REFUSAL = 3, DIE = 4, ASKED = 5, POWER = 6, NUMBERS = 8;

const NEVER = -1;

export interface Interpose extends AsyncDisposable {
  /** What the process needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Shifts the time of day by so many seconds from the real one, now. */
  shiftClock(seconds: number): void;
  /** How often the process has asked for the time of day. */
  readonly clockReads: number;
  /** Writes since the last order about them. */
  readonly writes: number;
  /** The first `after` writes from now go well, all others fail. */
  refuse(why: keyof typeof REFUSALS, after?: number): void;
  /**
   * The process dies in the middle of the write that comes after `after` from now.
   *
   * @param power  whether what was not synced till then is lost, too
   */
  dieAfter(after: number, power?: boolean): void;
  /** Writes go well again, and are counted anew. */
  allow(): void;
}

const SOURCE = new URL("interpose/interpose.c", import.meta.url).pathname;

class Interposed implements Interpose {
  readonly env: Readonly<Record<string, string>>;

  constructor(
    readonly place: AsyncDisposable,
    dir: string,
    readonly orders: string,
    watched: string,
  ) {
    this.env = {
      LD_PRELOAD: `${dir}/interpose.so`,
      ZC_INTERPOSE: orders,
      ZC_INTERPOSE_DIR: watched,
    };
    Deno.writeFileSync(orders, new Uint8Array(NUMBERS * 8));
    this.allow();
  }

  shiftClock(seconds: number): void {
    this.#set(SHIFT, seconds);
  }

  get clockReads(): number {
    return this.#get(ASKED);
  }

  get writes(): number {
    return this.#get(WRITES);
  }

  refuse(why: keyof typeof REFUSALS, after = 0): void {
    this.allow();
    this.#set(REFUSAL, REFUSALS[why]);
    this.#set(REFUSE, after);
  }

  dieAfter(after: number, power = false): void {
    this.allow();
    this.#set(POWER, power ? 1 : 0);
    this.#set(DIE, after);
  }

  allow(): void {
    this.#set(DIE, NEVER);
    this.#set(REFUSE, NEVER);
    this.#set(WRITES, 0);
  }

  #set(at: number, value: number): void {
    const octets = new Uint8Array(8);
    new DataView(octets.buffer).setBigInt64(0, BigInt(value), true);
    using file = Deno.openSync(this.orders, { write: true });
    file.seekSync(at * 8, Deno.SeekMode.Start);
    file.writeSync(octets);
  }

  #get(at: number): number {
    return Number(new DataView(Deno.readFileSync(this.orders).buffer).getBigInt64(at * 8, true));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.place[Symbol.asyncDispose]();
  }
}

/**
 * Compiles the library; `env` has a process use it. Needs gcc.
 *
 * @param watched  the directory whose writes are counted: absolute, without symbolic links
 */
export async function startInterpose(watched: string): Promise<Interpose> {
  const place = await tempDir();
  try {
    const library = `${place.path}/interpose.so`;
    await mustRun("gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE]);
    return new Interposed(place, place.path, `${place.path}/orders`, watched);
  } catch (error) {
    await place[Symbol.asyncDispose]();
    throw error;
  }
}
