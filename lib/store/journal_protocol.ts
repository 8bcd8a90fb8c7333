/**
 * What the main thread and the journal's worker say to each other. Pure.
 *
 * Made for structured cloning; buffers of record lists are transferred.
 */
import type { StateErrorFields } from "./errors.ts";
import type { WireDiff } from "./protocol.ts";

/** A way from one serial to another that is asked for. */
export interface DifferenceRequest {
  readonly apexKey: string;
  readonly fromSerial: number;
  readonly toSerial: number;
  /** Octets of the zone's pages: what sending the whole zone would take. */
  readonly zoneOctets: number;
}

/** A row's id, the index by serial, or undefined where neither is to blame. */
export type BrokenPart = number | "index" | undefined;

/** What is found. */
export type DifferenceAnswer =
  | { readonly kind: "kept"; readonly sequences: readonly WireDiff[] }
  | { readonly kind: "none"; readonly reason: string }
  /** The journal is broken. */
  | { readonly kind: "broken"; readonly at: BrokenPart; readonly error: StateErrorFields }
  /** The file could not be read. */
  | { readonly kind: "failed"; readonly error: StateErrorFields };

/** What the worker is told. */
export type JournalOrder =
  /** Comes first. */
  | { readonly kind: "start"; readonly path: string; readonly condense: boolean }
  | { readonly kind: "read"; readonly id: number; readonly request: DifferenceRequest }
  /** Comes last; answered with "closed". */
  | { readonly kind: "close" };

/** What the worker says. */
export type JournalReply =
  | { readonly kind: "answer"; readonly id: number; readonly answer: DifferenceAnswer }
  | { readonly kind: "closed" };
