import { faultTests } from "./fault.ts";
import { POSTGRES_CONTENT } from "./postgres_content.ts";

faultTests(POSTGRES_CONTENT);
