/**
 * The SOA record made from a zone's settings.
 *
 * Pure. Spec: RFC 1035 §3.3.13; RFC 2308 §4 (MINIMUM is the negative TTL).
 */
import {
  MAX_TTL,
  type Name,
  parseName,
  type ResourceRecord,
  type Serial,
  TYPE,
  ZonecastError,
} from "../dns/mod.ts";

/** What an SOA is made from; times in seconds. */
export interface SoaSettings {
  /** Presentation format, relative to the zone. */
  readonly mname: string;
  readonly rname: string;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
  /** Of records whose own TTL is null. */
  readonly defaultTtl: number;
  /** TTL of the SOA record; null means {@link defaultTtl}. */
  readonly soaTtl: number | null;
}

/** Settings no SOA can be made from. */
export class SoaError extends ZonecastError {
  override readonly name = "SoaError";
}

/**
 * The SOA record of a zone.
 *
 * @throws {SoaError} a time out of range, the default TTL of the zone's records included
 * @throws {NameError} MNAME or RNAME is no name
 */
export function makeSoa(apex: Name, settings: SoaSettings, serial: Serial): ResourceRecord {
  if (/[^\\]@/.test(settings.rname)) {
    throw new SoaError(
      "soa-rname",
      `the zone's rname "${settings.rname}" is a mail address`,
      "write it as a name: the @ becomes a dot (RFC 1035 §8), hostmaster.example.com.",
    );
  }
  const mname = readName(settings.mname, apex, "mname");
  const rname = readName(settings.rname, apex, "rname");
  const rdata = new Uint8Array(mname.length + rname.length + 20);
  rdata.set(mname);
  rdata.set(rname, mname.length);
  const view = new DataView(rdata.buffer, mname.length + rname.length);
  view.setUint32(0, serial);
  view.setUint32(4, seconds(settings.refresh, "refresh"));
  view.setUint32(8, seconds(settings.retry, "retry"));
  view.setUint32(12, seconds(settings.expire, "expire"));
  view.setUint32(16, seconds(settings.minimum, "minimum"));
  // Records without a TTL have it, whatever the SOA's own is.
  const defaultTtl = seconds(settings.defaultTtl, "default_ttl");
  const ttl = settings.soaTtl === null ? defaultTtl : seconds(settings.soaTtl, "soa_ttl");
  return { owner: apex, type: TYPE.SOA, ttl, rdata };
}

function readName(text: string, apex: Name, field: string): Name {
  try {
    return parseName(text, apex);
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    throw new SoaError(
      `soa-${field}`,
      `the zone's ${field} is no name: ${error.message}`,
      error.hint ?? `correct it with \`zonecast zone set ZONE --${field} NAME\``,
      { cause: error },
    );
  }
}

function seconds(value: number, field: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_TTL) return value;
  throw new SoaError(
    `soa-${field.replace("_", "-")}`,
    `the zone's ${field} is ${value}`,
    `use whole seconds from 0 to ${MAX_TTL}`,
  );
}
