/**
 * What the status page asks about zones: lists, records, versions. Every answer is bounded, and
 * made in slices.
 *
 * Owns: the sorted names of all zones, as they were last listed.
 */
import {
  canonicalKey,
  formatName,
  formatRdata,
  NameError,
  parseName,
  type ResourceRecord,
  typeName,
} from "../../dns/mod.ts";
import { type HttpContext, HttpError, type JsonObject } from "../../ops/mod.ts";
import { listRecords, readOwnersAfter, type ZoneVersion } from "../../zone/mod.ts";
import { secondaryZoneStatus, type ServerParts } from "../control_commands.ts";
import { mergedLines, recordLine } from "../diff_text.ts";
import { recordJson } from "../json_output.ts";
import { zoneStatus } from "../status.ts";
import type { PageJournal } from "./page_journal.ts";

/** Zones in one answer. */
const ZONES_LISTED = 50;
/** Records in one answer. */
const RECORDS_LISTED = 100;
/** Owners looked at for one answer; the page asks for more behind them. */
const OWNERS_SEARCHED = 20_000;
/** Records of one owner that are looked at: more take too long in one piece. */
const RECORDS_OF_OWNER = 1_000;
/** Lines of a difference in one answer. */
const LINES_SHOWN = 500;
/** Characters of a record's data in one answer: a TXT may have 60,000. */
const CONTENT_SHOWN = 2_000;
/** A list of names is made anew after this, ms, should it have missed a change. */
const NAMES_MS = 60_000;

interface ZoneEntry {
  readonly name: string;
  readonly key: string;
}

export class ZoneAnswers {
  readonly #parts: ServerParts;
  readonly #journal: PageJournal;
  #names: { readonly entries: readonly ZoneEntry[]; readonly madeAt: number } | undefined;

  constructor(parts: ServerParts, journal: PageJournal) {
    this.#parts = parts;
    this.#journal = journal;
  }

  /** A zone has come or gone. */
  changed(): void {
    this.#names = undefined;
  }

  /** Zones whose names contain the text `q`, in canonical order, behind the zone `after`. */
  async zones(query: URLSearchParams, context: HttpContext): Promise<JsonObject> {
    const wanted = (query.get("q") ?? "").trim().toLowerCase();
    const after = query.get("after");
    const afterKey = after ? canonicalKey(parsed(after)) : "";
    const entries = await this.#sortedNames(context);
    let matching = 0;
    const found: ZoneVersion[] = [];
    await context.pace.runSliced(
      entries.values(),
      context.signal,
      ({ name, key }) => {
        if (!name.includes(wanted)) return;
        matching++;
        if (key <= afterKey || found.length > ZONES_LISTED) return;
        const version = this.#parts.zones.get(parseName(name));
        if (version) found.push(version);
      },
    );
    const isMore = found.length > ZONES_LISTED;
    const zones = found.slice(0, ZONES_LISTED).map((version) => ({
      ...zoneStatus(version, this.#parts.primary.publishedAt(version.apexKey)),
      secondaries: this.#statesOf(version),
    }));
    return { zones, matching, next: isMore ? zones[zones.length - 1].zone : undefined };
  }

  /** A zone and how each secondary stands with it. */
  zone(query: URLSearchParams): JsonObject {
    const version = this.#version(query);
    const { server } = this.#parts;
    return {
      ...zoneStatus(version, this.#parts.primary.publishedAt(version.apexKey)),
      secondaries: server.standings(version.apex).map(({ secondary, zone }) => ({
        secondary,
        ...zone && secondaryZoneStatus(zone),
      })),
    };
  }

  /**
   * Records whose owner or data contains the text `q`, in canonical order, behind the owner
   * `after`; `next` says where to go on.
   */
  async records(query: URLSearchParams, context: HttpContext): Promise<JsonObject> {
    const version = this.#version(query);
    const wanted = (query.get("q") ?? "").trim().toLowerCase();
    const after = query.get("after");
    const search = new RecordSearch(
      version,
      wanted,
      after ? canonicalKey(parsed(after)) : undefined,
    );
    await context.pace.runSliced(search.run(), context.signal);
    const { found, more, searched, next } = search;
    return { serial: version.serial, records: found, more, searched, next };
  }

  /** The newest versions of a zone, the newest first. */
  async log(query: URLSearchParams): Promise<JsonObject> {
    const { apex, serial } = this.#version(query);
    const entries = await this.#journal.log(apex);
    return { serial, versions: entries.toReversed().map((entry) => ({ ...entry })) };
  }

  /** What led to the version `to`, as lines. */
  async diff(query: URLSearchParams, context: HttpContext): Promise<JsonObject> {
    const { apex } = this.#version(query);
    const to = Number(query.get("to"));
    if (!Number.isInteger(to)) throw new HttpError(400, "`to` is no serial");
    const { fromSoa, toSoa, removed, added } = await this.#journal.step(apex, to);
    const lines = [`- ${recordLine(fromSoa)}`, `+ ${recordLine(toSoa)}`];
    const others = mergedLines(listRecords(removed), listRecords(added));
    await context.pace.runSliced(
      others.take(LINES_SHOWN),
      context.signal,
      (line) => lines.push(line.slice(0, CONTENT_SHOWN)),
    );
    return { to, lines, more: Math.max(0, removed.count + added.count - LINES_SHOWN) };
  }

  /** @throws {HttpError} 400, 404 */
  #version(query: URLSearchParams): ZoneVersion {
    const version = this.#parts.zones.get(parsed(query.get("zone") ?? ""));
    if (!version) throw new HttpError(404, "this zone is not served");
    return version;
  }

  async #sortedNames({ pace, signal }: HttpContext): Promise<readonly ZoneEntry[]> {
    const known = this.#names;
    if (known && performance.now() - known.madeAt < NAMES_MS) return known.entries;
    const entries: ZoneEntry[] = [];
    await pace.runSliced(this.#parts.zones.all(), signal, ({ apex, apexKey: key }) => {
      entries.push({ name: formatName(apex).toLowerCase(), key });
    });
    entries.sort((a, b) => a.key < b.key ? -1 : 1);
    this.#names = { entries, madeAt: performance.now() };
    return entries;
  }

  /** How many secondaries are in each state with a zone. */
  #statesOf({ apex }: ZoneVersion): JsonObject {
    const states: Record<string, number> = {};
    for (const { zone } of this.#parts.server.standings(apex)) {
      const state = zone?.watch?.state ?? "unknown";
      states[state] = (states[state] ?? 0) + 1;
    }
    return states;
  }
}

