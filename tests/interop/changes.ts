/** Ten changes of a zone, each one transaction in Postgres, that every secondary must follow. */
import type postgres from "postgres";
import { RDATA_VECTORS } from "../vectors/rdata.ts";
import { SVCB_VECTORS } from "../vectors/svcb.ts";

/** The zone they are made for, as its sources name it. */
export const CHANGED_ZONE = "follow.example";

type RecordText = readonly [type: string, content: string];

export interface Change {
  readonly what: string;
  make(sql: postgres.Sql): Promise<unknown>;
}

/** Types that no zone holds as ordinary data: SOA stands once, BIND refuses the obsolete MD and MF. */
const NOT_TRIED = ["SOA", "MD", "MF", "NULL"];

/** Types that no program here knows (RFC 3597 §5): carried as they are, however long. */
const UNKNOWN: readonly RecordText[] = [
  ["TYPE65280", "\\# 4 0a000001"],
  ["TYPE65280", "\\# 0"],
  ["TYPE64000", `\\# 40000 ${"ab".repeat(40_000)}`],
];

const RECORDS: readonly RecordText[] = [
  ...RDATA_VECTORS.map(([type, content]): RecordText => [type, content]),
  ...SVCB_VECTORS.map(({ type, texts }): RecordText => [type, texts[0]]),
  ...UNKNOWN,
];

/** Which golden records a secondary is not asked to hold. */
export type LeftOut = (type: string, content: string) => boolean;

/** Every other type there are golden octets of, and unknown ones, each record at an owner of its own. */
function allTypes(isLeftOut: LeftOut) {
  return RECORDS
    .filter(([type, content]) => !NOT_TRIED.includes(type) && !isLeftOut(type, content))
    .map(([type, content], index) => ({
      zone: CHANGED_ZONE,
      name: type === "NSEC3" ? hashedOwner(index) : `type${index}`,
      type,
      // A signature's TTL is that of what it covers (RFC 4034 §3); Knot sees to it.
      ttl: type === "RRSIG" ? Number(content.split(" ")[3]) : null,
      content,
    }));
}

/** NSEC3 stands at a hash in base32hex (RFC 5155 §3); BIND refuses a zone where it does not. */
function hashedOwner(index: number): string {
  return String(index).padStart(32, "0");
}

/**
 * The changes in the order to make them; the last leaves a zone that has seen all.
 *
 * @param isLeftOut  what the secondary cannot hold
 */
export function changes(isLeftOut: LeftOut = () => false): readonly Change[] {
  return [
    {
      what: "records are added",
      make: (sql) =>
        sql`insert into zonecast.records (zone, name, type, content) values
          (${CHANGED_ZONE}, 'www', 'A', '192.0.2.1'), (${CHANGED_ZONE}, 'www', 'A', '192.0.2.2'),
          (${CHANGED_ZONE}, 'www', 'TXT', '"one" "two"'), (${CHANGED_ZONE}, 'gone', 'A', '192.0.2.9'),
          (${CHANGED_ZONE}, 'gone', 'AAAA', '2001:db8::9')`,
    },
    {
      what: "a record changes",
      make: (sql) =>
        sql`update zonecast.records set content = '192.0.2.3'
          where name = 'www' and content = '192.0.2.2'`,
    },
    {
      what: "a record is deleted",
      make: (sql) => sql`delete from zonecast.records where name = 'www' and type = 'TXT'`,
    },
    {
      what: "500 records at once",
      make: (sql) =>
        sql`insert into zonecast.records (zone, name, type, content)
          select ${CHANGED_ZONE}, 'many' || n, 'A', '198.51.100.' || n % 256
          from generate_series(1, 500) as n`,
    },
    {
      what: "a TTL changes",
      make: (sql) => sql`update zonecast.records set ttl = 77 where name = 'www'`,
    },
    {
      what: "an owner is written in another case",
      make: (sql) => sql`update zonecast.records set name = 'WwW' where name = 'www'`,
    },
    {
      what: "all records of an owner go",
      make: (sql) => sql`delete from zonecast.records where name = 'gone'`,
    },
    {
      what: "records of every type",
      make: (sql) => sql`insert into zonecast.records ${sql(allTypes(isLeftOut))}`,
    },
    {
      what: "a wildcard",
      make: (sql) =>
        sql`insert into zonecast.records (zone, name, type, content)
          values (${CHANGED_ZONE}, '*.wild', 'AAAA', '2001:db8::ff')`,
    },
    {
      what: "other SOA timers",
      make: (sql) => sql`update zonecast.zones set refresh = 1800, minimum = 60`,
    },
  ];
}
