/**
 * What there is to see of a move: at the parent, at the old servers, at the new ones.
 *
 * Effects: questions to each; a resolver is asked for addresses that nobody gave.
 */
import {
  equalNames,
  formatName,
  type Name,
  parseName,
  type ResourceRecord,
  TYPE,
  ZonecastError,
} from "../dns/mod.ts";
import { formatIp, formatSocketAddress, readIp, type SocketAddress } from "../ops/mod.ts";
import type { Asker } from "../server/mod.ts";
import { isAuthoritative, RCODE, rcodeName, type Response } from "../wire/mod.ts";
import { lookupOwner, soaSerial, type ZoneVersion } from "../zone/mod.ts";
import type {
  CutoverFacts,
  NameServerSet,
  OldServer,
  ParentView,
  ZoneServerView,
} from "./cutover_facts.ts";
import { hostText, type Resolver } from "./cutover_resolve.ts";
import { keyTag } from "./key_tag.ts";
import type { Progress } from "./progress.ts";
import { verifyServer } from "./verify_server.ts";

/** Servers of the parent that are asked: those of a large zone all say the same. */
const PARENTS_ASKED = 8;

export interface Observation {
  readonly asker: Asker;
  readonly zone: Name;
  readonly version: ZoneVersion;
  /** Servers of the parent, where they are given. */
  readonly parents: readonly SocketAddress[];
  /** Where name servers are, by their name: goes before all that is found out. */
  readonly places: ReadonlyMap<string, SocketAddress>;
  /** Made when it is needed. */
  readonly resolver: () => Promise<Resolver>;
  readonly progress: Progress;
  /** Names of the zone that are compared at each old server. */
  readonly sample: number;
  readonly rate: number;
  /** The old servers of an earlier run. */
  readonly knownOld: readonly OldServer[];
  readonly now: number;
}

/** Looks everywhere. @throws {ZonecastError} the parent's servers cannot be found */
export async function observe(
  ob: Observation,
): Promise<{ readonly facts: CutoverFacts; readonly old: readonly OldServer[] }> {
  const ours = oursOf(ob);
  ob.progress.show("the parent", 0);
  const parent = await Promise.all(
    (await parentServers(ob)).map((server) => viewParent(ob, server)),
  );
  ob.progress.show("the new servers", 1);
  const fresh = (await Promise.all(
    ours.nameServers.names.map((name) => placesOf(ob, name, ours.glue)),
  )).flat();
  const isFresh = ({ ip, port }: SocketAddress) =>
    fresh.some((each) => each.ip === ip && each.port === port);
  const old = [...ob.knownOld];
  for (const { delegation, glue } of parent) {
    for (const name of delegation?.names ?? []) {
      for (const place of await placesOf(ob, name, glue)) {
        const isKnown = old.some(({ ip, port }) => ip === place.ip && port === place.port);
        if (place.ip !== "" && !isKnown && !isFresh(place)) old.push(place);
      }
    }
  }
  ob.progress.show("the old servers", 2);
  const [freshViews, oldViews] = await Promise.all([
    Promise.all(fresh.map((place) => viewServer(ob, place))),
    Promise.all(old.map((place) => viewServer(ob, place))),
  ]);
  const differing = await compareOld(ob, old, oldViews);
  const facts = {
    now: ob.now,
    zone: formatName(ob.zone),
    ours,
    parent,
    old: oldViews,
    fresh: freshViews,
    differing,
  };
  return { facts, old };
}

/** The zone as it is published, as far as a move concerns it. */
function oursOf({ version, zone }: Observation): CutoverFacts["ours"] {
  const apex = lookupOwner(version, zone);
  const records = apex.kind === "found" ? apex.records : [];
  const nameServers = nameServerSet(records, zone) ?? { names: [], ttl: 0 };
  const glue = new Map<string, string[]>();
  for (const name of nameServers.names) {
    const found = lookupOwner(version, parseName(name));
    const addresses = found.kind === "found" ? addressesIn(found.records, name) : [];
    if (addresses.length > 0) glue.set(name, addresses);
  }
  const keys = records.filter(({ type }) => type === TYPE.DNSKEY).map(({ rdata }) => keyTag(rdata));
  return { serial: version.serial, nameServers, glue, keys };
}

function nameServerSet(records: readonly ResourceRecord[], zone: Name): NameServerSet | undefined {
  const own = records.filter(({ type, owner }) => type === TYPE.NS && equalNames(owner, zone));
  if (own.length === 0) return undefined;
  const names = own.map(({ rdata }) => hostText(rdata)).sort();
  return { names, ttl: Math.max(...own.map(({ ttl }) => ttl)) };
}

function addressesIn(records: readonly ResourceRecord[], name: string): string[] {
  return records.filter(({ type, owner }) =>
    (type === TYPE.A || type === TYPE.AAAA) && hostText(owner) === name
  ).map(({ rdata }) => formatIp(rdata)).sort();
}

