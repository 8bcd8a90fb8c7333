/** BIND as a real secondary of zonecast. */
import { followTest } from "./follow.ts";

followTest("bind", { keepsCase: true });
