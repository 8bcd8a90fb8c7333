/** Questions at random, most of them for names in or near some zones. */
import { formatName, type Name, parentName, parseName, typeCode } from "../../lib/dns/mod.ts";

/** A question as it is put over UDP. */
export interface RandomQuestion {
  readonly name: string;
  readonly type: string;
  /** Undefined: without EDNS. */
  readonly edns: { readonly payloadOctets: number; readonly dnssecOk: boolean } | undefined;
  readonly recursionDesired: boolean;
}

const TYPES = [
  ...["A", "A", "A", "AAAA", "AAAA", "TXT", "TXT", "NS", "NS", "MX", "CNAME", "CNAME", "DNAME"],
  ...["SOA", "DS", "DS", "ANY", "SRV", "HTTPS", "SVCB", "PTR", "CAA", "HINFO", "TYPE65280"],
  ...["RRSIG", "NSEC", "DNSKEY"],
];
const LABELS = ["x", "*", "www", "a", "nothing", "ns", "\\000", "a\\.b", "L".repeat(63), "_tcp"];
const SIZES = [0, 512, 600, 1232, 1232, 4096];

/**
 * A generator of questions.
 *
 * @param names  owner names to start from, absolute
 * @param random  from 0 up to 1
 */
export function randomQuestions(
  names: readonly string[],
  random: () => number,
): () => RandomQuestion {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  const nearby = (): string => {
    let name: Name = parseName(pick(names));
    const turns = Math.floor(random() * random() * 5);
    for (let i = 0; i < turns; i++) {
      if (random() < 0.4) name = parentName(name);
      else if (name.length < 160) name = parseName(pick(LABELS), name);
    }
    return formatName(name);
  };
  return () => ({
    name: anyCase(random() < 0.02 ? "www.elsewhere.test." : nearby(), random),
    type: pick(TYPES),
    edns: random() < 0.3 ? undefined : { payloadOctets: pick(SIZES), dnssecOk: random() < 0.4 },
    recursionDesired: random() < 0.5,
  });
}

/** Some letters in the other case. */
function anyCase(name: string, random: () => number): string {
  return random() < 0.8
    ? name
    : name.replace(/[a-z]/g, (letter) => random() < 0.5 ? letter.toUpperCase() : letter);
}

/** The message of a question, its ID 0. */
export function questionMessage(
  { name, type, edns, recursionDesired }: RandomQuestion,
): Uint8Array {
  const code = typeCode(type);
  const opt = edns
    ? [0, 0, 41, edns.payloadOctets >> 8, edns.payloadOctets & 0xff, 0, 0]
      .concat([edns.dnssecOk ? 0x80 : 0, 0, 0, 0])
    : [];
  const counts = [0, 1, 0, 0, 0, 0, 0, edns ? 1 : 0];
  const header = [0, 0, recursionDesired ? 1 : 0, 0, ...counts];
  return Uint8Array.of(...header, ...parseName(name), code >> 8, code & 0xff, 0, 1, ...opt);
}
