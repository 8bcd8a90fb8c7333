/**
 * Where answers of ours differ from those of NSD, Knot and BIND, and why ours are right.
 *
 * Two answers are taken apart into the points in which they differ; each point must
 * be explained by a row of the table, or it is a fault: ours, or one to be explained.
 */
import { isSubdomain, parseName } from "../../lib/dns/mod.ts";
import type { ComparableMessage, ComparableRecord } from "../support/comparable.ts";
import { line } from "../support/comparable.ts";
import type { FilePrimary } from "../support/file_primaries.ts";
import type { RandomQuestion } from "../support/random_questions.ts";

/** Two answers to one question. */
export interface Pair {
  readonly question: RandomQuestion;
  readonly peer: FilePrimary;
  readonly ours: ComparableMessage;
  readonly theirs: ComparableMessage;
  /** What we say when the size does not matter. */
  readonly whole: ComparableMessage;
  /** The apex of the zone a name is answered from; undefined: of none. */
  readonly zoneOf: (name: string) => string | undefined;
}

/** One point in which two answers differ. */
export type Point =
  | { readonly kind: "rcode" | "aa" | "tc" | "opt" }
  | {
    readonly kind: "answer" | "authority" | "additional";
    /** Who has the record; the other has not. */
    readonly by: "ours" | "theirs";
    readonly record: ComparableRecord;
  };

const SECTIONS = ["answer", "authority", "additional"] as const;

/** All points in which the answers differ; sections are sets, and not compared where one is cut. */
export function pointsOf({ ours, theirs }: Pair): Point[] {
  const points: Point[] = [];
  for (const kind of ["rcode", "aa", "tc"] as const) {
    if (ours[kind] !== theirs[kind]) points.push({ kind });
  }
  if (ours.opt?.dnssecOk !== theirs.opt?.dnssecOk) points.push({ kind: "opt" });
  if (ours.tc || theirs.tc) return points;
  for (const kind of SECTIONS) {
    for (const record of only(ours[kind], theirs[kind])) points.push({ kind, by: "ours", record });
    for (const record of only(theirs[kind], ours[kind])) {
      points.push({ kind, by: "theirs", record });
    }
  }
  return points;
}

/** The records of one section that the other has not. */
function only(
  section: readonly ComparableRecord[],
  other: readonly ComparableRecord[],
): ComparableRecord[] {
  const others = new Set(other.map(line));
  return section.filter((record) => !others.has(line(record)));
}

/** Why ours is right where a peer says otherwise. */
export interface Explanation {
  readonly id: string;
  readonly peers: readonly FilePrimary[];
  /** What it rests on, in our words. */
  readonly why: string;
  readonly explains: (point: Point, pair: Pair) => boolean;
}

const ALL: readonly FilePrimary[] = ["nsd", "knot", "bind"];

function isIn(name: string, apex: string): boolean {
  return isSubdomain(parseName(name), parseName(apex));
}

/** The name the last CNAME of an answer leads to. */
function chainEnd({ answer }: ComparableMessage): string | undefined {
  const cnames = answer.filter(({ type }) => type === "CNAME");
  const owners = new Set(cnames.map(({ owner }) => owner));
  return cnames.find(({ rdata }) => !owners.has(rdata))?.rdata;
}

/** The type a signature covers, else the record's own. */
function meant({ type, rdata }: ComparableRecord): string {
  return type === "RRSIG" ? rdata.split(" ")[0] : type;
}

/** Whether a record is an address that a referral may not go without (RFC 9471 §3.1). */
function isNeededGlue(
  record: ComparableRecord,
  { authority }: ComparableMessage,
  zoneOf: Pair["zoneOf"],
): boolean {
  if (record.type !== "A" && record.type !== "AAAA") return false;
  return authority.some(({ type, owner, rdata }) =>
    type === "NS" && rdata === record.owner && isIn(record.owner, owner) && zoneOf(owner) !== owner
  );
}

/** All that a client must have of an answer. */
function needed(message: ComparableMessage, zoneOf: Pair["zoneOf"]): string[] {
  const glue = message.additional.filter((record) => isNeededGlue(record, message, zoneOf));
  return [...message.answer, ...message.authority, ...glue].map(line);
}

