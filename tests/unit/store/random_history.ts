/** Versions of one zone as a primary would publish them, changed at random but repeatably. */
import {
  addSerial,
  canonicalKey,
  parseName,
  type ResourceRecord,
  TYPE,
} from "../../../lib/dns/mod.ts";
import type { Publication } from "../../../lib/store/mod.ts";
import {
  applyDiff,
  firstVersion,
  getOwner,
  nextVersion,
  normalizeOwner,
  type OwnerChange,
  type OwnerRecords,
  packRecords,
  readOwners,
  type ZoneVersion,
} from "../../../lib/zone/mod.ts";
import { randomOf } from "../../support/random.ts";
import { aRecord, octetText, soaRecord } from "./zones.ts";

export const APEX = "example.";

/** How a history runs. */
export interface HistoryOptions {
  readonly seed: number;
  readonly firstSerial?: number;
  /** Owners the zone may have. */
  readonly owners?: number;
  /** The next serial; by default one more. */
  readonly nextSerial?: (serial: number, random: () => number) => number;
  /** When version n is published, ms since the epoch. */
  readonly publishedAt?: (n: number) => number;
}

/** Publications, each following the one before. */
export class RandomHistory {
  /** From 0 to 1, repeatably. */
  readonly random: () => number;
  readonly #options: HistoryOptions;
  #published = 0;
  current: ZoneVersion | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.random = randomOf(options.seed + 1);
  }

  next(): Publication {
    const previous = this.current;
    const publication = previous ? this.#follow(previous) : this.#first();
    this.current = publication.version;
    this.#published++;
    return publication;
  }

  #publishedAt(): number {
    return this.#options.publishedAt?.(this.#published) ?? 1_700_000_000_000 + this.#published;
  }

  #first(): Publication {
    const { owners = 150, firstSerial = 1 } = this.#options;
    const all = Array.from({ length: owners }, (_, n) => this.#owner(n))
      .filter((owner) => owner !== undefined).sort((a, b) => a.key < b.key ? -1 : 1);
    const version = resultOf(firstVersion(soaRecord(APEX, firstSerial), all));
    const publishedAt = this.#publishedAt();
    return {
      version,
      previous: undefined,
      diff: undefined,
      cause: "start",
      publishedAt,
    };
  }

  #follow(previous: ZoneVersion): Publication {
    const { owners = 150, nextSerial = (serial) => addSerial(serial, 1) } = this.#options;
    const numbers = new Set<number>();
    const wanted = 1 + Math.floor(this.random() * (this.random() < 0.05 ? 30 : 4));
    while (numbers.size < wanted) numbers.add(Math.floor(this.random() * owners));
    const changes = [...numbers].map((n): OwnerChange => {
      const key = canonicalKey(parseName(`h${n}.${APEX}`));
      const before = getOwner(previous.pages, key);
      return { key, before, after: this.#owner(n) };
    }).filter(({ before, after }) => before || after).sort((a, b) => a.key < b.key ? -1 : 1);
    const soa = soaRecord(APEX, nextSerial(previous.serial, this.random));
    const { version, diff } = resultOf(nextVersion(previous, changes, soa));
    return { version, previous, diff, cause: "poll", publishedAt: this.#publishedAt() };
  }

  /** Few different contents for each owner, so that they return. */
  #owner(n: number): OwnerRecords | undefined {
    const owner = `h${n}.${APEX}`;
    const records: ResourceRecord[] = [];
    if (this.random() < 0.7) {
      const ttl = this.random() < 0.3 ? 60 : 300;
      records.push({ ...aRecord(owner, Math.floor(this.random() * 3)), ttl });
    }
    if (this.random() < 0.5) {
      const length = 1 + Math.floor(this.random() * 3) * 40;
      const rdata = new Uint8Array(length + 1).fill(n);
      rdata[0] = length;
      records.push({ owner: parseName(owner), type: TYPE.TXT, ttl: 300, rdata });
    }
    if (records.length === 0) return undefined;
    const normal = normalizeOwner(records).records;
    return { key: canonicalKey(normal[0].owner), owner: normal[0].owner, records: normal };
  }
}

/** What a generator returns. */
export function resultOf<R>(steps: Iterator<unknown, R>): R {
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** All records of a version, its SOA first, as a string of octets. */
export function contentOf(version: ZoneVersion): string {
  const records = [...readOwners(version.pages)].flatMap((owner) => owner.records);
  return octetText(packRecords([version.soa, ...records]).octets);
}

/** The content that differences lead to from a version. */
export function contentAfter(
  version: ZoneVersion,
  diffs: readonly Parameters<typeof applyDiff>[1][],
): string {
  return contentOf(diffs.reduce(applyDiff, version));
}
