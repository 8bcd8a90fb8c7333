import { faultTests } from "./fault.ts";
import { TIME_FAULTS } from "./time_faults.ts";

faultTests(TIME_FAULTS);
