import { faultTests } from "./fault.ts";
import { STATE_CUT } from "./state_cut.ts";

faultTests(STATE_CUT);
