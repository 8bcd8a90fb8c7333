/**
 * What a question is to be answered from the zones that are served: by RFC 1034 §4.3.2, with
 * wildcards (RFC 4592), DNAME (RFC 6672 §3) and negative answers (RFC 2308), and by what the README
 * says. Slow and simple; nothing of lib is called. Pure.
 */
import type { Answer } from "dns-packet";
import { recordText } from "../../support/ixfr.ts";
import { above, type Served, soaText } from "./verdicts.ts";

/** What of an answer is compared, without letter case; each list sorted. */
export interface Outcome {
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly answers: readonly string[];
  /** Of the authority section where there is no answer, or where it ends: a SOA, or a referral. */
  readonly authorities: readonly string[];
}

/** What is served of each zone, by its name. */
export type ServedZones = ReadonlyMap<string, Served | undefined>;

/** Steps of a chain that any server makes. */
const SURE_STEPS = 8;

/** A record as one text without letter case. */
export function lineOf(answer: Answer): string {
  const isSoa = answer.type === "SOA";
  return (isSoa ? soaText(answer) : recordText(answer)).toLowerCase();
}

/** A record of the model's, taken apart. */
interface RecordParts {
  readonly owner: string;
  readonly ttl: number;
  readonly type: string;
  readonly data: string;
}

function partsOf(line: string): RecordParts {
  const [owner, ttl, type] = line.split(" ", 3);
  const data = line.slice(owner.length + ttl.length + type.length + 3);
  return { owner: owner.toLowerCase(), ttl: Number(ttl), type, data: data.toLowerCase() };
}

const textOf = ({ owner, ttl, type, data }: RecordParts) =>
  `${owner} ${ttl} ${type} ${data}`.toLowerCase();

/** The name that an alias leads to, absolute with its last dot. */
const targetOf = ({ data }: RecordParts) => `${JSON.parse(data)}.`;

const isWithin = (name: string, apex: string) => name === apex || name.endsWith(`.${apex}`);

/** One zone as it is asked: names absolute, in lower case, with their last dot. */
class AskedZone {
  readonly apex: string;
  /** Names that exist, those between an owner and the apex among them. */
  readonly #names = new Set<string>();

  constructor(readonly zone: string, readonly served: Served) {
    this.apex = `${zone}.`;
    for (const owner of [this.apex, ...served.owners.keys()]) {
      for (const name of [owner, ...above(owner, zone)]) this.#names.add(name);
    }
  }

  exists(name: string): boolean {
    return this.#names.has(name);
  }

  records(name: string, type?: string): RecordParts[] {
    const all = (this.served.owners.get(name) ?? []).map(partsOf);
    if (name === this.apex && (type === undefined || type === "SOA")) {
      all.push(partsOf(this.served.soa));
    }
    return type === undefined ? all : all.filter((one) => one.type === type);
  }

  /** The SOA of a negative answer. */
  get negative(): string {
    const soa = partsOf(this.served.soa);
    const minimum = Number(soa.data.split(" ").at(-1));
    return textOf({ ...soa, ttl: Math.min(soa.ttl, minimum) });
  }

  /** The name that answers for one: itself, or the wildcard there is for it; undefined: none. */
  source(name: string): string | undefined {
    if (this.exists(name)) return name;
    const encloser = above(name, this.zone).find((one) => this.exists(one))!;
    const wildcard = `*.${encloser}`;
    return this.exists(wildcard) ? wildcard : undefined;
  }
}

/** The served zone that a name belongs to. */
function zoneOf(zones: ServedZones, name: string): string | undefined {
  return [...zones.keys()]
    .filter((zone) => zones.get(zone) && isWithin(name, `${zone}.`))
    .reduce<string | undefined>((a, b) => a && a.length > b.length ? a : b, undefined);
}

/** An alias is followed inside its zone; undefined: one of so many steps that it is an error. */
export function answerOf(zones: ServedZones, asked: string, type: string): Outcome | undefined {
  const name = asked.toLowerCase();
  const apex = zoneOf(zones, name);
  const zone = apex ? new AskedZone(apex, zones.get(apex)!) : undefined;
  if (!zone) return { rcode: "REFUSED", authoritative: false, answers: [], authorities: [] };
  const answers: string[] = [];
  const end = (rcode: string, authorities: string[], authoritative = true): Outcome => ({
    rcode,
    authoritative,
    answers: [...new Set(answers)].sort(),
    authorities: authorities.sort(),
  });
  const followed = new Set<string>();
  for (let at = name; zoneOf(zones, at) === zone.zone;) {
    if (followed.has(at)) return end("SERVFAIL", []);
    followed.add(at);
    if (followed.size > SURE_STEPS) return undefined;
    const ancestors = above(at, zone.zone).reverse();
    const cut = [...ancestors, at].find((one) =>
      one !== zone.apex && zone.records(one, "NS").length > 0
    );
    const dname = ancestors.find((one) => zone.records(one, "DNAME").length > 0);
    if (cut && !(dname && dname.length < cut.length)) {
      return end("NOERROR", zone.records(cut, "NS").map(textOf), answers.length > 0);
    }
    if (dname) {
      const [record] = zone.records(dname, "DNAME");
      const target = at.slice(0, -dname.length) + targetOf(record);
      answers.push(textOf(record));
      const data = JSON.stringify(target.slice(0, -1));
      answers.push(textOf({ ...record, owner: at.slice(0, -1), type: "CNAME", data }));
      if (type === "CNAME") return end("NOERROR", []);
      at = target;
      continue;
    }
    const source = zone.source(at);
    if (source === undefined) return end("NXDOMAIN", [zone.negative]);
    const owner = at.slice(0, -1);
    const found = zone.records(source, type);
    const [alias] = zone.records(source, "CNAME");
    if (alias && type !== "CNAME") {
      answers.push(textOf({ ...alias, owner }));
      at = targetOf(alias);
      continue;
    }
    if (found.length === 0) return end("NOERROR", [zone.negative]);
    answers.push(...found.map((one) => textOf({ ...one, owner })));
    return end("NOERROR", []);
  }
  return end("NOERROR", []);
}
