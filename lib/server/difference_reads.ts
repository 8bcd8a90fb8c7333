/**
 * Differences asked of the journal for transfers, each with a deadline.
 *
 * Owns: what is asked and not yet answered. A journal that is slow, or fails, costs
 * the client the short answer, never the answer.
 */
import type { DifferencesWanted } from "../transfer/mod.ts";
import type { DifferenceReader, Differences } from "../zone/mod.ts";
import type { Clock } from "./clock.ts";
import { DIFFERENCE_READ_MS, UDP_DIFFERENCE_READS } from "./limits.ts";

const STOPPING = "the server is stopping";

export class DifferenceReads {
  /** Ends each read not yet answered. */
  readonly #open = new Set<(differences: Differences) => void>();
  #udp = 0;
  #closed = false;

  /** @param reader  undefined when no differences are kept */
  constructor(readonly reader: DifferenceReader | undefined, readonly clock: Clock) {}

  /** Reads not yet answered. */
  get outstanding(): number {
    return this.#open.size;
  }

  /** The differences, or why there are none in time; never rejects. */
  async read(wanted: DifferencesWanted): Promise<Differences> {
    const { reader } = this;
    if (!reader) return none("no differences are kept");
    if (this.#closed) return none(STOPPING);
    if (wanted.transport === "tcp") return await this.#inTime(reader, wanted);
    if (this.#udp >= UDP_DIFFERENCE_READS) return none("too many ask at once");
    this.#udp++;
    try {
      return await this.#inTime(reader, wanted);
    } finally {
      this.#udp--;
    }
  }

  /** Answers all that is still asked, and all asked from now on: there are none. */
  close(): void {
    this.#closed = true;
    for (const answer of [...this.#open]) answer(none(STOPPING));
  }

  #inTime(reader: DifferenceReader, wanted: DifferencesWanted): Promise<Differences> {
    return new Promise((resolve) => {
      const answer = (differences: Differences) => {
        cancel();
        this.#open.delete(answer);
        resolve(differences);
      };
      const cancel = this.clock.after(
        DIFFERENCE_READ_MS,
        () => answer(none(`the journal took over ${DIFFERENCE_READ_MS / 1000} s`)),
      );
      this.#open.add(answer);
      reader.differences(wanted.version, wanted.fromSerial).then(
        answer,
        (error) => answer(none(`the journal failed: ${error}`)),
      );
    });
  }
}

function none(reason: string): Differences {
  return { kind: "none", reason };
}
