import { faultTests } from "./fault.ts";
import { POSTGRES_AWAY } from "./postgres_away.ts";

faultTests(POSTGRES_AWAY);
