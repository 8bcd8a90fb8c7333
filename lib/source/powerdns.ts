/**
 * The tables of PowerDNS' gpgsql backend in zonecast's terms: names without a
 * last dot are absolute, MX and SRV have their preference in `prio`, a zone's
 * settings stand in its SOA row. Pure.
 *
 * Limitations: what only PowerDNS can answer (ALIAS, LUA) is a bad row; its
 * DNSSEC keys and metadata are not looked at.
 */
import {
  findTypeCode,
  formatName,
  formatRdata,
  lowerName,
  parseName,
  parseRdata,
  ROOT,
  ZonecastError,
} from "../dns/mod.ts";
import { storedType } from "./edit_rules.ts";
import type { SourceRow, ZoneSettings } from "./source.ts";

/** A row of the view `zonecast.powerdns_records`. */
export interface PowerdnsRecord {
  readonly zone: string;
  readonly name: string;
  readonly type: string;
  readonly ttl: number | null;
  readonly content: string | null;
  readonly prio: number | null;
}

/** A row of the view `zonecast.powerdns_zones`. */
export interface PowerdnsZone {
  readonly name: string;
  /** The SOA's. */
  readonly content: string | null;
  readonly ttl: number | null;
}

/** TTL of records without one: PowerDNS' `default-ttl`. */
const DEFAULT_TTL = 3600;
/** What PowerDNS takes for SOA fields that are not written, in seconds. */
const SOA_DEFAULTS = { refresh: 10800, retry: 3600, expire: 604800, minimum: 3600 };
/** Types that PowerDNS keeps the first field of in `prio`. */
const WITH_PRIO = new Set(["MX", "SRV"]);
/** Types without a name in their data, of which there are many: nothing to translate. */
const NAMELESS = new Set(["A", "AAAA", "TXT", "CAA", "TLSA", "SSHFP", "DS", "DNSKEY"]);

/** A record as zonecast has it; what cannot be understood stays as it is, and becomes a bad row. */
export function powerdnsRow(record: PowerdnsRecord): SourceRow {
  const type = storedType(record.type);
  const name = dotted(record.name);
  return {
    zone: record.zone,
    name,
    type,
    ttl: record.ttl,
    content: absoluteContent(type, record),
    owner: understood(() => formatName(lowerName(parseName(name)))) ?? name,
  };
}

/** A zone's settings out of its SOA row. */
export function powerdnsZone({ name, content, ttl }: PowerdnsZone): ZoneSettings {
  const [mname = "", rname = "", serial, refresh, retry, expire, minimum] = (content ?? "").trim()
    .split(/\s+/);
  const seconds = (text: string | undefined, otherwise: number) =>
    text !== undefined && /^\d+$/.test(text) ? Number(text) : otherwise;
  return {
    name,
    mname: dotted(mname),
    rname: dotted(rname.replace(/^([^\\@]*)@/, "$1.")), // PowerDNS lets it be a mail address
    refresh: seconds(refresh, SOA_DEFAULTS.refresh),
    retry: seconds(retry, SOA_DEFAULTS.retry),
    expire: seconds(expire, SOA_DEFAULTS.expire),
    minimum: seconds(minimum, SOA_DEFAULTS.minimum),
    defaultTtl: DEFAULT_TTL,
    soaTtl: ttl,
    // Secondaries have had this one from PowerDNS; 0 means that PowerDNS makes it up.
    serialFloor: seconds(serial, 0) || null,
  };
}

/** How PowerDNS spells an owner: without the last dot, and only dots and backslashes behind one. */
export function powerdnsName(owner: string): string {
  return owner.replace(/\.$/, "").replace(
    /\\([0-9]{3}|.)/g,
    (escape, what) => /^[0-9.\\]/.test(what) ? escape : what,
  );
}

function absoluteContent(type: string, { content, prio }: PowerdnsRecord): string {
  const own = content ?? "";
  const text = WITH_PRIO.has(type) ? `${prio ?? 0} ${own}` : own;
  const code = NAMELESS.has(type) ? undefined : findTypeCode(type);
  if (code === undefined) return text;
  return understood(() => formatRdata(code, parseRdata(code, text, ROOT))) ?? text;
}

/** Undefined when the text cannot be parsed: whoever reads the row next says why. */
function understood(parse: () => string): string | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return undefined;
  }
}

function dotted(name: string): string {
  return /(^|[^\\])(\\\\)*\.$/.test(name) ? name : `${name}.`;
}
