/** A zone on its way in, wherever it comes from. */
import {
  equalNames,
  equalOctets,
  formatName,
  formatRdata,
  formatRelative,
  isSubdomain,
  lowerName,
  type Name,
  type ResourceRecord,
  typeName,
} from "../../dns/mod.ts";
import type { RecordEdit, ZoneSettings } from "../../source/mod.ts";
import { CommandError } from "../errors.ts";
import type { ZoneName } from "../forms.ts";
import { readSoa } from "../soa.ts";
import { count } from "../table.ts";

/** What is to be written to the source. */
export interface ImportedZone {
  readonly settings: ZoneSettings;
  readonly edits: readonly RecordEdit[];
  /** What it was read from, for people: "example.org.zone", "192.0.2.53:53". */
  readonly from: string;
  /** The provider whose export it is; undefined where it is nobody's in particular. */
  readonly provider?: string;
  /** What was read otherwise than written, or should be known: a sentence each. */
  readonly notes: readonly string[];
}

/** A zone's settings out of its SOA record. */
export function settingsOf(
  zone: ZoneName,
  soa: ResourceRecord,
  defaultTtl: number | undefined,
): ZoneSettings {
  const { mname, rname, serial, refresh, retry, expire, minimum } = readSoa(soa.rdata);
  return {
    name: zone.text,
    mname: formatName(mname),
    rname: formatName(rname),
    refresh,
    retry,
    expire,
    minimum,
    defaultTtl: defaultTtl ?? soa.ttl,
    soaTtl: soa.ttl,
    // What a source without a floor exports; published serials are above it anyway.
    serialFloor: serial === 0 ? null : serial,
  };
}

/** A record as the source is to have it. */
export function editOf({ owner, type, ttl, rdata }: ResourceRecord, apex: Name): RecordEdit {
  return {
    name: ownerText(owner, apex),
    type: typeName(type),
    content: formatRdata(type, rdata),
    ttl,
  };
}

/** An owner relative to the zone; absolute where that keeps the case it is written in. */
function ownerText(owner: Name, apex: Name): string {
  const sameCase = equalOctets(owner.subarray(owner.length - apex.length), lowerName(apex));
  return sameCase || owner.length === apex.length ? formatRelative(owner, apex) : formatName(owner);
}

/**
 * A note where the SOA names a primary that cannot be, as PowerDNS' `pdnsutil create-zone` writes
 * it: a.misconfigured.dns.server.invalid.
 *
 * Spec: RFC 6761 §6.4 (names below invalid. do not exist).
 */
export function placeholderNotes({ name, mname }: ZoneSettings): string[] {
  if (!/(^|\.)invalid\.$/i.test(mname)) return [];
  return [
    `the SOA names ${mname} as primary, which stands for none: \`zonecast zone set ${name} ` +
    "--mname NAME` gives it the name of a name server of the zone",
  ];
}

/** Whether two records say the same, whatever their TTLs. */
export function isSame(a: ResourceRecord, b: ResourceRecord): boolean {
  return equalNames(a.owner, b.owner) && equalOctets(a.rdata, b.rdata);
}

/** Refuses records of other zones: nothing is to vanish in silence. */
export function refuseOutside(records: readonly ResourceRecord[], zone: ZoneName): void {
  const outside = records.filter(({ owner }) => !isSubdomain(owner, zone.apex));
  if (outside.length === 0) return;
  throw new CommandError(
    "import-outside",
    `Cannot import ${zone.text}: ${count(outside.length, "record")} outside the zone, first ` +
      `${formatName(outside[0].owner)} ${typeName(outside[0].type)}`,
    "names without a last dot are relative to $ORIGIN",
  );
}
