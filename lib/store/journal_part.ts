/** What is asked of a zone's journal, and what is found in it. Pure. */
import type { WireDiff } from "./protocol.ts";

/** Which differences are asked for. */
export interface JournalSpan {
  readonly fromSerial: number;
  /** The zone's own by default. */
  readonly toSerial?: number;
  /** Octets of lists to read at most; a single difference is read whatever it takes. */
  readonly maxOctets: number;
}

/** Differences as read back, or why they are not. */
export type JournalPart =
  /** Oldest first. */
  | { readonly kind: "kept"; readonly diffs: WireDiff[] }
  /** No row starts from the one serial, or none leads to the other. */
  | { readonly kind: "unknown" }
  /** Serials went all the way round: two rows start from this one. */
  | { readonly kind: "ambiguous" }
  /** They take more than was allowed. */
  | { readonly kind: "long"; readonly octets: number }
  /** A row is no good; it and all older ones are of no use. */
  | { readonly kind: "broken"; readonly at: number }
  /** The index by serial shows what the rows contradict; these may well be whole. */
  | { readonly kind: "index" };
