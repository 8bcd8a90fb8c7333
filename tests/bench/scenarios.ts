/**
 * All scenarios, in the order they are run and shown.
 *
 * Those that measure the same servers with the same zone stand together: the servers run on.
 */
import { AXFR } from "./axfr.ts";
import { CHANGE_LIVE } from "./change_live.ts";
import { CHANGE_SHARE } from "./change_share.ts";
import { BURST } from "./burst.ts";
import { CLIENTS } from "./clients.ts";
import { GROWTH } from "./growth.ts";
import { LARGE_CHANGES } from "./large_changes.ts";
import { MANY_SECONDARIES } from "./many_secondaries.ts";
import { MANY_ZONES } from "./many_zones.ts";
import { MEMORY } from "./memory.ts";
import { QUESTIONS } from "./questions.ts";
import type { Scenario } from "./scenario.ts";
import { START } from "./start.ts";

export const SCENARIOS: readonly Scenario[] = [
  AXFR,
  QUESTIONS,
  START,
  MEMORY,
  CLIENTS,
  CHANGE_LIVE,
  CHANGE_SHARE,
  LARGE_CHANGES,
  GROWTH,
  MANY_SECONDARIES,
  MANY_ZONES,
  BURST,
];
