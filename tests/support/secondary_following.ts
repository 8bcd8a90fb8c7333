/**
 * A secondary of the test's own that really follows one zone: NOTIFY, then IXFR, applied as
 * strictly as BIND does, and the serial shown.
 *
 * Unlike a real one it takes a change at once, and tells when it had what. It has no timers:
 * what NOTIFY does not tell it, it does not ask for.
 */
import type { Answer } from "dns-packet";
import { axfr, type Server } from "./dns_client.ts";
import { applySequences, recordText, type Sequence } from "./ixfr.ts";
import { isBehind, ixfr } from "./ixfr_client.ts";
import { type FakeSecondary, startFakeSecondary } from "./secondary_fake.ts";
import { sleep } from "./wait.ts";

export interface FollowingSecondary extends Server, AsyncDisposable {
  /** What takes NOTIFY and shows the serial. */
  readonly fake: FakeSecondary;
  /** Undefined before its first transfer. */
  readonly serial: number | undefined;
  /** Its records as {@link recordText} writes them, without the SOA. */
  readonly records: ReadonlySet<string>;
  /** Transfers that it took, by their form, and those that failed. */
  readonly transfers: Readonly<Record<"soa" | "ixfr" | "axfr" | "failed", number>>;
  /** Differences that did not fit, serials that fell: what a secondary must never meet. */
  readonly wrong: readonly string[];
  /** Called with each version it takes. */
  onVersion: ((secondary: FollowingSecondary) => void) | undefined;
  /** When a record that it has came, by performance.now(); undefined: it does not have it. */
  cameAt(record: string): number | undefined;
}

export interface FollowOptions {
  /** As dns-packet writes names: without the last dot. */
  readonly zone: string;
  readonly port?: number;
}

/** Between two tries of a transfer that failed, in ms. */
const RETRY_MS = 100;
const TRANSFER_MS = 20_000;
/** Longest a NOTIFY is on its way while a transfer brings a newer version, in ms. */
const CROSSING_MS = 2_000;

class Following implements FollowingSecondary {
  readonly addr = "127.0.0.1";
  readonly fake: FakeSecondary;
  serial: number | undefined;
  onVersion: FollowingSecondary["onVersion"];
  readonly transfers = { soa: 0, ixfr: 0, axfr: 0, failed: 0 };
  readonly wrong: string[] = [];
  #came = new Map<string, number>();
  /** The serial last announced; undefined: nothing is to be done. */
  #wanted: number | undefined;
  /** When it took the version it has, by performance.now(). */
  #takenAt = 0;
  #over = false;
  #running: Promise<void> | undefined;

  constructor(readonly primary: Server, readonly options: FollowOptions) {
    this.fake = startFakeSecondary({ port: options.port });
    this.fake.onNotify = ({ zone, serial }) => {
      if (zone !== options.zone || serial === undefined) return;
      this.#judgeNotify(serial);
      this.#wanted = serial;
      this.#running ??= this.#follow().finally(() => this.#running = undefined);
    };
  }

  get port(): number {
    return this.fake.port;
  }

  get records(): ReadonlySet<string> {
    return new Set(this.#came.keys());
  }

  cameAt(record: string): number | undefined {
    return this.#came.get(record);
  }

  /** What is announced may be older than what it has only while the two cross each other. */
  #judgeNotify(serial: number): void {
    if (this.serial === undefined || serial === this.serial) return;
    if (isBehind(this.serial, serial) || performance.now() - this.#takenAt < CROSSING_MS) return;
    this.wrong.push(`NOTIFY for ${serial} after ${this.serial}`);
  }

  /** Transfers until it has what was announced. */
  async #follow(): Promise<void> {
    while (!this.#over && this.#wanted !== undefined) {
      const wanted = this.#wanted;
      if (this.serial !== undefined && !isBehind(this.serial, wanted)) {
        if (this.#wanted === wanted) this.#wanted = undefined;
        continue;
      }
      try {
        await this.#transfer();
      } catch {
        this.transfers.failed++; // the primary may be away: this one comes again
        await sleep(RETRY_MS);
      }
    }
  }

  async #transfer(): Promise<void> {
    const { zone } = this.options;
    const answer = this.serial === undefined
      ? await wholeZone(this.primary, zone)
      : await ixfr(this.primary, zone, this.serial, { timeoutMs: TRANSFER_MS });
    this.transfers[answer.form]++;
    if (answer.form === "soa") {
      if (answer.serial !== this.serial) {
        this.wrong.push(`SOA ${answer.serial} for IXFR from ${this.serial}`);
        this.#wanted = undefined;
      }
      return;
    }
    const records = answer.form === "axfr" ? texts(answer.records) : this.#changed(answer);
    if (!records) return;
    if (this.serial !== undefined && !isBehind(this.serial, answer.serial)) {
      this.wrong.push(`serial ${answer.serial} after ${this.serial}`);
    }
    const now = performance.now();
    this.#came = new Map([...records].map((text) => [text, this.#came.get(text) ?? now]));
    this.serial = answer.serial;
    this.#takenAt = now;
    this.fake.serials.set(zone, answer.serial);
    this.onVersion?.(this);
  }

  /** The records with differences applied; undefined where they do not fit. */
  #changed(answer: { readonly sequences: readonly Sequence[] }): Set<string> | undefined {
    try {
      return applySequences(this.#came.keys(), this.serial ?? 0, answer.sequences).records;
    } catch (error) {
      this.wrong.push(`IXFR from ${this.serial}: ${error}`);
      this.serial = undefined; // as BIND does: all of it again
      return undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#running;
    await this.fake[Symbol.asyncDispose]();
  }
}

async function wholeZone(primary: Server, zone: string) {
  const { rcode, records } = await axfr(primary, zone, TRANSFER_MS);
  const [soa] = records;
  if (soa?.type !== "SOA" || soa.data.serial === undefined) {
    throw new Error(`AXFR of ${zone}: ${rcode}`);
  }
  return { form: "axfr", serial: soa.data.serial, records: records.slice(0, -1) } as const;
}

function texts(records: readonly Answer[]): Set<string> {
  return new Set(records.filter(({ type }) => type !== "SOA").map(recordText));
}

/** Starts it, with nothing yet; it transfers with the first NOTIFY. */
export function startFollowing(primary: Server, options: FollowOptions): FollowingSecondary {
  return new Following(primary, options);
}
