/** The settings of the zone that tests of the pipeline are about. */
import type { ZoneSettings } from "../../lib/source/mod.ts";

export const ZONE_SETTINGS: ZoneSettings = {
  name: "example.org",
  mname: "ns1",
  rname: "hostmaster",
  refresh: 3600,
  retry: 600,
  expire: 86400,
  minimum: 60,
  defaultTtl: 300,
  soaTtl: null,
  serialFloor: null,
};
