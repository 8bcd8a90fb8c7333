/**
 * Zone files as providers export them, with what is theirs alone.
 *
 * - Cloudflare: a TTL of 1 stands for "automatic"; a comment `cf_tags=cf-proxied:true` for an
 *   address that the world never saw; in some exports owners lack their last dot.
 * - Hetzner: long text in one string, owners and targets relative to `$ORIGIN`.
 * - BIND: `$GENERATE`, and what `named` writes of zones that it signs.
 *
 * Who wrote a file is seen by the comments and name servers in it; what is only one's own is
 * done to no other. Pure.
 */
import { formatName, isSubdomain, type Name, type ResourceRecord, TYPE } from "../../dns/mod.ts";
import { count } from "../table.ts";
import { expandGenerate } from "./generate.ts";
import { readSoa } from "../soa.ts";

/** What Cloudflare answers with where the TTL is automatic, in seconds. */
const CLOUDFLARE_AUTOMATIC_TTL = 300;
/** Octets of one character-string (RFC 1035 §3.3). */
const STRING_OCTETS = 255;

/** A provider whose exports are known. */
interface Provider {
  readonly name: string;
  /** Whether a text is an export of its. */
  wrote(text: string): boolean;
}

const PROVIDERS: readonly Provider[] = [
  { name: "Cloudflare", wrote: (text) => /\.ns\.cloudflare\.com\b|;\s*cf_tags=/i.test(text) },
  { name: "Hetzner", wrote: (text) => /\.ns\.hetzner\.(?:com|de)\b/i.test(text) },
];

/** An export, ready to be read as a master file. */
export interface UnderstoodExport {
  readonly text: string | Uint8Array;
  readonly provider: string | undefined;
  /** What the records mean that were read from the text, and what was done to them. */
  mend(
    records: readonly ResourceRecord[],
  ): { readonly records: readonly ResourceRecord[]; readonly notes: readonly string[] };
}

/**
 * What a file is to be read as.
 *
 * @param content  octets that are no UTF-8 are left for the reader to refuse, with their line
 */
export function understandExport(content: string | Uint8Array, apex: Name): UnderstoodExport {
  const whole = textOf(content);
  if (whole === undefined) {
    return { text: content, provider: undefined, mend: (records) => ({ records, notes: [] }) };
  }
  const provider = PROVIDERS.find(({ wrote }) => wrote(whole))?.name;
  const notes: string[] = [];
  const text = splitLongStrings(expandGenerate(whole), (strings) => {
    notes.push(
      `${count(strings, "text")} of more than 255 octets in one string: read as several, which ` +
        "resolvers join again",
    );
  });
  const proxied = provider === "Cloudflare" ? countProxied(whole) : 0;
  if (proxied > 0) {
    notes.push(
      `${
        count(proxied, "record")
      } went through Cloudflare's proxy: what is imported is the origin ` +
        "behind it, which the world will then see and reach itself",
    );
  }
  return {
    text,
    provider,
    mend: (records) => {
      let mended = undoubled(records, apex, notes);
      if (provider === "Cloudflare") mended = withRealTtls(mended, notes);
      noteOddSoa(mended, notes);
      return { records: mended, notes };
    },
  };
}

function textOf(content: string | Uint8Array): string | undefined {
  if (typeof content === "string") return content;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Quoted strings too long for one, cut into several; escapes stay whole. */
function splitLongStrings(text: string, found: (strings: number) => void): string {
  let strings = 0;
  const split = text.replaceAll(/"((?:[^"\\\n]|\\.){256,})"/g, (all, inner: string) => {
    const parts = cut(inner);
    if (parts.length === 1) return all;
    strings++;
    return parts.map((part) => `"${part}"`).join(" ");
  });
  if (strings > 0) found(strings);
  return split;
}

function cut(inner: string): string[] {
  const parts: string[] = [];
  let part = "";
  let octets = 0;
  for (const [unit] of inner.matchAll(/\\[0-9]{3}|\\.|[^\\]/gsu)) {
    const more = unit.startsWith("\\") ? 1 : new TextEncoder().encode(unit).length;
    if (octets + more > STRING_OCTETS) {
      parts.push(part);
      [part, octets] = ["", 0];
    }
    part += unit;
    octets += more;
  }
  return [...parts, part];
}

function countProxied(text: string): number {
  const comments = text.matchAll(/^[^;\s](?:"(?:[^"\\\n]|\\.)*"|[^";\n])*;(.*)$/gm);
  return [...comments].filter(([, comment]) => /\bcf-proxied:true\b/.test(comment)).length;
}

/** Owners such as example.org.example.org. were written absolute, and without their last dot. */
function undoubled(
  records: readonly ResourceRecord[],
  apex: Name,
  notes: string[],
): readonly ResourceRecord[] {
  if (apex.length === 1) return records;
  const twice = new Uint8Array(2 * apex.length - 1);
  twice.set(apex.subarray(0, -1));
  twice.set(apex, apex.length - 1);
  const soa = records.find(({ type }) => type === TYPE.SOA);
  // One name doubled may be meant; that of the SOA never is.
  if (!soa || formatName(soa.owner) !== formatName(twice)) return records;
  let mended = 0;
  const all = records.map((record) => {
    if (!isSubdomain(record.owner, twice)) return record;
    mended++;
    const owner = new Uint8Array(record.owner.length - apex.length + 1); // ends with the root's 0
    owner.set(record.owner.subarray(0, -apex.length));
    return { ...record, owner };
  });
  notes.push(`${count(mended, "owner")} without a last dot: taken as absolute`);
  return all;
}

function withRealTtls(
  records: readonly ResourceRecord[],
  notes: string[],
): readonly ResourceRecord[] {
  const automatic = records.filter(({ ttl }) => ttl === 1).length;
  if (automatic === 0) return records;
  notes.push(
    `${
      count(automatic, "record")
    } with an automatic TTL: taken as ${CLOUDFLARE_AUTOMATIC_TTL} s, ` +
      "as Cloudflare answers",
  );
  return records.map((record) =>
    record.ttl === 1 ? { ...record, ttl: CLOUDFLARE_AUTOMATIC_TTL } : record
  );
}

/** Says when a serial is no date and no time that has been: published ones go on above it all the same. */
function noteOddSoa(records: readonly ResourceRecord[], notes: string[]): void {
  const soa = records.find(({ type }) => type === TYPE.SOA);
  if (!soa) return;
  const { serial } = readSoa(soa.rdata);
  const isDate = /^20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d\d$/.test(String(serial));
  if (isDate || serial <= Date.now() / 1000) return;
  notes.push(
    `the serial ${serial} lies ahead of the time: published serials go on above it, one by one`,
  );
}
