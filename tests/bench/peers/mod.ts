/** The servers zonecast is measured beside. */
import { BIND } from "./bind.ts";
import { KNOT } from "./knot.ts";
import { NSD } from "./nsd.ts";
import { PDNS } from "./pdns.ts";
import type { Peer } from "./peer.ts";
import { YADIFA } from "./yadifa.ts";

export const PEERS: readonly Peer[] = [NSD, KNOT, BIND, PDNS, YADIFA];
export { BIND, KNOT, NSD, PDNS, YADIFA };
export {
  isInstalled,
  launchSpec,
  type Peer,
  type PrimaryOptions,
  processTree,
  startPeer,
  versionOf,
} from "./peer.ts";
