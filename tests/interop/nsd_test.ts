/** NSD as a real secondary of zonecast. */
import { followTest } from "./follow.ts";

// NSD takes a record of 40,000 octets, and cannot send it on in an AXFR for us to see.
followTest("nsd", { isLeftOut: (type) => type === "TYPE64000" });
