/**
 * What must be served for the rows of a zone, and which problems they are: the model's own
 * verdicts, by the README's words. Slow and simple; nothing of lib/zone is called. Pure.
 */
import type { Answer } from "dns-packet";
import { recordText } from "../../support/ixfr.ts";
import { hasOwner, ownerOf, recordLine, type Row, rowProblem, spelling } from "./rows.ts";

export interface Settings {
  readonly mname: string;
  readonly rname: string;
  readonly refresh: number;
  readonly minimum: number;
  readonly default_ttl: number;
  readonly soa_ttl: number | null;
  readonly serial_floor: number | null;
}

export const SETTINGS: Settings = {
  mname: "ns1.servers.example.",
  rname: "hostmaster",
  refresh: 3600,
  minimum: 300,
  default_ttl: 300,
  soa_ttl: null,
  serial_floor: null,
};

/** A zone as the tables have it at one time. */
export interface ZoneRows {
  readonly zone: string;
  readonly settings: Settings;
  readonly rows: readonly Row[];
}

/** A zone as it is served. */
export interface Served {
  /** The SOA with its serial left out. */
  readonly soa: string;
  /** Owner → its records as the client shows them, sorted. */
  readonly owners: ReadonlyMap<string, readonly string[]>;
  /** All of it: equal for zones that are. */
  readonly text: string;
}

/** A problem as zonecast.problems has it, in one line. */
export type ProblemLine = string;

export function problemLine(
  zone: string,
  name: string,
  type: string,
  content: string,
  code: string,
): ProblemLine {
  return JSON.stringify([zone, name, type, content, code]);
}

/** The SOA record as one text, its serial left out. */
export function soaText(answer: Answer): string {
  if (answer.type !== "SOA") throw new Error(`No SOA record: ${recordText(answer)}`);
  const { mname, rname, refresh, retry, expire, minimum } = answer.data;
  return `${answer.name} ${answer.ttl} SOA ${mname} ${rname} ${refresh} ${retry} ${expire} ${minimum}`;
}

export function served(soa: string, owners: ReadonlyMap<string, readonly string[]>): Served {
  const names = [...owners.keys()].sort();
  return { soa, owners, text: [soa, ...names.flatMap((name) => owners.get(name)!)].join("\n") };
}

/** Ranges: seconds of 31 bits, a serial of 32. */
function isSeconds(value: number): boolean {
  return value >= 0 && value < 2 ** 31;
}

/** What is wrong with a zone's settings, or undefined. */
function settingsProblem(settings: Settings): string | undefined {
  const { mname, rname, refresh, minimum, default_ttl, soa_ttl, serial_floor } = settings;
  if (serial_floor !== null && (serial_floor < 0 || serial_floor >= 2 ** 32)) {
    return "soa-serial-floor";
  }
  if (rname.includes("@")) return "soa-rname";
  if (mname.includes("..")) return "soa-mname";
  if (!isSeconds(refresh)) return "soa-refresh";
  if (!isSeconds(minimum)) return "soa-minimum";
  if (!isSeconds(default_ttl)) return "soa-default-ttl";
  if (soa_ttl !== null && !isSeconds(soa_ttl)) return "soa-soa-ttl";
  return undefined;
}

function soaOf({ zone, settings }: ZoneRows): string {
  const { mname, rname, refresh, minimum, default_ttl, soa_ttl } = settings;
  const absolute = (name: string) => name.endsWith(".") ? name.slice(0, -1) : `${name}.${zone}`;
  return `${zone} ${soa_ttl ?? default_ttl} SOA ${absolute(mname)} ${absolute(rname)} ` +
    `${refresh} 600 1209600 ${minimum}`;
}

/** cname-and-other-data and the like: the owner as a whole is bad, or its one RRset of `type`. */
interface Conflict {
  readonly code: string;
  /** Empty: the owner as a whole. */
  readonly type: string;
}

