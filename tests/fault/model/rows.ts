/**
 * The rows there can be, and what the model says of each, by the README's words alone: nothing of
 * lib/zone is called. Pure.
 */
import type { Answer } from "dns-packet";
import { Buffer } from "node:buffer";
import { recordText } from "../../support/ixfr.ts";

/** What a row says: type and content, and what becomes of them. */
export interface Kind {
  readonly type: string;
  readonly content: string;
  /** The RDATA as a client reads it, in a zone; undefined for a bad row. */
  readonly rdata?: (zone: string) => unknown;
  /** Whether RDATA that differs only by case is the same. */
  readonly ofNames?: boolean;
  /** The code of the problem of a bad row. */
  readonly code?: string;
}

export interface Row {
  readonly id: number;
  readonly name: string;
  readonly kind: Kind;
  /** Null: the zone's default. */
  readonly ttl: number | null;
  readonly disabled: boolean;
}

const good = (type: string, content: string, rdata: Kind["rdata"], ofNames = false): Kind => ({
  type,
  content,
  rdata,
  ofNames,
});
const bad = (type: string, content: string, code: string): Kind => ({ type, content, code });

const target = (name: string) => (zone: string) =>
  name.endsWith(".") ? name.slice(0, -1) : `${name}.${zone}`;
const toName = (type: string, name: string) => good(type, name, target(name), true);
const address = (type: string, text: string) => good(type, text, () => text);

/** Rows that say something; several say the same by different words. */
export const GOOD_KINDS: readonly Kind[] = [
  ...[1, 2, 3, 4].map((n) => address("A", `192.0.2.${n}`)),
  ...[1, 2].map((n) => address("AAAA", `2001:db8::${n}`)),
  good("AAAA", "2001:DB8:0:0::1", () => "2001:db8::1"),
  ...["one", "two", "three"].map((text) => good("TXT", `"${text}"`, () => [Buffer.from(text)])),
  ...["www", "Mail.example.", "mail.example."].map((name) =>
    good(
      "MX",
      `10 ${name}`,
      (zone) => ({ preference: 10, exchange: target(name)(zone) }),
      true,
    )
  ),
  ...["www", "web.example.", "Web.example."].map((name) => toName("CNAME", name)),
  ...["ns3.servers.example.", "NS3.servers.example."].map((name) => toName("NS", name)),
];

/** Rows that hide all owners below theirs. */
export const DNAME_KINDS: readonly Kind[] = ["one.example.", "One.example.", "two.example.", "www"]
  .map((name) => toName("DNAME", name));

/** Rows that nothing can be made of, wherever they stand. */
export const BAD_KINDS: readonly Kind[] = [
  bad("A", "192.0.2.999", "address"),
  bad("AAAA", "not an address", "address"),
  bad("MX", "mail", "number-range"),
  bad("TXT", '"open', "quote-open"),
  bad("TYPE65280", "\\# 4 0a", "unknown-length"),
  bad("A", "", "field-missing"),
  bad("BOGUS", "192.0.2.1", "type-unknown"),
  bad("AXFR", "192.0.2.1", "type-not-data"),
  bad("SOA", "ns. hm. 1 2 3 4 5", "soa-row"),
  bad("TXT", `"${"x".repeat(255)}"`.repeat(257), "rdata-too-long"),
];

const KINDS = new Map(
  [...GOOD_KINDS, ...DNAME_KINDS, ...BAD_KINDS].map((
    kind,
  ) => [`${kind.type} ${kind.content}`, kind]),
);

/** What a row says that a command wrote, in presentation format. */
export function kindOf(type: string, content: string): Kind {
  const known = KINDS.get(`${type} ${content}`);
  if (known) return known;
  switch (type) {
    case "A":
    case "AAAA":
      return address(type, content);
    case "CNAME":
    case "DNAME":
    case "NS":
      return toName(type, content);
    case "MX": {
      const [preference, name] = content.split(" ");
      const exchange = target(name);
      const rdata = (zone: string) => ({
        preference: Number(preference),
        exchange: exchange(zone),
      });
      return good(type, content, rdata, true);
    }
    default:
      throw new Error(`No command should write this: ${type} ${content}`);
  }
}

/** Owners, some in two spellings, one below another, a wildcard, and the zone itself. */
export const NAMES: readonly string[] = [
  "@",
  "www",
  "WWW",
  "a",
  "a.b",
  "A.B",
  "b",
  "*",
  "*.w",
  "d",
  "under.d",
  "Under.D",
  "_s._tcp",
];

/** Owners of DNAME records: above others, below one another, and the zone itself. */
export const DNAME_NAMES: readonly string[] = ["d", "D", "b", "under.d", "w", "*.w", "@"];

/** Names that are none. */
export const BAD_NAMES: readonly { name: string; code: string }[] = [
  { name: "", code: "name-empty" },
  { name: "x..y", code: "name-empty-label" },
  { name: "x".repeat(64), code: "label-too-long" },
  { name: "café", code: "name-not-ascii" },
];
const NAME_CODES = new Map(BAD_NAMES.map(({ name, code }) => [name, code]));

/** A name that is in no zone of the model. */
export const ELSEWHERE = "www.elsewhere.example.";

export const GOOD_TTLS: readonly (number | null)[] = [null, 60, 60, 60, 120, 0];
export const BAD_TTLS: readonly number[] = [-1, 2 ** 31];

const isAbsolute = (name: string) => name.endsWith(".");

/** The owner's one form, as the table's generated column has it. */
export function ownerOf(name: string, zone: string): string {
  if (isAbsolute(name)) return name.toLowerCase();
  const absolute = name === "@" ? `${zone}.` : `${name}.${zone}.`;
  // Of what is no ASCII the case is left.
  return absolute.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The owner as the row spells it, as a client reads it. */
export function spelling(name: string, zone: string): string {
  if (isAbsolute(name)) return name.slice(0, -1);
  return name === "@" ? zone : `${name}.${zone}`;
}

function nameProblem(name: string, zone: string): string | undefined {
  if (!isAbsolute(name)) return NAME_CODES.get(name);
  const owner = name.toLowerCase();
  return owner === `${zone}.` || owner.endsWith(`.${zone}.`) ? undefined : "out-of-zone";
}

/** Problems of a type, which are told of before those of TTL and content. */
const TYPE_CODES: readonly (string | undefined)[] = ["type-unknown", "type-not-data", "soa-row"];

/** What is wrong with a row: the code; undefined for a good one. */
export function rowProblem({ name, kind, ttl }: Row, zone: string): string | undefined {
  const badName = nameProblem(name, zone);
  if (badName) return badName;
  if (TYPE_CODES.includes(kind.code)) return kind.code;
  if (kind.type === "NS" && name.startsWith("*")) return "wildcard-ns";
  if (ttl !== null && (ttl < 0 || ttl >= 2 ** 31)) return "ttl-out-of-range";
  return kind.code;
}

/** Whether a row's name is an owner in the zone, whatever else is wrong with the row. */
export function hasOwner({ name }: Row, zone: string): boolean {
  return nameProblem(name, zone) === undefined;
}

/** A record as the client shows it. */
export function recordLine(name: string, ttl: number, kind: Kind, zone: string): string {
  return recordText({ name, ttl, type: kind.type, data: kind.rdata!(zone) } as Answer);
}
