/**
 * Who may ask and who may transfer.
 *
 * Pure, but for a bounded cache of verdicts. Everybody an access list does not
 * name gets REFUSED, never silence.
 */
import { equalNames, type Name } from "../dns/mod.ts";
import { type Cidr, cidrContains, readIp } from "../ops/mod.ts";
import { VERDICTS_REMEMBERED } from "./limits.ts";
import type { Secondary } from "./secondary.ts";

/** Who asks: an address, and the key that its request was rightly signed with. */
export interface Asker {
  /** The peer's address as its socket gives it; mapped IPv4 counts as IPv4. */
  readonly ip: string;
  /** Name of the TSIG key; undefined: the request was not signed. */
  readonly keyName?: Name;
}

/** Addresses that may transfer beside the secondaries. */
export interface TransferRule {
  readonly cidr: Cidr;
  /** Names of the TSIG keys of which one must sign; empty: none need. */
  readonly keys: readonly Name[];
}

interface Verdict {
  readonly query: boolean;
  /** UDP answers there are limited in their number. */
  readonly limited: boolean;
  readonly secondaries: readonly Secondary[];
  readonly rules: readonly TransferRule[];
}

export interface AccessRules {
  readonly secondaries: readonly Secondary[];
  readonly allowTransfer: readonly TransferRule[];
  /** Prefixes that may ask; undefined means everybody. */
  readonly allowQuery: readonly Cidr[] | undefined;
  /** Prefixes whose UDP answers are not limited, beside those that may transfer. */
  readonly rateExempt?: readonly Cidr[];
}

export class Access {
  #rules: AccessRules;
  readonly #verdicts = new Map<string, Verdict>();

  constructor(rules: AccessRules) {
    this.#rules = rules;
  }

  /** Other rules from now on, for the same secondaries. */
  replace(rules: Omit<AccessRules, "secondaries">): void {
    this.#rules = { ...this.#rules, ...rules };
    this.#verdicts.clear();
  }

  mayQuery({ ip }: Asker): boolean {
    return this.mayQueryFrom(ip);
  }

  /** Whether questions from an address are answered. */
  mayQueryFrom(ip: string): boolean {
    return this.#rules.allowQuery === undefined || this.#verdict(ip).query;
  }

  /** Why a request for a transfer is refused, fit for the log; undefined when it is not. */
  transferDenial(asker: Asker): string | undefined {
    const { secondaries, rules } = this.#verdict(asker.ip);
    const listed = [...secondaries, ...rules];
    if (listed.length === 0) return "client may not transfer";
    if (listed.some(({ keys }) => isSigned(asker, keys))) return undefined;
    return asker.keyName ? "signed with a key of another" : "the request is not signed";
  }

  /** Whether an address may transfer, if its requests are signed where they must be. */
  isListed(ip: string): boolean {
    const { secondaries, rules } = this.#verdict(ip);
    return secondaries.length > 0 || rules.length > 0;
  }

  /** Whether an address gets only so many UDP answers: all but those known to be who they say. */
  isRateLimited(ip: string): boolean {
    return this.#verdict(ip).limited;
  }

  /**
   * The secondaries that a request may be of: by its address, and by its key where they
   * have one. More than one where several share an address (behind NAT, or on one
   * machine) and no key tells them apart.
   */
  secondariesAt(asker: Asker): readonly Secondary[] {
    const { secondaries } = this.#verdict(asker.ip);
    return secondaries.filter(({ keys }) => isSigned(asker, keys));
  }

  /** Whether an address may be sent differences: false when a secondary there has `no-ixfr`. */
  takesIxfr(asker: Asker): boolean {
    return this.secondariesAt(asker).every(({ ixfr }) => ixfr);
  }

  #verdict(peer: string): Verdict {
    const known = this.#verdicts.get(peer);
    if (known) return known;
    const verdict = this.#judge(peer);
    if (this.#verdicts.size >= VERDICTS_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(peer, verdict);
    return verdict;
  }

  #judge(peer: string): Verdict {
    const ip = readIp(peer);
    if (!ip) return { query: false, limited: true, secondaries: [], rules: [] };
    const isIn = (cidrs: readonly Cidr[]) => cidrs.some((cidr) => cidrContains(cidr, ip));
    const { allowQuery, allowTransfer, rateExempt = [] } = this.#rules;
    const secondaries = this.#rules.secondaries.filter((secondary) => isIn(secondary.from));
    const rules = allowTransfer.filter(({ cidr }) => cidrContains(cidr, ip));
    const transfer = secondaries.length > 0 || rules.length > 0;
    // Who may have the whole zone may ask for its SOA.
    const query = transfer || !allowQuery || isIn(allowQuery);
    return { query, limited: !transfer && !isIn(rateExempt), secondaries, rules };
  }
}

/** Whether a request is signed with one of these keys, or need not be. */
function isSigned({ keyName }: Asker, keys: readonly Name[]): boolean {
  return keys.length === 0 ||
    keyName !== undefined && keys.some((name) => equalNames(name, keyName));
}
