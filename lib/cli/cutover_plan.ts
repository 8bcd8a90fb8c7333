/**
 * The move of a zone's name servers as dated steps: what is done, what is to do, and from when.
 *
 * Resolvers keep what they were told for its TTL. So each change of what they are told is followed
 * by a wait of the TTL before it: a lowered TTL counts only when the old one has run out, the old
 * servers are needed until the delegation to them has. Pure; the time is in the facts.
 *
 * Specs: RFC 1034 §4.2.2 (delegation and glue), RFC 2181 §5.4.1 (a child's NS records rank above
 * its parent's, so resolvers may hold either), RFC 4035 §5 (a DS record without the key it names
 * makes a zone bogus).
 */
import type { CutoverFacts, CutoverMemory, OldServer, ParentView } from "./cutover_facts.ts";

/**
 * - done: seen to be so.
 * - now: to be done now.
 * - waiting: done, and its TTL has to run out; `from` says when it has.
 * - later: comes after another.
 */
export type StepState = "done" | "now" | "waiting" | "later";

export interface CutoverStep {
  /** Stable: "serve". */
  readonly id: StepId;
  readonly state: StepState;
  readonly title: string;
  /** When it was first seen done, ms since the epoch; undefined before. */
  readonly seenAt: number | undefined;
  /** The earliest time for it, if each step before is done at its own; ms since the epoch. */
  readonly from: number;
  /** The plan goes on without it. */
  readonly optional: boolean;
  /** What is seen, and what to do, a sentence each. */
  readonly notes: readonly string[];
}

export type StepId =
  | "serve"
  | "same"
  | "dnssec"
  | "lower"
  | "announce"
  | "switch"
  | "expire"
  | "off"
  | "raise";

export interface CutoverOptions {
  /** What the TTL of the NS records is lowered to, seconds. */
  readonly lowTtl: number;
  /** Whether lowering is left out: the provider does not let one. */
  readonly noLower: boolean;
}

/** Which steps are as they should be, by what is seen now alone. */
export function stepsDone(
  facts: CutoverFacts,
  options: CutoverOptions,
): Readonly<Record<StepId, boolean>> {
  const { ours, parent, old, fresh } = facts;
  const answering = old.filter(({ isAuthoritative }) => isAuthoritative);
  const wanted = ours.nameServers.names;
  return {
    serve: fresh.length > 0 &&
      fresh.every((each) =>
        each.isAuthoritative && each.serial === ours.serial &&
        includesAll(each.nameServers?.names ?? [], wanted)
      ),
    same: old.length === 0 || facts.differing === 0,
    dnssec: foreignDs(facts).length === 0,
    lower: answering.every(({ nameServers }) => (nameServers?.ttl ?? 0) <= options.lowTtl),
    announce: answering.length > 0 &&
      answering.every(({ nameServers }) => includesAll(nameServers?.names ?? [], wanted)),
    switch: seenParents(parent).length > 0 &&
      seenParents(parent).every((each) => isSwitched(each, facts)),
    expire: false, // a matter of time alone
    off: answering.length === 0,
    raise: ours.nameServers.ttl > options.lowTtl,
  };
}

