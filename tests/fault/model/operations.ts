/** The operations as they are drawn, each as often as it is to come. */
import fc from "fast-check";
import { type Operation, ZONES } from "./operation.ts";
import { Delete, Insert, Refill, type RowText, SetTtls, Update } from "./row_operations.ts";
import {
  BAD_KINDS,
  BAD_NAMES,
  BAD_TTLS,
  DNAME_KINDS,
  DNAME_NAMES,
  ELSEWHERE,
  GOOD_KINDS,
  GOOD_TTLS,
  NAMES,
} from "./rows.ts";
import { SETTINGS, type Settings } from "./verdicts.ts";
import { AddZone, RemoveZone, RenameZone, SetZone } from "./zone_operations.ts";

const zoneName = fc.constantFrom(...ZONES);

const goodText: fc.Arbitrary<RowText> = fc.record({
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom(...GOOD_KINDS),
  ttl: fc.constantFrom(...GOOD_TTLS),
});

const rowText: fc.Arbitrary<RowText> = fc.oneof(
  { weight: 12, arbitrary: goodText },
  {
    weight: 2,
    arbitrary: fc.record({
      name: fc.constantFrom(...DNAME_NAMES),
      kind: fc.constantFrom(...DNAME_KINDS),
      ttl: fc.constantFrom(...GOOD_TTLS),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...goodOwner(), kind: fc.constantFrom(...BAD_KINDS) }) },
  {
    weight: 1,
    arbitrary: fc.tuple(goodText, fc.constantFrom(ELSEWHERE, ...BAD_NAMES.map(({ name }) => name)))
      .map(([text, name]) => ({ ...text, name })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(goodText, fc.constantFrom(...BAD_TTLS)).map(([text, ttl]) => ({
      ...text,
      ttl,
    })),
  },
);

function goodOwner() {
  return { name: fc.constantFrom(...NAMES), ttl: fc.constantFrom(...GOOD_TTLS) };
}

const someSettings = fc.constantFrom<Partial<Settings>>(
  { refresh: 7200 },
  { refresh: 3600 },
  { minimum: 60 },
  { mname: "ns2" },
  { rname: "hostmaster.servers.example." },
  { default_ttl: 600 },
  { default_ttl: 300 },
  { soa_ttl: 900 },
  { soa_ttl: null },
  SETTINGS,
);

/** Each makes no SOA; what mends them comes often enough. */
const badSettings = fc.constantFrom<Partial<Settings>>(
  { mname: "a..b" },
  { rname: "admin@alpha.test" },
  { refresh: -1 },
  { default_ttl: 2 ** 32 },
  { soa_ttl: -1 },
  { serial_floor: -5 },
);

const zoneNumber = fc.nat(ZONES.length - 1);

const rowNumber = fc.nat(60);

export const insertion: fc.Arbitrary<Operation> = fc
  .tuple(zoneNumber, rowText, fc.integer({ min: 0, max: 5 }))
  .map(([zone, text, form]) => new Insert(zone, text, form === 0));

/** Operations on rows, and on the settings of a zone. */
export const rowOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: insertion },
  {
    weight: 6,
    arbitrary: fc.tuple(zoneNumber, rowNumber).map(([zone, row]) => new Delete(zone, row)),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(
      zoneNumber,
      rowNumber,
      fc.oneof<fc.Arbitrary<{ text: RowText } | { zone: number } | "disabled">[]>(
        rowText.map((text) => ({ text })),
        zoneNumber.map((zone) => ({ zone })),
        fc.constant("disabled" as const),
      ),
    ).map(([zone, row, change]) => new Update(zone, row, change)),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(zoneNumber, someSettings).map(([zone, change]) =>
      new SetZone(zone, change)
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(zoneNumber, fc.constantFrom(30, 60, 120)).map(([zone, ttl]) =>
      new SetTtls(zone, ttl)
    ),
  },
);

/** Operations on whole zones and tables. */
export const zoneOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: zoneName.map((zone) => new AddZone(zone)) },
  { weight: 1, arbitrary: zoneName.map((zone) => new RemoveZone(zone)) },
  {
    weight: 1,
    arbitrary: fc.tuple(zoneName, zoneName).map(([zone, to]) => new RenameZone(zone, to)),
  },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 20 }).map((n) => new Refill(n)) },
  {
    weight: 1,
    arbitrary: fc.tuple(zoneNumber, badSettings).map(([zone, change]) => new SetZone(zone, change)),
  },
  { weight: 2, arbitrary: zoneNumber.map((zone) => new SetZone(zone, SETTINGS)) },
);
