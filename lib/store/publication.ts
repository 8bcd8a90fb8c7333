/** Publications and differences as they travel between main thread and worker. Pure. */
import type { Page, RecordList, ZoneDiff } from "../zone/mod.ts";
import type { PageId, PutPage, WireDiff, WirePublication } from "./protocol.ts";
import { readSoa, soaOctets } from "./soa.ts";
import type { Publication } from "./state_store.ts";

/**
 * A publication for the worker: what changes in the file, every octet copied,
 * since the pages of the version go on being served.
 */
export function wirePublication(publication: Publication): WirePublication {
  const { version, previous, diff, cause, publishedAt } = publication;
  return {
    apexKey: version.apexKey,
    soa: soaOctets(version.soa),
    serial: version.serial,
    previousSerial: previous?.serial,
    pages: version.pages.length,
    zoneOctets: version.wireOctets,
    ...changedPages(previous?.pages ?? [], version.pages),
    diff: diff && wireDiff(diff),
    cause,
    publishedAt,
  };
}

/**
 * The pages to write and to remove between two versions. Pages are immutable
 * and shared between versions, so a page is unchanged when it is the same object.
 */
export function changedPages(
  before: readonly Page[],
  after: readonly Page[],
): { gone: PageId[]; put: PutPage[] } {
  const kept = new Set(before);
  const fresh = after.filter((page) => !kept.delete(page));
  const old = new Map<string, PageId>(); // kept now holds the pages that are in no new version
  for (const { firstKey, part } of kept) old.set(pageName(firstKey, part), { firstKey, part });
  const put = fresh.map((page) => ({
    page: copyPage(page),
    replaces: old.delete(pageName(page.firstKey, page.part)),
  }));
  return { gone: [...old.values()], put };
}

/** One string for a {@link PageId}. */
function pageName(firstKey: string, part: number): string {
  return `${part} ${firstKey}`;
}

function copyPage(page: Page): Page {
  const { block, owners, records, firstKey, part } = page;
  return { block: block.slice(), owners: owners.slice(), records, firstKey, part };
}

/** A difference that came from the worker. */
export function zoneDiff({ fromSoa, toSoa, removed, added }: WireDiff): ZoneDiff {
  return { fromSoa: readSoa(fromSoa), toSoa: readSoa(toSoa), removed, added };
}

function wireDiff(diff: ZoneDiff): WireDiff {
  return {
    fromSoa: soaOctets(diff.fromSoa),
    toSoa: soaOctets(diff.toSoa),
    removed: copyList(diff.removed),
    added: copyList(diff.added),
  };
}

function copyList({ octets, count }: RecordList): RecordList {
  return { octets: octets.slice(), count };
}
