/** All scenarios, in the order they are run and shown. */
import { BURST } from "./burst.ts";
import { GROWTH } from "./growth.ts";
import { MANY_SECONDARIES } from "./many_secondaries.ts";
import { MANY_ZONES } from "./many_zones.ts";
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: readonly Scenario[] = [GROWTH, MANY_SECONDARIES, MANY_ZONES, BURST];
