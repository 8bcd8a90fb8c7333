/**
 * Prints records as an RFC 1035 master file that reads back to the very same
 * records: octets, case, TTLs and order.
 *
 * Pure. Specs: RFC 1035 §5, RFC 2308 §4 ($TTL), RFC 3597 §5.
 */
import { formatName, formatRdata, type Name, type ResourceRecord, typeName } from "../dns/mod.ts";

/** What may stand above the records. */
export interface MasterFilePrintOptions {
  /** Lines of comment, without `;`. */
  readonly comments?: readonly string[];
  /** Seconds for $TTL; the first record's TTL when left out. */
  readonly defaultTtl?: number;
}

/**
 * The lines of a master file, without line ends.
 *
 * Owners are relative to the apex, names in RDATA absolute. Every record has
 * its TTL; $TTL is for lines added by hand.
 *
 * @param records  printed in this order; the SOA belongs first
 */
export function* printMasterFile(
  apex: Name,
  records: Iterable<ResourceRecord>,
  options: MasterFilePrintOptions = {},
): Generator<string> {
  for (const comment of options.comments ?? []) {
    for (const line of comment.split(/\r\n|\r|\n/)) yield `; ${line}`;
  }
  yield `$ORIGIN ${formatName(apex)}`;
  let defaultTtl = options.defaultTtl;
  if (defaultTtl !== undefined) yield `$TTL ${defaultTtl}`;
  for (const { owner, type, ttl, rdata } of records) {
    if (defaultTtl === undefined) yield `$TTL ${defaultTtl = ttl}`;
    yield `${ownerText(owner, apex)}\t${ttl}\tIN\t${typeName(type)}\t${formatRdata(type, rdata)}`;
  }
}

/** An owner relative to the apex; absolute when it spells the apex in another case. */
function ownerText(owner: Name, apex: Name): string {
  const head = owner.length - apex.length;
  if (head < 0 || apex.length === 1) return formatName(owner);
  let at = 0;
  while (at < head) at += 1 + owner[at];
  if (at !== head) return formatName(owner);
  for (let i = 0; i < apex.length; i++) {
    if (owner[head + i] !== apex[i]) return formatName(owner);
  }
  if (head === 0) return "@";
  const relative = new Uint8Array(head + 1); // ends in the root label
  relative.set(owner.subarray(0, head));
  return formatName(relative).slice(0, -1);
}
