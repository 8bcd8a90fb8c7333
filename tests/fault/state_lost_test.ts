import { faultTests } from "./fault.ts";
import { STATE_LOST } from "./state_lost.ts";

faultTests(STATE_LOST);