async function parentServers(ob: Observation): Promise<readonly SocketAddress[]> {
  if (ob.parents.length > 0) return ob.parents;
  const resolver = await ob.resolver();
  const { names } = await resolver.parentOf(ob.zone);
  const found: SocketAddress[] = [];
  for (const name of names.slice(0, PARENTS_ASKED)) {
    const [ip] = await resolver.addresses(name);
    if (ip) found.push({ ip, port: resolver.port });
  }
  return found;
}

/** Where a name server is: as given, by the zone's or the parent's own records, by the resolver. */
async function placesOf(
  ob: Observation,
  name: string,
  glue: ReadonlyMap<string, readonly string[]>,
): Promise<OldServer[]> {
  const given = ob.places.get(name);
  if (given) return [{ name, ...given }];
  const known = glue.get(name);
  if (known) return known.map((ip) => ({ name, ip, port: 53 }));
  try {
    const resolver = await ob.resolver();
    const found = await resolver.addresses(name);
    if (found.length > 0) return found.map((ip) => ({ name, ip, port: resolver.port }));
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
  }
  return [{ name, ip: "", port: 53 }];
}

async function viewParent(ob: Observation, address: SocketAddress): Promise<ParentView> {
  const server = formatSocketAddress(address);
  const nothing = { delegation: undefined, glue: new Map(), ds: [], dsTtl: 0 };
  try {
    const [{ response }, { response: signed }] = await Promise.all([
      ob.asker.ask(address, { name: ob.zone, type: TYPE.NS }),
      ob.asker.ask(address, { name: ob.zone, type: TYPE.DS }),
    ]);
    const ds = signed.answer.filter(({ type }) => type === TYPE.DS);
    return {
      server,
      fault: parentFault(response, ob.zone),
      delegation: nameServerSet(response.authority, ob.zone),
      glue: glueIn(response),
      ds: [...new Set(ds.map(({ rdata }) => rdata[0] << 8 | rdata[1]))],
      dsTtl: Math.max(0, ...ds.map(({ ttl }) => ttl)),
    };
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return { server, fault: error.message, ...nothing };
  }
}

/** Why a parent's answer shows no delegation; undefined where it does, or rightly has none. */
function parentFault(response: Response, zone: Name): string | undefined {
  const { rcode } = response;
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return `it answers ${rcodeName(rcode)}`;
  if (isAuthoritative(response) && nameServerSet(response.answer, zone)) {
    return "it serves the zone itself, too, and so does not show what the parent says: " +
      "name another of the parent's servers with --parent";
  }
  return undefined;
}

function glueIn({ additional }: Response): Map<string, string[]> {
  const glue = new Map<string, string[]>();
  for (const { owner } of additional) {
    const name = hostText(owner);
    if (!glue.has(name)) glue.set(name, addressesIn(additional, name));
  }
  for (const [name, addresses] of glue) if (addresses.length === 0) glue.delete(name);
  return glue;
}

async function viewServer(ob: Observation, place: OldServer): Promise<ZoneServerView> {
  const { name, ip } = place;
  const address = formatSocketAddress(place);
  const server = ip === "" ? name : `${name} (${address})`;
  const base = { name, address, server };
  const nothing = { isAuthoritative: false, serial: undefined, nameServers: undefined };
  if (!readIp(ip)) {
    const fault = "no address of it is known: give it with --at NAME=IP";
    return { ...base, ...nothing, fault };
  }
  try {
    const { asker, zone } = ob;
    const { response } = await asker.ask(place, { name: zone, type: TYPE.SOA });
    const soa = response.answer.find(({ type }) => type === TYPE.SOA);
    if (!soa || !isAuthoritative(response)) return { ...base, ...nothing, fault: undefined };
    const { response: ns } = await asker.ask(place, { name: zone, type: TYPE.NS });
    return {
      ...base,
      fault: undefined,
      isAuthoritative: true,
      serial: soaSerial(soa),
      nameServers: nameServerSet(ns.answer, zone),
    };
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    return { ...base, ...nothing, fault: error.message };
  }
}

/** RRsets that an old server answers otherwise, of those asked for; undefined when none was asked. */
async function compareOld(
  { asker, version, zone, sample, rate, progress }: Observation,
  places: readonly OldServer[],
  views: readonly ZoneServerView[],
): Promise<number | undefined> {
  const rules = {
    ignore: [{ owner: undefined, type: TYPE.SOA }, { owner: zone, type: TYPE.NS }],
    ignoreTtl: true,
  };
  let differing: number | undefined;
  for (const [index, { isAuthoritative, name }] of views.entries()) {
    if (!isAuthoritative) continue;
    try {
      const options = { rules, rate, questionsOnly: true, progress, names: sample };
      const verdict = await verifyServer(asker, places[index], name, version, options);
      differing = Math.max(differing ?? 0, verdict.differences.length);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      return undefined;
    }
  }
  return differing;
}
