/**
 * The first owners of a version's pages, side by side in memory: to find a page, one looks at a
 * dozen numbers instead of at a dozen strings that lie far apart.
 *
 * Owns: the fences of versions that are asked for names, as long as the versions live.
 */
import type { NameKey } from "../dns/mod.ts";
import type { Page } from "./page.ts";
import { findPageOf } from "./page_search.ts";
import type { ZoneVersion } from "./zone_version.ts";

/** Fewer pages are looked at themselves. */
const LEAST_PAGES = 16;

/** Of each page's first key, behind the apex', 8 octets as two numbers; 0 behind its end. */
interface Fences {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
}

const fencesOf = new WeakMap<readonly Page[], Fences>();

/**
 * As `findPage`, for a name in a version's zone.
 *
 * @param length  octets of the key that count
 */
export function findPageIn({ pages, apexKey }: ZoneVersion, key: NameKey, length: number): number {
  if (pages.length < LEAST_PAGES) return findPageOf(pages, key, length);
  let fences = fencesOf.get(pages);
  if (!fences) fencesOf.set(pages, fences = makeFences(pages, apexKey.length));
  const skip = apexKey.length;
  const high = wordAt(key, skip, length);
  const low = wordAt(key, skip + 4, length);
  // Pages before `from` begin before the key, those from `to` on behind it.
  const from = countBelow(fences, high, low, 0);
  const to = countBelow(fences, high, low + 1, from);
  return findPageOf(pages, key, length, from, to);
}

/** How many fences, from one on, are below two numbers. */
function countBelow(fences: Fences, high: number, low: number, from: number): number {
  let to = fences.high.length;
  while (from < to) {
    const middle = from + to >> 1;
    const order = fences.high[middle] - high || fences.low[middle] - low;
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Four octets of a key as a number. */
function wordAt({ octets }: NameKey, at: number, length: number): number {
  let word = 0;
  for (let i = at; i < at + 4; i++) word = word << 8 | (i < length ? octets[i] : 0);
  return word >>> 0;
}

function makeFences(pages: readonly Page[], skip: number): Fences {
  const high = new Uint32Array(pages.length);
  const low = new Uint32Array(pages.length);
  pages.forEach(({ firstKey }, i) => {
    for (let at = skip; at < skip + 4; at++) {
      high[i] = high[i] << 8 | charAt(firstKey, at);
      low[i] = low[i] << 8 | charAt(firstKey, at + 4);
    }
  });
  return { high, low };
}

function charAt(key: string, at: number): number {
  return at < key.length ? key.charCodeAt(at) : 0;
}
