/**
 * The rows that are most of a large zone, read without an allocation: addresses
 * at names of letters, digits, `-`, `_` and `*`, relative to the zone.
 *
 * Whatever is not so plain is left to {@link readRow}, which gives the same
 * record for these. Pure.
 */
import {
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  MAX_TTL,
  readIpv4,
  readIpv6,
  TYPE,
} from "../dns/mod.ts";
import type { RowText, RowZone } from "./rows.ts";
import type { WireRecord } from "./wire_record.ts";

const DOT = 0x2e;

/** What a character of a plain name is, by its code. */
const NOT_PLAIN = 0;
const LOWER = 1;
const UPPER = 2;

const PLAIN = new Uint8Array(128);
for (const c of "abcdefghijklmnopqrstuvwxyz0123456789-_*") PLAIN[c.charCodeAt(0)] = LOWER;
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZ") PLAIN[c.charCodeAt(0)] = UPPER;

/** Whether a row is plain; its record then stands in `out`. */
export function readPlainRow(row: RowText, zone: RowZone, out: WireRecord): boolean {
  if (row.type === "A") {
    out.type = TYPE.A;
    out.rdataLength = 4;
    if (!readIpv4(row.content, out.rdata)) return false;
  } else if (row.type === "AAAA") {
    out.type = TYPE.AAAA;
    out.rdataLength = 16;
    if (!readIpv6(row.content, out.rdata)) return false;
  } else return false;
  const ttl = row.ttl ?? zone.defaultTtl;
  if (row.ttl !== null && !(Number.isInteger(ttl) && ttl >= 0 && ttl <= MAX_TTL)) return false;
  out.ttl = ttl;
  return readPlainName(row.name, zone, out);
}

/** Whether a name relative to the zone is plain; its owner and key then stand in `out`. */
export function readPlainName(
  text: string,
  { apex }: Pick<RowZone, "apex">,
  out: WireRecord,
): boolean {
  const { owner } = out;
  // Each dot becomes a label's length, and one more stands before the first label.
  if (text.length + 1 + apex.length > MAX_NAME_OCTETS) return false;
  let labelAt = 0;
  let labels = 1;
  let upper = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      if (!closeLabel(owner, labelAt, i + 1)) return false;
      labelAt = i + 1;
      labels++;
      continue;
    }
    const kind = c < PLAIN.length ? PLAIN[c] : NOT_PLAIN;
    if (kind === NOT_PLAIN) return false;
    if (kind === UPPER) upper = true;
    owner[i + 1] = c;
  }
  const length = text.length + 1;
  if (!closeLabel(owner, labelAt, length)) return false;
  out.isPlain = !upper;
  out.keyLength = length;
  writePlainKey(out, length, labels === 1);
  for (let i = 0; i < apex.length; i++) owner[length + i] = apex[i];
  out.ownerLength = length + apex.length;
  return true;
}

function closeLabel(owner: Uint8Array, labelAt: number, end: number): boolean {
  const octets = end - labelAt - 1;
  if (octets === 0 || octets > MAX_LABEL_OCTETS) return false;
  owner[labelAt] = octets;
  return true;
}

/** Writes the labels last first, each in lower case and ended by a zero octet. */
function writePlainKey({ owner, key }: WireRecord, length: number, isSingle: boolean): void {
  if (isSingle) {
    for (let i = 1; i < length; i++) key[i - 1] = lower(owner[i]);
    key[length - 1] = 0;
    return;
  }
  let end = length; // where the labels not yet read end in the key, counted from its start
  for (let at = 0; at < length;) {
    const octets = owner[at++];
    key[--end] = 0;
    end -= octets;
    for (let i = 0; i < octets; i++) key[end + i] = lower(owner[at++]);
  }
}

/** A plain character in lower case. */
function lower(octet: number): number {
  return PLAIN[octet] === UPPER ? octet + 0x20 : octet;
}