/** What an owner's rows come to. */
interface OwnerVerdict {
  /** Least spelling of the owner. */
  readonly name: string;
  readonly lines: readonly string[];
  readonly conflicts: readonly Conflict[];
  readonly ttlsDiffer: boolean;
}

const BEFORE = (a: string, b: string) => a < b ? a : b;

/** What an owner's good rows come to. */
function judgeOwner(zoneRows: ZoneRows, rows: readonly Row[]): OwnerVerdict {
  const { zone, settings } = zoneRows;
  const name = rows.map((row) => spelling(row.name, zone)).reduce(BEFORE);
  const lines: string[] = [];
  const counts = new Map<string, number>();
  let ttlsDiffer = false;
  for (const type of new Set(rows.map(({ kind }) => kind.type))) {
    const rrset = rows.filter(({ kind }) => kind.type === type);
    const ttls = rrset.map(({ ttl }) => ttl ?? settings.default_ttl);
    const ttl = Math.min(...ttls);
    if (ttls.some((one) => one !== ttl)) ttlsDiffer = true;
    const different = new Map<string, string>();
    for (const { kind } of rrset) {
      const line = recordLine(name, ttl, kind, zone);
      const same = kind.ofNames ? line.toLowerCase() : line;
      different.set(same, BEFORE(line, different.get(same) ?? line));
    }
    counts.set(type, different.size);
    lines.push(...different.values());
  }
  const isApex = name.toLowerCase() === zone;
  const conflicts = isApex ? apexConflicts(counts) : conflictOf(counts);
  const isBad = (line: string) =>
    conflicts.some(({ type }) => type === "" || line.includes(` ${type} `));
  return { name, lines: lines.filter((line) => !isBad(line)).sort(), conflicts, ttlsDiffer };
}

/** What cannot stand at the apex, beside the SOA: all else there is served. */
function apexConflicts(counts: ReadonlyMap<string, number>): Conflict[] {
  const conflicts: Conflict[] = [];
  if (counts.has("CNAME")) conflicts.push({ code: "cname-and-other-data", type: "CNAME" });
  if (counts.get("DNAME")! > 1) conflicts.push({ code: "several-dnames", type: "DNAME" });
  return conflicts;
}

/**
 * Why an owner below the apex cannot be: the first reason there is.
 *
 * @param counts  type → different records
 */
function conflictOf(counts: ReadonlyMap<string, number>): Conflict[] {
  const bad = (code: string) => [{ code, type: "" }];
  if (counts.has("CNAME") && counts.size > 1) return bad("cname-and-other-data");
  if (counts.get("CNAME")! > 1) return bad("several-cnames");
  if (counts.get("DNAME")! > 1) return bad("several-dnames");
  if (counts.has("DNAME") && counts.has("NS")) return bad("dname-and-ns");
  return [];
}

/** What becomes of a zone's rows. */
export interface Verdict {
  /** What is to be served; undefined: the zone is not there, or was never served and is held. */
  readonly served: Served | undefined;
  /** The zone as a whole is bad, and stays as it was. */
  readonly held: boolean;
  readonly problems: ReadonlySet<ProblemLine>;
  /** The owners, in their one form, that have a problem. */
  readonly troubledOwners: ReadonlySet<string>;
  /** Those of them with another one than TTLs that differ. */
  readonly badOwners: ReadonlySet<string>;
  /** The owners that are served as they were until somebody mends them, or the zone's NS records. */
  readonly heldOwners: ReadonlySet<string>;
}

/** What is served in place of bad rows, as `--bad-rows` has it. */
export const BAD_ROWS = ["keep", "omit", "hold"] as const;
export type BadRows = typeof BAD_ROWS[number];

/** The names above an owner in its zone, in their one form. */
export function above(owner: string, zone: string): string[] {
  const names: string[] = [];
  for (let name = owner; name !== `${zone}.`;) {
    name = name.slice(name.indexOf(".") + 1);
    names.push(name);
  }
  return names;
}