export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: "authority NS",
    peers: ["nsd"],
    why: "RFC 1034 §4.3.2: no step adds the zone's NS records to an answer; they are a help, and " +
      "cost room",
    explains: (point, { theirs, zoneOf }) =>
      point.kind === "authority" && point.by === "theirs" && meant(point.record) === "NS" &&
      theirs.aa && theirs.answer.length > 0 && zoneOf(point.record.owner) === point.record.owner,
  },
  {
    id: "additional",
    peers: ALL,
    why: "RFC 1034 §4.3.2 step 6: what may be useful; RFC 9471 §3.1 and §3.2: nothing there is a " +
      "must but the glue of name servers below the cut",
    explains: (point, { theirs, zoneOf }) =>
      point.kind === "additional" &&
      (point.by === "ours" || !isNeededGlue(point.record, theirs, zoneOf)),
  },
  {
    id: "TC for less than everything",
    peers: ALL,
    why: "RFC 2181 §9: TC is for what must be there and does not fit; ours is whole without it",
    explains: (point, { ours, whole, zoneOf }) => {
      const said = new Set(needed(ours, zoneOf));
      return point.kind === "tc" && !ours.tc &&
        needed(whole, zoneOf).every((record) => said.has(record));
    },
  },
  {
    id: "glue left out without TC",
    peers: ALL,
    why: "RFC 9471 §3.1: where glue of a name server below the cut does not fit, TC is set",
    explains: (point, { ours, theirs, whole, zoneOf }) => {
      const said = new Set(needed(theirs, zoneOf));
      return point.kind === "tc" && ours.tc &&
        needed(whole, zoneOf).some((record) => !said.has(record));
    },
  },
  {
    id: "SOA left out without TC",
    peers: ["knot"],
    why: "RFC 2308 §3: a negative answer has the SOA; RFC 2181 §9: TC where it does not fit",
    explains: (point, { question, ours, theirs }) =>
      point.kind === "tc" && ours.tc && isNegative(theirs) ||
      point.kind === "authority" && point.by === "ours" && meant(point.record) === "SOA" &&
        isNegative(theirs) && theirs.octets + line(point.record).length > limitOf(question),
  },
  {
    id: "letter case is kept",
    peers: ALL,
    why:
      "RFC 4343 §4.1: the zone's case goes out, so a name asked for in another is no target to " +
      "compress against; an answer may then be some octets too long",
    explains: ({ kind }, { question, ours, theirs }) =>
      kind === "tc" && ours.tc && /[A-Z]/.test(question.name) &&
      theirs.octets + question.name.length > limitOf(question),
  },
  {
    id: "no denial of existence",
    peers: ALL,
    why: "RFC 4035 §3.1.3 asks it of those that sign; the README says that secondaries do it here",
    explains: (point) =>
      point.kind === "authority" && point.by === "theirs" && meant(point.record) === "NSEC",
  },
  {
    id: "loop",
    peers: ["nsd", "knot"],
    why: "RFC 1034 §3.6.2: a CNAME loop is signalled as an error; how far it is followed is free",
    explains: ({ kind }, { ours, theirs }) =>
      isLoop(ours) && theirs.rcode === "NOERROR" && (kind === "rcode" || kind === "answer"),
  },
  {
    id: "chain bound",
    peers: ["bind", "nsd", "knot"],
    why:
      "RFC 1034 §5.3.3: bound the work; we follow 16 links, others fewer or more, and TC ends it " +
      "where the room does",
    explains: ({ kind }, { ours, theirs, whole }) =>
      isLoop(whole) &&
      (kind === "answer" || kind === "tc" || (ours.tc || theirs.tc) && kind === "rcode"),
  },
  {
    id: "chain into another zone",
    peers: ["nsd", "knot"],
    why:
      "RFC 5452 §6: a resolver takes nothing out of another zone from here, and asks again; what " +
      "the parent has below a cut, or instead of a zone it has no cut for, is not the answer " +
      "(RFC 1034 §4.3.2 step 2: the nearest zone's is)",
    explains: (_, { question, ours, zoneOf }) => {
      const end = chainEnd(ours);
      return end !== undefined && zoneOf(end) !== undefined &&
        startZone(question, ours, zoneOf) !== zoneOf(end);
    },
  },
  {
    id: "ANY",
    peers: ALL,
    why: "RFC 8482 §4.1: any one RRset of the name answers it; behind a DNAME that is the CNAME",
    explains: (point, { question, ours, theirs }) =>
      question.type === "ANY" && ours.rcode === "NOERROR" && ours.answer.length > 0 &&
      theirs.answer.length > 0 && point.kind !== "aa" && point.kind !== "opt",
  },
  {
    id: "types beside a CNAME",
    peers: ["knot", "bind"],
    why: "RFC 1034 §4.3.2 step 3a: a CNAME is followed for every QTYPE but its own (and *)",
    explains: (_, { question, ours }) =>
      (question.type === "RRSIG" || question.type === "NSEC") &&
      ours.answer.some(({ type }) => type === "CNAME"),
  },
  {
    id: "RRSIG asked for",
    peers: ["knot", "bind"],
    why: "RFC 1034 §4.3.2 step 3a: all records that match QTYPE",
    explains: (point, { question }) =>
      question.type === "RRSIG" && point.kind === "answer" && point.by === "ours" &&
      point.record.type === "RRSIG",
  },
  {
    id: "NSEC at a cut",
    peers: ["bind"],
    why: "RFC 4035 §3.1.4.1: of the types at a cut only DS is answered by the parent",
    explains: (_, { question, ours }) =>
      question.type === "NSEC" && !ours.aa && ours.authority.some(({ type }) => type === "NS"),
  },
  {
    id: "TTL of a negative answer",
    peers: ["bind"],
    why: "RFC 2308 §3: the least of the SOA's TTL and MINIMUM, whatever was asked for",
    explains: (point, { question }) =>
      question.type === "SOA" && point.kind === "authority" && meant(point.record) === "SOA" &&
      (point.by === "ours" || point.record.ttl === 0),
  },
  {
    id: "DS of a zone without a cut",
    peers: ALL,
    why:
      "RFC 8020 §2: NXDOMAIN would deny all of a zone that is served here; RFC 4035 §3.1.4.1 is " +
      "about cuts, and there is none",
    explains: (_, { question, zoneOf }) =>
      question.type === "DS" && question.name.toLowerCase() === "hidden.nasty.test." &&
      zoneOf(question.name.toLowerCase()) === "hidden.nasty.test.",
  },
  {
    id: "name too long by a DNAME",
    peers: ["knot"],
    why: "RFC 6672 §2.2: YXDOMAIN",
    explains: (_, { ours, theirs }) => ours.rcode === "YXDOMAIN" && theirs.rcode === "NXDOMAIN",
  },
  {
    id: "wildcards with NS or DNAME",
    peers: ["knot", "bind"],
    why: "RFC 4592 §4.2 and §4.4 leave open what they mean; here they are data and lead nowhere. " +
      "BIND does not load the zone",
    explains: (_, { question }) => isIn(question.name, "undefined.test."),
  },
];

