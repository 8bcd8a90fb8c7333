/**
 * Records that a client would ask for next: addresses of the names in an RRset.
 *
 * Only a help: what does not fit is left out, and TC is not set for it. Pure.
 * Specs: RFC 1034 §4.3.2 step 6, RFC 1035 §3.3.9 and §3.3.11 (MX, NS), RFC 2782
 * (SRV), RFC 9460 §4.1 (SVCB and HTTPS), RFC 2181 §9 (TC).
 */
import { equalNames, isSubdomain, type Name, type ResourceRecord, TYPE } from "../dns/mod.ts";
import { type AnswerRoom, lookupOwner, type ZoneVersion } from "../zone/mod.ts";
import { locate, ofType } from "./find.ts";
import { MAX_ADDITIONAL_NAMES } from "./limits.ts";

/** Records to add: those of some types, of one name. */
export interface Addition {
  /** As asked for; a wildcard's records are given it. */
  readonly name: Name;
  /** Records of the owner: all, or more than there is room for. */
  readonly records: readonly ResourceRecord[];
  readonly types: readonly number[];
}

const ADDRESSES: readonly number[] = [TYPE.A, TYPE.AAAA];

/** Where the name stands in the RDATA of types whose names' addresses are added, octets. */
const TARGET_AT: ReadonlyMap<number, number> = new Map([
  [TYPE.NS, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
]);

/** Whether additional records go with an RRset of this type. */
export function hasAdditional(type: number): boolean {
  return TARGET_AT.has(type);
}

/** A name whose records are to be added. */
interface Target {
  readonly name: Name;
  readonly types: readonly number[];
}

/**
 * What goes with an RRset, each name once, in the RRset's order.
 *
 * @param rrset  records of one type for which {@link hasAdditional}
 * @param owner  what they are given as their owner
 * @param room  in the answer
 */
export function* additionsFor(
  version: ZoneVersion,
  rrset: readonly ResourceRecord[],
  owner: Name,
  room: AnswerRoom,
): Generator<Addition> {
  const { type } = rrset[0];
  const seen: Name[] = [];
  const targets = rrset.map((record) => targetOf(record, owner));
  // An alias adds targets while they are gone through.
  for (const { name, types } of targets) {
    if (seen.length === MAX_ADDITIONAL_NAMES) return;
    if (!isSubdomain(name, version.apex) || seen.some((other) => equalNames(name, other))) continue;
    seen.push(name);
    const records = recordsAt(version, name, type, room);
    if (!records) continue;
    yield { name, records, types };
    if (types === ADDRESSES) continue;
    for (const record of ofType(records, type)) targets.push(targetOf(record, name));
  }
}

function targetOf({ type, rdata }: ResourceRecord, owner: Name): Target {
  const target = rdata.subarray(TARGET_AT.get(type)!);
  if (type !== TYPE.SVCB && type !== TYPE.HTTPS) return { name: target, types: ADDRESSES };
  const name = firstName(target);
  // RFC 9460 §4.1: an alias brings its target's records of the type beside its addresses.
  if (rdata[0] === 0 && rdata[1] === 0) return { name, types: [type, ...ADDRESSES] };
  // RFC 9460 §2.5: in ServiceMode the root stands for the owner.
  return { name: name.length === 1 ? owner : name, types: ADDRESSES };
}

/** The name that stands first in some octets. */
function firstName(octets: Uint8Array): Name {
  let at = 0;
  while (octets[at] !== 0) at += 1 + octets[at];
  return octets.subarray(0, at + 1);
}

/** The records of a name, as an answer would have them; below a cut only what glue is for. */
function recordsAt(
  version: ZoneVersion,
  name: Name,
  type: number,
  room: AnswerRoom,
): readonly ResourceRecord[] | undefined {
  const place = locate(version, name, TYPE.A, room);
  if (place.kind === "owner") return place.records;
  if (place.kind !== "cut" || type !== TYPE.NS) return undefined;
  const found = lookupOwner(version, name, room);
  return found.kind === "found" ? found.records : undefined;
}
