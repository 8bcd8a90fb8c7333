/** All faults, in the order of the table. */
import type { Fault } from "./fault.ts";
import { POSTGRES_AWAY, POSTGRES_LINK } from "./postgres_away.ts";
import type { Group } from "./table.ts";

export const FAULTS: readonly Group<Fault>[] = [
  { title: "Postgres", of: [...POSTGRES_AWAY, ...POSTGRES_LINK] },
];
