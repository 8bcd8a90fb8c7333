/** Knot DNS as a real secondary of zonecast. */
import { followTest } from "./follow.ts";

followTest("knot");
