/** All scenarios, in the order they are run and shown. */
import { MANY_SECONDARIES } from "./many_secondaries.ts";
import { MANY_ZONES } from "./many_zones.ts";
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: readonly Scenario[] = [MANY_SECONDARIES, MANY_ZONES];
