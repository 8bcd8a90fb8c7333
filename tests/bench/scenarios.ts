/** All scenarios, in the order they are run and shown. */
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: readonly Scenario[] = [];