const isDname = (line: string) => / \d+ DNAME /.test(line);

/** @param before  what is served of the zone now */
export function judge(
  zoneRows: ZoneRows | undefined,
  before: Served | undefined,
  badRows: BadRows,
): Verdict {
  const problems = new Set<ProblemLine>();
  const badOwners = new Set<string>();
  const troubledOwners = new Set<string>();
  if (!zoneRows) {
    const heldOwners = new Set<string>();
    const none = { served: undefined, held: false, heldOwners };
    return { ...none, problems, badOwners, troubledOwners };
  }
  const { zone } = zoneRows;
  const goodRows = new Map<string, Row[]>();
  /** Owners with a row that cannot be read. */
  const unread = new Set<string>();
  for (const row of zoneRows.rows) {
    if (row.disabled) continue;
    const owner = ownerOf(row.name, zone);
    const code = rowProblem(row, zone);
    if (!code) goodRows.set(owner, [...goodRows.get(owner) ?? [], row]);
    else {
      const { type, content } = row.kind;
      const shown = content.length > 200 ? content.slice(0, 200) + "…" : content;
      problems.add(problemLine(zone, row.name, type, shown, code));
      badOwners.add(owner);
      troubledOwners.add(owner);
      if (hasOwner(row, zone)) unread.add(owner);
    }
  }
  const owners = new Map<string, readonly string[]>();
  const depth = (owner: string) => above(owner, zone).length;
  const all = [...new Set([...goodRows.keys(), ...unread])].sort((a, b) => depth(a) - depth(b));
  for (const owner of all) {
    const rows = goodRows.get(owner) ?? [];
    const verdict = rows.length > 0 ? judgeOwner(zoneRows, rows) : undefined;
    const isHidden = above(owner, zone).some((name) => owners.get(name)?.some(isDname));
    const conflicts = !verdict
      ? []
      : isHidden
      ? [{ code: "below-dname", type: "" }]
      : verdict.conflicts;
    for (const { type, code } of conflicts) {
      problems.add(problemLine(zone, `${verdict!.name}.`, type, "", code));
      badOwners.add(owner);
      troubledOwners.add(owner);
    }
    if (isHidden) continue;
    if (conflicts.length === 0 && verdict?.ttlsDiffer) {
      troubledOwners.add(owner);
      problems.add(problemLine(zone, `${verdict.name}.`, "", "", "ttls-differ"));
    }
    const isBad = unread.has(owner) || conflicts.length > 0;
    const lines = isBad && badRows !== "omit" && before?.owners.get(owner) ||
      (verdict && verdict.lines.length > 0 ? verdict.lines : undefined);
    if (lines) owners.set(owner, lines);
  }
  const wrong = settingsProblem(zoneRows.settings);
  const apex = `${zone}.`;
  const hasNs = owners.get(apex)?.some((line) => / \d+ NS /.test(line));
  if (wrong) problems.add(problemLine(zone, "", "SOA", "", wrong));
  else if (!hasNs) problems.add(problemLine(zone, "", "", "", "zone-without-ns"));
  const mustHold = badRows === "hold" && badOwners.size > 0;
  if (mustHold) problems.add(problemLine(zone, "", "", "", "held-for-bad-rows"));
  const verdict = { problems, badOwners, troubledOwners };
  if (wrong || mustHold || !hasNs && !before) {
    return { ...verdict, served: before, held: true, heldOwners: new Set() };
  }
  const heldOwners = new Set<string>();
  if (!hasNs) {
    // Its name servers stay, and all there was where nothing would be left.
    const kept = owners.size > 0 ? [apex] : [...before!.owners.keys()];
    for (const owner of kept) {
      heldOwners.add(owner);
      owners.set(owner, before!.owners.get(owner)!);
    }
  }
  return { ...verdict, served: served(soaOf(zoneRows), owners), held: false, heldOwners };
}
