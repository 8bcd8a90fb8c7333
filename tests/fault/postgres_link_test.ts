import { faultTests } from "./fault.ts";
import { POSTGRES_LINK } from "./postgres_away.ts";

faultTests(POSTGRES_LINK);
