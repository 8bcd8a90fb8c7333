import { faultTests } from "./fault.ts";
import { STATE_FULL } from "./state_full.ts";

faultTests(STATE_FULL);
