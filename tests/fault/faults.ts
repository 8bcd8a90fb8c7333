/** All faults, in the order of the table. */
import { CLOCK_KEYS } from "./clock_keys.ts";
import type { Fault } from "./fault.ts";
import { POSTGRES_AWAY, POSTGRES_LINK } from "./postgres_away.ts";
import { POSTGRES_CONTENT } from "./postgres_content.ts";
import { POSTGRES_STANDBY } from "./postgres_standby.ts";
import { POSTGRES_TROUBLE } from "./postgres_trouble.ts";
import { SECONDARY_FAULTS } from "./secondary_faults.ts";
import { STATE_CUT } from "./state_cut.ts";
import { STATE_FULL } from "./state_full.ts";
import { STATE_LOST } from "./state_lost.ts";
import { TIME_FAULTS } from "./time_faults.ts";
import type { Group } from "./table.ts";

export const FAULTS: readonly Group<Fault>[] = [
  {
    title: "Postgres",
    of: [
      ...POSTGRES_AWAY,
      ...POSTGRES_LINK,
      ...POSTGRES_STANDBY,
      ...POSTGRES_CONTENT,
      ...POSTGRES_TROUBLE,
    ],
  },
  { title: "State file", of: [...STATE_FULL, ...STATE_LOST, ...STATE_CUT] },
  { title: "Time", of: [...TIME_FAULTS, ...CLOCK_KEYS] },
  { title: "Secondaries", of: SECONDARY_FAULTS },
];
