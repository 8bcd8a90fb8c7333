import { faultTests } from "./fault.ts";
import { POSTGRES_STANDBY } from "./postgres_standby.ts";

faultTests(POSTGRES_STANDBY);
