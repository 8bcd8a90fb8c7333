/** The four real secondaries under one name each. */
import { startBind } from "./bind.ts";
import type { DnsServer, SecondaryKind, SecondaryOptions } from "./dns_server.ts";
import { startKnot } from "./knot.ts";
import { startNsd } from "./nsd.ts";
import { startPdns } from "./pdns.ts";

export const SECONDARY_KINDS: readonly SecondaryKind[] = ["nsd", "knot", "bind", "pdns"];

const STARTERS = { nsd: startNsd, knot: startKnot, bind: startBind, pdns: startPdns };

export function startSecondary(kind: SecondaryKind, options: SecondaryOptions): Promise<DnsServer> {
  return STARTERS[kind](options);
}