/** Looks for records; can be run in slices. */
class RecordSearch {
  readonly found: ReturnType<typeof recordJson>[] = [];
  /** Records of owners looked at beyond those shown. */
  more = 0;
  searched = 0;
  /** The owner to go on behind; undefined at the end. */
  next: string | undefined;

  constructor(
    readonly version: ZoneVersion,
    readonly wanted: string,
    readonly after: string | undefined,
  ) {}

  *run(): Generator<undefined> {
    const { soa, pages, apexKey } = this.version;
    if (this.after === undefined) this.#look(formatName(soa.owner), [soa]);
    for (const { key, owner, records } of readOwnersAfter(pages, this.after)) {
      if (this.found.length >= RECORDS_LISTED || this.searched >= OWNERS_SEARCHED) return;
      const name = formatName(owner);
      this.#look(name, records);
      this.searched++;
      this.next = key === apexKey ? formatName(soa.owner) : name;
      yield;
    }
    this.next = undefined;
  }

  #look(name: string, records: readonly ResourceRecord[]): void {
    const { wanted } = this;
    const all = wanted === "" || name.toLowerCase().includes(wanted);
    this.more += Math.max(0, records.length - RECORDS_OF_OWNER);
    for (const record of records.slice(0, RECORDS_OF_OWNER)) {
      if (!all && !this.#isWanted(record)) continue;
      if (this.found.length >= RECORDS_LISTED) {
        this.more++;
        continue;
      }
      const shown = recordJson(record);
      this.found.push({ ...shown, content: shown.content.slice(0, CONTENT_SHOWN) });
    }
  }

  #isWanted({ type, rdata }: ResourceRecord): boolean {
    return typeName(type).toLowerCase() === this.wanted ||
      formatRdata(type, rdata).toLowerCase().includes(this.wanted);
  }
}

/** @throws {HttpError} 400 */
function parsed(name: string) {
  try {
    return parseName(name);
  } catch (error) {
    if (error instanceof NameError) throw new HttpError(400, error.message);
    throw error;
  }
}
