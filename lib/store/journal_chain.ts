/**
 * The chain of hashes over a zone's journal. Pure.
 *
 * Each row holds a SHA-256 over its fields and the hash of the row before. The
 * zone keeps the newest, so the chain is verified from there back; purging the
 * oldest rows leaves the rest verifiable.
 */
import { createHash } from "node:crypto";
import { equalOctets } from "../dns/mod.ts";
import { blob, DamagedRow, integer, keyBlob, type Row, text } from "./columns.ts";
import type { WireDiff } from "./protocol.ts";
import { soaColumn } from "./soa.ts";

/** The chain before a zone's first difference. */
export const NO_CHAIN: Uint8Array = new Uint8Array(32);

/** What a row says beside its difference. */
export interface RowHead {
  readonly apexKey: string;
  readonly fromSerial: number;
  readonly toSerial: number;
  readonly publishedAt: number;
  readonly cause: string;
}

/** SHA-256 of the chain so far and a row's fields, each preceded by its length. */
export function rowChain(previous: Uint8Array, head: RowHead, diff: WireDiff): Uint8Array {
  const { apexKey, fromSerial, toSerial, publishedAt, cause } = head;
  const { removed, added } = diff;
  const hash = createHash("sha256").update(previous);
  const numbers = [fromSerial, toSerial, publishedAt, removed.count, added.count];
  hash.update(`${numbers.join(" ")}\n`);
  for (
    const octets of [
      keyBlob(apexKey),
      new TextEncoder().encode(cause),
      diff.fromSoa,
      diff.toSoa,
      removed.octets,
      added.octets,
    ]
  ) hash.update(`${octets.length}\n`).update(octets);
  return new Uint8Array(hash.digest());
}

/**
 * The difference in a row, if the row is whole and is the one its successor
 * builds on; undefined if not.
 *
 * @param chain  what its successor, or the zone, says of it
 * @param toSoa  the SOA it must lead to
 */
export function verifiedDiff(
  row: Row,
  apexKey: string,
  chain: Uint8Array,
  toSoa: Uint8Array,
): WireDiff | undefined {
  try {
    const diff: WireDiff = {
      fromSoa: soaColumn(row, "from_soa").octets,
      toSoa: soaColumn(row, "to_soa").octets,
      removed: { octets: blob(row, "removed"), count: integer(row, "removed_count") },
      added: { octets: blob(row, "added"), count: integer(row, "added_count") },
    };
    const head: RowHead = {
      apexKey,
      fromSerial: integer(row, "from_serial"),
      toSerial: integer(row, "to_serial"),
      publishedAt: integer(row, "published_at"),
      cause: text(row, "cause"),
    };
    const octets = diff.removed.octets.length + diff.added.octets.length;
    const isWhole = equalOctets(rowChain(blob(row, "previous_chain"), head, diff), chain) &&
      equalOctets(diff.toSoa, toSoa) && integer(row, "octets") === octets;
    return isWhole ? diff : undefined;
  } catch (error) {
    if (error instanceof DamagedRow) return undefined;
    throw error;
  }
}
