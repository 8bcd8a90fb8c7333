/** The servers zonecast is measured beside. */
import type { Peer } from "./peer.ts";

export const PEERS: readonly Peer[] = [];
