/**
 * TSIG keys: a name, an algorithm, a secret that shows nowhere.
 *
 * Spec: RFC 8945 §6 (algorithms).
 */
import { createSecretKey, type KeyObject } from "node:crypto";
import { canonicalKey, lowerName, type Name, parseName } from "../dns/mod.ts";

/** A message authentication code that TSIG may be made with. */
export interface TsigAlgorithm {
  /** As key files have it: "hmac-sha256". */
  readonly name: string;
  /** As messages have it, in lower case. */
  readonly wire: Name;
  /** The hash, as the runtime calls it. */
  readonly hash: string;
  /** Octets of a MAC that is not truncated. */
  readonly macOctets: number;
}

function algorithm(name: string, hash: string, macOctets: number, wire = name): TsigAlgorithm {
  return { name, hash, macOctets, wire: parseName(`${wire}.`) };
}

/** All algorithms there are, the one to prefer first. */
export const TSIG_ALGORITHMS: readonly TsigAlgorithm[] = [
  algorithm("hmac-sha256", "sha256", 32),
  algorithm("hmac-sha384", "sha384", 48),
  algorithm("hmac-sha512", "sha512", 64),
  algorithm("hmac-sha224", "sha224", 28),
  algorithm("hmac-sha1", "sha1", 20),
  algorithm("hmac-md5", "md5", 16, "hmac-md5.sig-alg.reg.int"),
];

const BY_WIRE = new Map(TSIG_ALGORITHMS.map((each) => [canonicalKey(each.wire), each]));

/** The algorithm of a key file's word, or of the name that messages have; letter case is ignored. */
export function findTsigAlgorithm(text: string): TsigAlgorithm | undefined {
  const word = text.toLowerCase().replace(/\.$/, "");
  return TSIG_ALGORITHMS.find(({ name }) => name === word) ??
    (/^[a-z0-9.-]{1,63}$/.test(word)
      ? BY_WIRE.get(canonicalKey(parseName(`${word}.`)))
      : undefined);
}

/** A key that two servers share. */
export interface TsigKey {
  /** In lower case. */
  readonly name: Name;
  readonly algorithm: TsigAlgorithm;
  /** An object of the runtime that prints no octet of it. */
  readonly secret: KeyObject;
  /** Octets of the shortest MAC taken; at most the algorithm's (RFC 8945 §5.2.4). */
  readonly minMacOctets: number;
}

/**
 * A key.
 *
 * @param secret  the shared octets; the caller's buffer is not kept
 * @param minMacOctets  shorter MACs get BADTRUNC; default: none may be truncated
 */
export function tsigKey(
  name: Name,
  algorithm: TsigAlgorithm,
  secret: Uint8Array,
  minMacOctets = algorithm.macOctets,
): TsigKey {
  return {
    name: lowerName(name),
    algorithm,
    secret: createSecretKey(secret),
    minMacOctets: Math.min(minMacOctets, algorithm.macOctets),
  };
}

/** The octets of the shortest MAC that is well-formed, RFC 8945 §5.2.2.1: 10, or half if that is more. */
export function leastMacOctets({ macOctets }: TsigAlgorithm): number {
  return Math.max(10, macOctets / 2);
}
