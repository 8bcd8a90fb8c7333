import { faultTests } from "./fault.ts";
import { POSTGRES_TROUBLE } from "./postgres_trouble.ts";

faultTests(POSTGRES_TROUBLE);
