/**
 * A secondary of the test's own: it fetches what NOTIFY tells it of, as differences where it can,
 * and keeps copies of zones at several serials, to be brought up to date from each of them.
 */
import { axfr, type Server } from "../../support/dns_client.ts";
import { applySequences, recordText } from "../../support/ixfr.ts";
import { isBehind, ixfr, type IxfrAnswer } from "../../support/ixfr_client.ts";
import { type FakeSecondary, startFakeSecondary } from "../../support/secondary_fake.ts";
import { served, soaText } from "./verdicts.ts";
import type { SeenVersion } from "./zone_history.ts";

/** A zone as a transfer brought it. */
export interface Copy extends SeenVersion {
  /** All records but the SOA. */
  readonly lines: ReadonlySet<string>;
}

/** Copies kept of each zone. */
const KEPT = 5;
/** For one transfer, in ms: what is killed meanwhile does not answer. */
const TRANSFER_MS = 20_000;

/** Puts a zone into the one form in which versions are compared. */
function copyOf(serial: number, soa: string, lines: Iterable<string>): Copy {
  const owners = new Map<string, string[]>();
  for (const line of lines) {
    const owner = `${line.slice(0, line.indexOf(" "))}.`.toLowerCase();
    owners.set(owner, [...owners.get(owner) ?? [], line]);
  }
  for (const one of owners.values()) one.sort();
  return { serial, text: served(soa, owners).text, lines: new Set(lines) };
}

/** What arrived does not fit what was there: never forgiven. */
export class WrongTransfer extends Error {}

export class Secondary implements AsyncDisposable {
  readonly fake: FakeSecondary = startFakeSecondary();
  /** Answers to IXFR so far, by their form. */
  readonly forms = { soa: 0, ixfr: 0, axfr: 0 };
  /** False: it is away, hears nothing and fetches nothing. */
  #up = true;
  readonly #copies = new Map<string, Copy[]>();
  readonly #seen = new Map<string, SeenVersion[]>();
  /** What every serial of a zone had: none may ever have two contents. */
  readonly #contents = new Map<string, string>();
  readonly #fetching = new Map<string, Promise<void>>();
  #failure: unknown;

  constructor(readonly primary: () => Server) {
    this.fake.onNotify = ({ zone }) => void this.refresh(zone);
  }

  get up(): boolean {
    return this.#up;
  }

  set up(up: boolean) {
    this.#up = this.fake.up = up;
  }

  newest(zone: string): Copy | undefined {
    return this.#copies.get(zone)?.at(-1);
  }

  /** The copies of a zone, oldest first. */
  copies(zone: string): readonly Copy[] {
    return this.#copies.get(zone) ?? [];
  }

  /** The versions that came since the last call, in the order of their serials. */
  takeSeen(zone: string): SeenVersion[] {
    const seen = this.#seen.get(zone) ?? [];
    this.#seen.delete(zone);
    return seen;
  }

  /** @throws what went wrong in a transfer that nobody waited for */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Fetches a zone, after what is being fetched of it. One that cannot be had stays as it is. */
  refresh(zone: string): Promise<void> {
    const after = (this.#fetching.get(zone) ?? Promise.resolve()).then(() => this.#refresh(zone));
    this.#fetching.set(zone, after);
    return after;
  }

  /** Waits until nothing is being fetched. */
  async idle(): Promise<void> {
    await Promise.all(this.#fetching.values());
  }

  async #refresh(zone: string): Promise<void> {
    if (!this.#up) return;
    try {
      const newest = this.newest(zone);
      const copy = newest ? await this.update(zone, newest) : await this.whole(zone);
      if (!copy || newest && !isBehind(newest.serial, copy.serial)) return;
      this.#keep(zone, copy);
    } catch (error) {
      // A primary that is away, or killed under the transfer, is none of its faults.
      if (error instanceof WrongTransfer) this.#failure ??= error;
    }
  }

  #keep(zone: string, copy: Copy): void {
    const copies = [...this.copies(zone), copy];
    // Old and new ones, not only the last few.
    if (copies.length > KEPT) copies.splice(copy.serial % (KEPT - 1), 1);
    this.#copies.set(zone, copies);
    this.#seen.set(zone, [...this.#seen.get(zone) ?? [], copy]);
    this.fake.serials.set(zone, copy.serial);
  }

  /** The zone by AXFR; undefined when it is not served. */
  async whole(zone: string): Promise<Copy | undefined> {
    const { rcode, records } = await axfr(this.primary(), zone, TRANSFER_MS);
    if (rcode !== "NOERROR") return undefined;
    const [soa, ...others] = records;
    if (soa.type !== "SOA") throw new WrongTransfer(`AXFR of ${zone} begins with no SOA`);
    return this.#note(
      zone,
      copyOf(soa.data.serial!, soaText(soa), others.slice(0, -1).map(recordText)),
    );
  }

  /** A copy brought up to date by IXFR; the copy itself where there is nothing newer. */
  async update(zone: string, copy: Copy, transport: "tcp" | "udp" = "tcp"): Promise<Copy> {
    const answer = await ixfr(this.primary(), zone, copy.serial, {
      transport,
      ednsOctets: transport === "udp" ? 4096 : undefined,
      timeoutMs: TRANSFER_MS,
    });
    this.forms[answer.form]++;
    if (answer.form !== "soa") return this.#note(zone, applied(zone, copy, answer));
    // Over UDP the SOA alone says that the rest does not fit.
    if (!isBehind(copy.serial, answer.serial)) return copy;
    if (transport === "udp") return await this.update(zone, copy);
    throw new WrongTransfer(
      `IXFR of ${zone} from ${copy.serial} over TCP: only the SOA, of ${answer.serial}`,
    );
  }

  #note(zone: string, copy: Copy): Copy {
    const key = `${zone} ${copy.serial}`;
    const known = this.#contents.get(key);
    if (known !== undefined && known !== copy.text) {
      throw new WrongTransfer(
        `${zone} has two contents under serial ${copy.serial}:\n${known}\n---\n${copy.text}`,
      );
    }
    this.#contents.set(key, copy.text);
    return copy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.up = false;
    this.fake.onNotify = undefined;
    await this.idle();
    await this.fake[Symbol.asyncDispose]();
  }
}

function applied(zone: string, copy: Copy, answer: IxfrAnswer): Copy {
  const soa = soaText(answer.soa);
  if (answer.form === "axfr") {
    return copyOf(answer.serial, soa, answer.records.slice(1).map(recordText));
  }
  if (answer.form === "soa") return copy;
  try {
    const { records, serial } = applySequences(copy.lines, copy.serial, answer.sequences);
    if (serial !== answer.serial) throw new Error(`the sequences end at ${serial}`);
    return copyOf(serial, soa, records);
  } catch (error) {
    throw new WrongTransfer(
      `IXFR of ${zone} from ${copy.serial} to ${answer.serial} does not fit`,
      { cause: error },
    );
  }
}
