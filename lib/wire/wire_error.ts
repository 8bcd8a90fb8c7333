/**
 * Why a message cannot be read, and which RCODE says so. Pure.
 */
import { ZonecastError } from "../dns/mod.ts";
import { RCODE } from "./codes.ts";

/** All that can be wrong with a received message. */
export type WireErrorCode =
  | "wire-cut"
  | "wire-label"
  | "wire-pointer"
  | "wire-name-long"
  | "wire-counts"
  | "wire-question-count"
  | "wire-trailing"
  | "wire-opt"
  | "wire-tsig"
  | "wire-ixfr-soa"
  | "wire-soa";

/** The one table from unreadable message to RCODE. */
const RCODES: Readonly<Record<WireErrorCode, number>> = {
  "wire-cut": RCODE.FORMERR,
  "wire-label": RCODE.FORMERR,
  "wire-pointer": RCODE.FORMERR,
  "wire-name-long": RCODE.FORMERR,
  "wire-counts": RCODE.FORMERR,
  "wire-question-count": RCODE.FORMERR,
  "wire-trailing": RCODE.FORMERR,
  "wire-opt": RCODE.FORMERR,
  "wire-tsig": RCODE.FORMERR,
  "wire-ixfr-soa": RCODE.FORMERR,
  "wire-soa": RCODE.FORMERR,
};

/** A message that breaks the wire format. */
export class WireError extends ZonecastError {
  override readonly name = "WireError";

  /**
   * @param reason  what is wrong, without the place
   * @param offset  octet of the message where it is wrong
   */
  constructor(override readonly code: WireErrorCode, reason: string, readonly offset: number) {
    super(code, `Cannot read message: ${reason} at octet ${offset}`);
  }

  /** The RCODE the sender is answered with. */
  get rcode(): number {
    return RCODES[this.code];
  }
}
