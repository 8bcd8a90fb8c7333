/**
 * What was answered, in numbers: plain ones, so that counting a UDP answer costs next to nothing.
 *
 * Owns: the numbers, since the start.
 */
import { TYPE } from "../dns/mod.ts";
import type { TransferPlan } from "../transfer/mod.ts";
import { type Query, RCODE, rcodeName } from "../wire/mod.ts";

/** How a request for a transfer ended. */
export type TransferResult = "sent" | "unchanged" | "broken" | "refused" | "put_off";

/** Requests for transfers by how they ended, and octets sent. */
export interface TransferCounts {
  /** Of AXFR the whole zone; of IXFR differences, or what was asked for where none were sent. */
  readonly axfr: Readonly<Record<TransferResult | "octets", number>>;
  readonly ixfr: Readonly<Record<TransferResult | "octets", number>>;
}

function noTransfers(): Record<TransferResult | "octets", number> {
  return { sent: 0, unchanged: 0, broken: 0, refused: 0, put_off: 0, octets: 0 };
}

/** The RCODE that an answer without its own has by its header: 4 bits (RFC 6891 §6.1.3). */
const RCODE_BITS = 0xf;

export class AnswerCounts {
  readonly transfers = { axfr: noTransfers(), ixfr: noTransfers() } satisfies TransferCounts;
  readonly #rcodes = new Float64Array(32);

  /** An answer has been made; one that is streamed counts as NOERROR. */
  answered(message: Uint8Array | undefined, query: Query | undefined): void {
    let rcode = message ? message[3] & RCODE_BITS : RCODE.NOERROR;
    // Of the longer codes these are all that we send; their upper bits are in OPT.
    if (rcode === RCODE.YXRRSET) rcode = RCODE.BADCOOKIE;
    else if (query?.edns !== undefined && query.edns.version !== 0) rcode = RCODE.BADVERS;
    this.#rcodes[rcode]++;
  }

  /** An answer has been made whose RCODE is NOERROR. */
  answeredWell(): void {
    this.#rcodes[RCODE.NOERROR]++;
  }

  /** Answers made, by RCODE. */
  get responses(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    this.#rcodes.forEach((count, rcode) => {
      if (count > 0) counts[rcodeName(rcode)] = count;
    });
    return counts;
  }

  /** A request for a transfer was answered without one. */
  planned(plan: TransferPlan, query: Query): void {
    const result = plan.kind === "soa" ? "unchanged" : "refused";
    this.transfers[kindAsked(query)][result]++;
  }

  sent(kind: "axfr" | "ixfr", octets: number): void {
    this.transfers[kind].sent++;
    this.transfers[kind].octets += octets;
  }

  broken(kind: "axfr" | "ixfr", octets: number): void {
    this.transfers[kind].broken++;
    this.transfers[kind].octets += octets;
  }

  putOff(query: Query): void {
    this.transfers[kindAsked(query)].put_off++;
  }
}

function kindAsked({ question }: Query): "axfr" | "ixfr" {
  return question.type === TYPE.IXFR ? "ixfr" : "axfr";
}
