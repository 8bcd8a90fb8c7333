/** Publications and differences as they travel between main thread and worker. Pure. */
import {
  changedRange,
  largeBuffer,
  type Page,
  type RecordList,
  type ZoneDiff,
} from "../zone/mod.ts";
import type { PageId, PutPage, WireDiff, WireProgress, WirePublication } from "./protocol.ts";
import { readSoa, soaOctets } from "./soa.ts";
import type { Progress, Publication } from "./state_store.ts";
import { wireProblems } from "./wire_problems.ts";

/** Octets copied between two pauses: some tenths of a millisecond. */
const OCTETS_PER_PAUSE = 512 * 1024;

/** All that one commit takes to the worker. */
export interface WireCommit {
  readonly publications: readonly WirePublication[];
  /** What all their lists and pages are views of. */
  readonly buffer: ArrayBuffer;
  readonly progress: WireProgress | undefined;
}

/** A commit for the worker, as {@link wirePublications}; yields as places to pause. */
export function* wireCommit(
  publications: readonly Publication[],
  progress: Progress | undefined,
): Generator<undefined, WireCommit> {
  const { wire, buffer } = yield* wirePublications(publications);
  return {
    publications: wire,
    buffer,
    progress: progress && (yield* wireProgress(progress)),
  };
}

/**
 * Publications for the worker: what changes in the file, every octet copied, since
 * the pages of the versions go on being served. Yields as places to pause.
 *
 * @returns the publications, and the one buffer that all their lists and pages are
 *   views of
 */
export function* wirePublications(
  publications: readonly Publication[],
): Generator<undefined, { wire: WirePublication[]; buffer: ArrayBuffer }> {
  const changes = publications.map(({ version, previous }) =>
    changedPages(previous?.pages ?? [], version.pages)
  );
  const copies = new Copies(publications, changes.map(({ put }) => put));
  const wire: WirePublication[] = [];
  for (const [i, publication] of publications.entries()) {
    const { version, previous, diff, cause, publishedAt } = publication;
    const put: PutPage[] = [];
    for (const { page, replaces } of changes[i].put) {
      put.push({ page: copies.page(page), replaces });
      if (copies.isTimeToPause()) yield;
    }
    wire.push({
      apexKey: version.apexKey,
      soa: soaOctets(version.soa),
      serial: version.serial,
      previousSerial: previous?.serial,
      pages: version.pages.length,
      zoneOctets: version.wireOctets,
      gone: changes[i].gone,
      put,
      diff: diff && {
        fromSoa: soaOctets(diff.fromSoa),
        toSoa: soaOctets(diff.toSoa),
        removed: copies.list(diff.removed),
        added: copies.list(diff.added),
      },
      cause,
      publishedAt,
    });
  }
  return { wire, buffer: copies.buffer };
}

/** {@link wirePublications} of one, without a pause. */
export function wirePublication(publication: Publication): WirePublication {
  const steps = wirePublications([publication]);
  while (true) {
    const step = steps.next();
    if (step.done) return step.value.wire[0];
  }
}

/** The copies of many pages and lists in one buffer. */
class Copies {
  readonly buffer: ArrayBuffer;
  #at = 0;
  #pausedAt = 0;

  /** Makes room for these pages and the publications' differences. */
  constructor(publications: readonly Publication[], puts: readonly (readonly PutPage[])[]) {
    let octets = 0;
    for (const put of puts) {
      for (const { page } of put) octets += aligned(page.block.length) + page.owners.byteLength;
    }
    for (const { diff } of publications) {
      if (diff) octets += aligned(diff.removed.octets.length) + aligned(diff.added.octets.length);
    }
    this.buffer = largeBuffer(octets);
  }

  page({ block, owners, records, firstKey, part }: Page): Page {
    return {
      block: this.#copy(block),
      owners: this.#copyNumbers(owners),
      records,
      firstKey,
      part,
    };
  }

  list({ octets, count }: RecordList): RecordList {
    return { octets: this.#copy(octets), count };
  }

  isTimeToPause(): boolean {
    if (this.#at - this.#pausedAt < OCTETS_PER_PAUSE) return false;
    this.#pausedAt = this.#at;
    return true;
  }

  #copy(octets: Uint8Array): Uint8Array {
    const copy = new Uint8Array(this.buffer, this.#at, octets.length);
    copy.set(octets);
    this.#at += aligned(octets.length);
    return copy;
  }

  #copyNumbers(numbers: Uint32Array): Uint32Array {
    const copy = new Uint32Array(this.buffer, this.#at, numbers.length);
    copy.set(numbers);
    this.#at += numbers.byteLength;
    return copy;
  }
}

/** Octets up to where 32-bit numbers may begin. */
function aligned(octets: number): number {
  return octets + 3 & ~3;
}

/**
 * The pages to write and to remove between two versions. Pages are immutable
 * and shared between versions, so a page is unchanged when it is the same object.
 */
export function changedPages(
  before: readonly Page[],
  after: readonly Page[],
): { gone: PageId[]; put: PutPage[] } {
  const { from, beforeEnd, afterEnd } = changedRange(before, after);
  const kept = new Set(before.slice(from, beforeEnd));
  const fresh = after.slice(from, afterEnd).filter((page) => !kept.delete(page));
  const old = new Map<string, PageId>(); // kept now holds the pages that are in no new version
  for (const { firstKey, part } of kept) old.set(pageName(firstKey, part), { firstKey, part });
  const put = fresh.map((page) => ({
    page,
    replaces: old.delete(pageName(page.firstKey, page.part)),
  }));
  return { gone: [...old.values()], put };
}

/** One string for a {@link PageId}. */
function pageName(firstKey: string, part: number): string {
  return `${part} ${firstKey}`;
}

/** The progress for the worker; yields as places to pause. */
export function* wireProgress(
  { problems, ...progress }: Progress,
): Generator<undefined, WireProgress> {
  return problems ? { ...progress, problems: yield* wireProblems(problems) } : progress;
}

/** A difference that came from the worker. */
export function zoneDiff({ fromSoa, toSoa, removed, added }: WireDiff): ZoneDiff {
  return { fromSoa: readSoa(fromSoa), toSoa: readSoa(toSoa), removed, added };
}