/** The steps in their order. */
export function planCutover(
  facts: CutoverFacts,
  memory: CutoverMemory,
  options: CutoverOptions,
): CutoverStep[] {
  const { now } = facts;
  const is = stepsDone(facts, options);
  const seen = (id: StepId) => is[id] ? memory.seen[id] ?? now : undefined;
  const after = (since: number | undefined, seconds: number) => (since ?? now) + seconds * 1000;
  const hadDs = memory.dsTtl > 0;
  const dnssecFrom = hadDs ? after(seen("dnssec"), memory.dsTtl) : now;
  const lowerFrom = options.noLower || memory.old.length === 0
    ? now
    : after(seen("lower"), memory.oldTtlBefore);
  const ready = is.serve && (is.same || is.switch) && is.dnssec && (is.lower || options.noLower);
  const switchFrom = seen("switch") ?? Math.max(now, dnssecFrom, lowerFrom);
  // Had it not been lowered, or not long enough ago, resolvers hold what they had before.
  const oldTtl = !options.noLower && is.lower && lowerFrom <= switchFrom
    ? memory.oldTtl
    : memory.oldTtlBefore;
  const expires = after(seen("switch") ?? switchFrom, Math.max(memory.parentTtl, oldTtl));
  const isExpired = is.switch && now >= expires;
  const state = (id: StepId, runsOut: number, may = true): StepState =>
    is[id] ? now < runsOut ? "waiting" : "done" : may ? "now" : "later";
  const step = (
    id: StepId,
    state: StepState,
    from: number,
    more: { readonly optional?: boolean; readonly notes: readonly string[] },
  ): CutoverStep => ({
    id,
    state: is.switch && BEFORE_SWITCH.has(id) ? "done" : state,
    title: TITLES[id],
    seenAt: seen(id),
    from,
    optional: false,
    ...more,
  });
  return [
    step("serve", state("serve", now), now, { notes: serveNotes(facts) }),
    step("same", state("same", now, is.serve), now, { notes: sameNotes(facts, memory) }),
    ...hadDs
      ? [step("dnssec", state("dnssec", dnssecFrom), dnssecFrom, { notes: dsNotes(facts, memory) })]
      : [],
    ...memory.old.length === 0 ? [] : [
      step("lower", options.noLower ? "later" : state("lower", lowerFrom), lowerFrom, {
        optional: options.noLower,
        notes: lowerNotes(facts, memory, options),
      }),
    ],
    step("switch", switchState(is.switch, ready, now >= switchFrom), switchFrom, {
      notes: switchNotes(facts),
    }),
    ...memory.old.length === 0 ? [] : [
      step("announce", is.announce || is.off ? "done" : is.switch ? "now" : "later", switchFrom, {
        optional: true,
        notes: [
          "let the old provider's own zone name the new servers, too, if it lets you: some " +
          "resolvers go on asking whom the zone itself names",
        ],
      }),
      step("expire", isExpired ? "done" : is.switch ? "waiting" : "later", expires, {
        notes: [
          `resolvers may ask the old servers for ${Math.max(memory.parentTtl, oldTtl)} s after ` +
          "the switch: keep them, with the same records",
        ],
      }),
      step("off", is.off ? "done" : isExpired ? "now" : "later", expires, {
        notes: offNotes(facts, isExpired),
      }),
    ],
    step("raise", is.raise ? "done" : isExpired ? "now" : "later", expires, {
      optional: true,
      notes: [`the NS records here have TTL ${facts.ours.nameServers.ttl}: a day is usual`],
    }),
  ];
}

/** Whether nothing is left to do. */
export function isOver(steps: readonly CutoverStep[]): boolean {
  return steps.every(({ state, optional }) => state === "done" || optional);
}

const TITLES: Readonly<Record<StepId, string>> = {
  serve: "the new name servers answer with what is published here",
  same: "the old servers have the same records",
  dnssec: "no DS record at the parent that the zone here has no key for",
  lower: "the TTL of the NS records at the old provider is low",
  announce: "the old servers name the new ones",
  switch: "the parent names the new servers",
  expire: "what resolvers remember of the old servers has run out",
  off: "the old servers are switched off",
  raise: "the TTL of the NS records is raised again",
};

/** When the parent has switched these are behind us. */
const BEFORE_SWITCH: ReadonlySet<StepId> = new Set(["same", "lower"]);

function switchState(isDone: boolean, isReady: boolean, isTime: boolean): StepState {
  if (isDone) return "done";
  return isReady && isTime ? "now" : "later";
}

