/**
 * Who may ask and who may transfer.
 *
 * Pure, but for a bounded cache of verdicts. Everybody an access list does not
 * name gets REFUSED, never silence.
 */
import { type Cidr, cidrContains, readIp } from "../ops/mod.ts";
import type { Secondary } from "./secondary.ts";

/** Addresses whose verdicts are remembered; strangers come and go. */
const MAX_REMEMBERED = 4_096;

interface Verdict {
  readonly query: boolean;
  readonly transfer: boolean;
  /** UDP answers there are limited in their number. */
  readonly limited: boolean;
  readonly secondaries: readonly Secondary[];
}

export interface AccessRules {
  readonly secondaries: readonly Secondary[];
  /** Prefixes that may transfer beside the secondaries. */
  readonly allowTransfer: readonly Cidr[];
  /** Prefixes that may ask; undefined means everybody. */
  readonly allowQuery: readonly Cidr[] | undefined;
  /** Prefixes whose UDP answers are not limited, beside those that may transfer. */
  readonly rateExempt?: readonly Cidr[];
}

export class Access {
  readonly #rules: AccessRules;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(rules: AccessRules) {
    this.#rules = rules;
  }

  /** @param ip  the peer's address as its socket gives it; mapped IPv4 counts as IPv4 */
  mayQuery(ip: string): boolean {
    return this.#rules.allowQuery === undefined || this.#verdict(ip).query;
  }

  mayTransfer(ip: string): boolean {
    return this.#verdict(ip).transfer;
  }

  /** Whether an address gets only so many UDP answers: all but those known to be who they say. */
  isRateLimited(ip: string): boolean {
    return this.#verdict(ip).limited;
  }

  /**
   * The secondaries an address belongs to. More than one where several share an
   * address (behind NAT, or on one machine): their requests cannot be told apart.
   */
  secondariesAt(ip: string): readonly Secondary[] {
    return this.#verdict(ip).secondaries;
  }

  /** Whether an address may be sent differences: false when a secondary there has `no-ixfr`. */
  takesIxfr(ip: string): boolean {
    return this.#verdict(ip).secondaries.every(({ ixfr }) => ixfr);
  }

  #verdict(peer: string): Verdict {
    const known = this.#verdicts.get(peer);
    if (known) return known;
    const verdict = this.#judge(peer);
    if (this.#verdicts.size >= MAX_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(peer, verdict);
    return verdict;
  }

  #judge(peer: string): Verdict {
    const ip = readIp(peer);
    if (!ip) return { query: false, transfer: false, limited: true, secondaries: [] };
    const isIn = (cidrs: readonly Cidr[]) => cidrs.some((cidr) => cidrContains(cidr, ip));
    const { allowQuery, allowTransfer, rateExempt = [] } = this.#rules;
    const secondaries = this.#rules.secondaries.filter((secondary) => isIn(secondary.from));
    const transfer = secondaries.length > 0 || isIn(allowTransfer);
    // Who may have the whole zone may ask for its SOA.
    const query = transfer || !allowQuery || isIn(allowQuery);
    return { query, transfer, limited: !transfer && !isIn(rateExempt), secondaries };
  }
}