/** The longest answer a question's client takes over UDP, octets. */
function limitOf({ edns }: RandomQuestion): number {
  return Math.min(Math.max(edns?.payloadOctets ?? 512, 512), 1_232);
}

/** Whether an answer says that something is not there. */
function isNegative({ rcode, answer, authority }: ComparableMessage): boolean {
  const isEmpty = answer.every(({ type }) => type === "CNAME" || type === "DNAME");
  return isEmpty && !authority.some(({ type }) => type === "NS") &&
    (rcode === "NXDOMAIN" || rcode === "NOERROR");
}

/** Whether the CNAMEs of an answer lead back, or farther than we follow. */
function isLoop({ rcode, answer, tc }: ComparableMessage): boolean {
  if (rcode !== "SERVFAIL") return false;
  const cnames = answer.filter(({ type }) => type === "CNAME");
  return tc || cnames.length > 16 ||
    cnames.length > 0 && chainEnd({ answer } as ComparableMessage) === undefined;
}

/** The zone the first CNAME of an answer is in. */
function startZone(
  { name }: RandomQuestion,
  { answer }: ComparableMessage,
  zoneOf: Pair["zoneOf"],
): string | undefined {
  return answer.length > 0 ? zoneOf(name.toLowerCase()) : undefined;
}

/** The row that explains a point; undefined when none does. */
export function explanationOf(point: Point, pair: Pair): Explanation | undefined {
  return EXPLANATIONS.find(({ peers, explains }) =>
    peers.includes(pair.peer) && explains(point, pair)
  );
}