function includesAll(names: readonly string[], wanted: readonly string[]): boolean {
  return wanted.length > 0 && wanted.every((name) => names.includes(name));
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

/** Those of the parent's servers that said anything. */
function seenParents(parent: readonly ParentView[]): ParentView[] {
  return parent.filter(({ fault }) => fault === undefined);
}

/** Whether a parent's server delegates to our name servers, with the addresses that we have. */
function isSwitched({ delegation, glue }: ParentView, { ours }: CutoverFacts): boolean {
  if (!delegation || !equalSets(delegation.names, ours.nameServers.names)) return false;
  return [...ours.glue].every(([name, addresses]) =>
    // A server that gives no glue with this answer shows nothing of it.
    !glue.has(name) || equalSets(glue.get(name)!, addresses)
  );
}

/** Key tags of DS records at the parent that no key of ours has. */
export function foreignDs({ parent, ours }: CutoverFacts): number[] {
  const tags = new Set(seenParents(parent).flatMap(({ ds }) => ds));
  return [...tags].filter((tag) => !ours.keys.includes(tag));
}

function serveNotes({ fresh, ours }: CutoverFacts): string[] {
  const notes = fresh.flatMap(({ server, fault, serial, isAuthoritative, nameServers }) => {
    if (fault) return [`${server}: ${fault}`];
    if (!isAuthoritative) return [`${server} does not have the zone`];
    if (serial !== ours.serial) {
      return [`${server} has serial ${serial}, here it is ${ours.serial}`];
    }
    if (!includesAll(nameServers?.names ?? [], ours.nameServers.names)) {
      return [`${server} names other name servers than the zone here`];
    }
    return [];
  });
  if (fresh.length === 0) return ["the zone here has no NS records: zonecast set ZONE @ NS NAME"];
  return notes.length > 0 ? [...notes, "zonecast doctor says what is wrong with a secondary"] : [];
}

function sameNotes({ differing, old, zone }: CutoverFacts, memory: CutoverMemory): string[] {
  const at = (server: OldServer) => server.port === 53 ? server.ip : `${server.ip}:${server.port}`;
  const against = memory.old.map((server) => ` --against ${at(server)}`).join("");
  const command = `zonecast verify ${zone}${against} --ignore SOA --ignore @/NS --ignore-ttl`;
  if (old.length === 0 || differing === 0) return [];
  if (differing === undefined) return [`they could not be compared: ${command}`];
  return [
    `${differing} ${differing === 1 ? "RRset differs" : "RRsets differ"} among those asked: ` +
    `${command} shows all`,
  ];
}

function dsNotes(facts: CutoverFacts, memory: CutoverMemory): string[] {
  const foreign = foreignDs(facts);
  if (foreign.length === 0) return [`the DS records that were there had TTL ${memory.dsTtl}`];
  return [
    `the parent has DS records for keys that the zone here has not (${foreign.join(", ")}): with ` +
    "them every answer of the new servers is bogus",
    "have the registrar remove them first, and let the old provider sign on until their TTL has " +
    "run out; or serve the zone signed here",
  ];
}

function lowerNotes(
  { old }: CutoverFacts,
  memory: CutoverMemory,
  { lowTtl, noLower }: CutoverOptions,
): string[] {
  if (noLower) return ["left out (--no-lower): the old servers are needed for as much longer"];
  const high = old.filter(({ nameServers }) => (nameServers?.ttl ?? 0) > lowTtl);
  if (high.length === 0) return [`before, it was ${memory.oldTtlBefore} s`];
  return [
    ...high.map(({ server, nameServers }) => `${server} gives it TTL ${nameServers!.ttl}`),
    `set it to ${lowTtl} there, or leave it with --no-lower; the parent's own TTL ` +
    `(${memory.parentTtl} s) cannot be changed by you as a rule`,
  ];
}

function switchNotes(facts: CutoverFacts): string[] {
  const wanted = facts.ours.nameServers.names;
  const glue = [...facts.ours.glue].map(([name, addresses]) => `${name} ${addresses.join(" ")}`);
  const left = facts.parent.filter((each) => each.fault || !isSwitched(each, facts));
  if (left.length === 0 && facts.parent.length > 0) return [];
  return [
    ...left.map(({ server, fault, delegation }) =>
      fault ? `${server}: ${fault}` : `${server} names ${delegation?.names.join(", ") ?? "none"}`
    ),
    `have the registrar name ${wanted.join(", ")}` +
    (glue.length > 0 ? `, with the addresses ${glue.join(", ")}` : ""),
  ];
}

function offNotes({ old }: CutoverFacts, isExpired: boolean): string[] {
  const left = old.filter(({ isAuthoritative }) => isAuthoritative).map(({ server }) => server);
  if (left.length === 0) return [];
  return [
    `still answering: ${left.join(", ")}`,
    isExpired ? "remove the zone there" : "do not yet: resolvers still ask them",
  ];
}
