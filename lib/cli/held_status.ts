/** What is held, as JSON and for people. Pure. */
import { canonicalKey, type ResourceRecord } from "../dns/mod.ts";
import { formatAge, type JsonObject } from "../ops/mod.ts";
import { type Hold, releaseCommand } from "../primary.ts";
import { listRecords, type ZoneDiff } from "../zone/mod.ts";
import { mergedLines } from "./diff_text.ts";
import { notPublished } from "./errors.ts";
import type { ZoneName } from "./forms.ts";
import { recordJson, records } from "./json_output.ts";
import { list, maybe, number, object, text, time, word } from "./json_shape.ts";
import { count, table } from "./table.ts";

/** A part of a zone that is not published until it is approved. */
export interface HeldStatus extends JsonObject {
  readonly zone: string;
  /** Stands for exactly this content. */
  readonly id: string;
  /** Since when this content is held; ISO 8601 in UTC. */
  readonly since: string;
  /** "shrink", "change", "empty", "no-ns", "ns-set", "zone-removed". */
  readonly reasons: string[];
  /** The same in words, with the figures. */
  readonly why: string;
  /** How many owners are held. */
  readonly owners: number;
  /** How many records would go and come. */
  readonly removed: number;
  readonly added: number;
  /** The command that releases it. */
  readonly release: string;
}

const FIELDS = {
  zone: text("its zone"),
  id: text("stands for exactly this content"),
  since: time("since when this content is held"),
  reasons: list(
    "why",
    word("a reason", ["shrink", "change", "empty", "no-ns", "ns-set", "zone-removed"]),
  ),
  why: text("the reasons in words, with their figures"),
  owners: number("how many owners are held"),
  removed: number("records that would go"),
  added: number("records that would come"),
  release: text("the command that releases it"),
};

/** {@link HeldStatus}, documented. */
export const HELD_SHAPE = object("a change that is not published until it is approved", FIELDS);

/** What `zonecast held --json` prints. */
export const HELD_LIST_SHAPE = list(
  "what is held",
  object("a change that is not published until it is approved", {
    ...FIELDS,
    difference: maybe(object("its first records; with ZONE, where they are known", {
      removed: records("those that would go"),
      added: records("those that would come"),
    })),
  }),
);

export function heldStatus(hold: Hold): HeldStatus {
  const { zone, id, since, reasons, why, ownerCount, removedCount, addedCount } = hold;
  return {
    zone,
    id,
    since: new Date(since).toISOString(),
    reasons: [...reasons],
    why,
    owners: ownerCount,
    removed: removedCount,
    added: addedCount,
    release: releaseCommand(hold),
  };
}

/**
 * Of all holds those of a zone, or of every zone.
 *
 * @throws {CommandError} "zone-not-published": there is no such zone
 */
export function heldOf(
  holds: Iterable<Hold>,
  zone: ZoneName | undefined,
  isPublished: (zone: ZoneName) => boolean,
): HeldStatus[] {
  if (!zone) return [...holds].map(heldStatus);
  const key = canonicalKey(zone.apex);
  const found = [...holds].filter(({ apexKey }) => apexKey === key);
  if (found.length === 0 && !isPublished(zone)) throw notPublished(zone);
  return found.map(heldStatus);
}

/** All holds for people; empty where there are none. */
export function heldTable(held: readonly HeldStatus[], now: number): string {
  if (held.length === 0) return "";
  const rows = held.map(({ zone, id, since, why }) => [
    zone,
    id,
    formatAge(now - Date.parse(since)),
    why,
  ]);
  return table(["ZONE", "HELD AS", "FOR", "WHY"], rows);
}

/**
 * One hold for people, line by line: what it is, its records, how to release it.
 *
 * @param difference  the first of its records; undefined when they are not known yet
 */
export function* heldLines(
  held: HeldStatus,
  difference: ZoneDiff | undefined,
  now: number,
): Generator<string> {
  const { zone, id, since, why, owners, removed, added, reasons, release } = held;
  yield `${zone} held as ${id} for ${formatAge(now - Date.parse(since))}: ${why}`;
  if (reasons.includes("zone-removed")) {
    yield `all of it would go: ${count(owners, "owner")}, ${count(removed, "record")}`;
  } else {
    const served = owners === 1 ? "1 owner is" : `${count(owners, "owner")} are`;
    yield `${served} served as before: ${count(removed, "record")} would go, ${added} would come`;
    if (!difference) yield "the records are known when the source was read again";
    else {
      yield* mergedLines(listRecords(difference.removed), listRecords(difference.added));
      const shown = difference.removed.count + difference.added.count;
      if (shown < removed + added) yield `… and ${removed + added - shown} records more`;
    }
  }
  yield reasons.includes("no-ns")
    ? "a zone without NS records cannot be served: give it its NS records back"
    : `to release exactly this: ${release}`;
}

/** A hold with its records, for JSON. */
export function heldJson(held: HeldStatus, difference: ZoneDiff | undefined): JsonObject {
  if (!difference || held.reasons.includes("zone-removed")) return held;
  const all = (records: Iterable<ResourceRecord>) => [...records].map(recordJson);
  return {
    ...held,
    difference: {
      removed: all(listRecords(difference.removed)),
      added: all(listRecords(difference.added)),
    },
  };
}
