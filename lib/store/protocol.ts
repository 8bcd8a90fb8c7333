/**
 * What the main thread and the store's worker say to each other. Pure.
 *
 * Everything here is made for structured cloning; octets are private copies
 * whose buffers are transferred, never those of a version that is served.
 */
import type { KnownProblem, Page, RecordList } from "../zone/mod.ts";
import type { StateErrorFields } from "./errors.ts";
import type { JournalBounds } from "./journal_bounds.ts";
import type {
  GuardNote,
  JournalEntry,
  JournalFigures,
  PendingOwners,
  Progress,
} from "./state_store.ts";

/** Names a page within its zone. */
export interface PageId {
  readonly firstKey: string;
  readonly part: number;
}

/** A page to write. */
export interface PutPage {
  readonly page: Page;
  /** Whether a stored page has the same {@link PageId}. */
  readonly replaces: boolean;
}

/** A difference with its SOA records as uncompressed wire octets. */
export interface WireDiff {
  readonly fromSoa: Uint8Array;
  readonly toSoa: Uint8Array;
  readonly removed: RecordList;
  readonly added: RecordList;
}

/** A publication reduced to what changes in the file. */
export interface WirePublication {
  readonly apexKey: string;
  /** SOA of the new version, uncompressed wire. */
  readonly soa: Uint8Array;
  readonly serial: number;
  /** Serial of the version it follows; undefined: what is stored of the zone is replaced. */
  readonly previousSerial: number | undefined;
  /** Number of pages of the new version. */
  readonly pages: number;
  /** Octets of these pages. */
  readonly zoneOctets: number;
  readonly gone: readonly PageId[];
  readonly put: readonly PutPage[];
  readonly diff: WireDiff | undefined;
  readonly cause: string;
  readonly publishedAt: number;
}

/** Problems to keep. */
export interface PutProblems {
  /** Identities. */
  readonly ids: Float64Array<ArrayBuffer>;
  /** Where each one's JSON ends in {@link octets}, in which it follows the one before. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** UTF-8, with room behind it. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

/** A change of the problems kept. */
export interface WireProblems {
  /** Undefined for none. */
  readonly put: PutProblems | undefined;
  /** Identities. */
  readonly gone: readonly number[];
}

/** {@link Progress} as it travels. */
export interface WireProgress extends Omit<Progress, "problems"> {
  readonly problems?: WireProblems;
}

/** A stored zone without its pages. */
export interface ZoneHead {
  readonly soa: Uint8Array;
  readonly publishedAt: number;
}

/** What follows the pages of all zones. */
export interface StateHead {
  readonly instance: string;
  readonly cursor: string | undefined;
  readonly pending: PendingOwners;
  readonly guard: readonly GuardNote[];
  readonly problems: readonly KnownProblem[] | undefined;
  /** In the order their pages came in. */
  readonly zones: readonly ZoneHead[];
}

/** Some pages of one zone, in order. */
export interface PageBatch {
  /** Index in {@link StateHead.zones}. */
  readonly zone: number;
  readonly pages: readonly Page[];
}

/** Each request and what it is answered with. */
export interface Operations {
  open: {
    request: { path: string; readOnly: boolean; bounds: JournalBounds };
    answer: undefined;
  };
  load: { request: undefined; answer: StateHead };
  publish: {
    request: {
      publications: readonly WirePublication[];
      /** What all pages and lists of the publications are views of. */
      buffer: ArrayBuffer;
      progress: WireProgress | undefined;
    };
    answer: undefined;
  };
  keepProgress: { request: { progress: WireProgress }; answer: undefined };
  keepGuard: { request: { notes: readonly GuardNote[] }; answer: undefined };
  removeZone: { request: { apexKey: string }; answer: undefined };
  journal: {
    request: { apexKey: string; newest: number | undefined };
    answer: readonly JournalEntry[];
  };
  journalFigures: { request: undefined; answer: JournalFigures };
  differences: {
    request: { apexKey: string; fromSerial: number; toSerial: number | undefined };
    answer: readonly WireDiff[] | undefined;
  };
  repairJournal: { request: { apexKey: string }; answer: undefined };
  close: { request: undefined; answer: undefined };
}

/** The name of a request. */
export type Operation = keyof Operations;

/** A request as it travels. */
export type Request = {
  [O in Operation]: {
    readonly id: number;
    readonly op: O;
    readonly body: Operations[O]["request"];
  };
}[Operation];

/** The answer to any request. */
export type Answer = Operations[Operation]["answer"];

/** What the worker says. */
export type Reply =
  | { readonly id: number; readonly kind: "pages"; readonly batch: PageBatch }
  | { readonly id: number; readonly kind: "done"; readonly answer: Answer }
  | { readonly id: number; readonly kind: "failed"; readonly error: StateErrorFields }
  /** Something that was found wrong and put right, or does no harm yet. */
  | { readonly kind: "problem"; readonly error: StateErrorFields };

/** The buffers of pages, to be transferred with them. */
export function pageBuffers(pages: Iterable<Page>): ArrayBufferLike[] {
  const buffers: ArrayBufferLike[] = [];
  for (const page of pages) buffers.push(page.block.buffer, page.owners.buffer);
  return buffers;
}

/** The buffers of differences' record lists, to be transferred with them. */
export function diffBuffers(diffs: Iterable<WireDiff>): ArrayBufferLike[] {
  const buffers: ArrayBufferLike[] = [];
  for (const diff of diffs) buffers.push(diff.removed.octets.buffer, diff.added.octets.buffer);
  return buffers;
}
