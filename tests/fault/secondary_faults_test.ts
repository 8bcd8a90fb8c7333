import { faultTests } from "./fault.ts";
import { SECONDARY_FAULTS } from "./secondary_faults.ts";

faultTests(SECONDARY_FAULTS);
