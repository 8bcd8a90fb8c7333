/**
 * What an authoritative server has to answer: one row a rule.
 *
 * The rows are put to the answering function and to the running executable, over
 * UDP and TCP. Zones: {@link NASTY_ZONES}.
 */
import { parseName, typeCode } from "../../lib/dns/mod.ts";
import type { ComparableMessage, ComparableRecord } from "./comparable.ts";

/** What is asked. */
export interface Ask {
  readonly name: string;
  /** Mnemonic, or TYPEnnn. */
  readonly type: string;
  /** Default IN. */
  readonly class?: number;
  /** Header flags and opcode; default none. */
  readonly flags?: number;
  readonly edns?: AskEdns;
  /** How many OPT records; default one. */
  readonly opts?: number;
  /** Changes the message at last. */
  readonly spoil?: (message: Uint8Array) => Uint8Array;
}

export interface AskEdns {
  /** Default 1,232. */
  readonly size?: number;
  readonly version?: number;
  /** DO and the flags behind it. */
  readonly flags?: number;
  readonly options?: readonly (readonly [code: number, octets: readonly number[]])[];
  /** Owner of the OPT record; default the root. */
  readonly owner?: string;
}

/** What must come back; sections as lines, without the data of SOA and RRSIG records. */
export interface Expected {
  /** Default NOERROR. */
  readonly rcode?: string;
  /** Default true. */
  readonly aa?: boolean;
  /** Default false. */
  readonly tc?: boolean;
  readonly answer?: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
  /** Whether there is an OPT record; default: as asked. */
  readonly opt?: boolean;
  /** Codes of the options that come back; default none. */
  readonly options?: readonly number[];
  /** What else must be so. */
  readonly check?: (message: Uint8Array) => void;
}

export interface Rule {
  /** "RFC 2308 §5: …" */
  readonly rule: string;
  readonly ask: Ask;
  readonly expect: Expected;
  /** Default both. */
  readonly over?: "udp" | "tcp";
}

/** The message that asks, with ID 0x1234. */
export function askMessage(ask: Ask): Uint8Array {
  const { edns, flags = 0, opts = edns ? 1 : 0, spoil } = ask;
  const type = typeCode(ask.type);
  const header = [0x12, 0x34, flags >> 8, flags, 0, 1, 0, 0, 0, 0, 0, opts];
  const question = [...parseName(ask.name), ...uint16(type), ...uint16(ask.class ?? 1)];
  const opt = edns ? optRecord(edns) : [];
  const whole = [...header, ...question, ...Array.from({ length: opts }, () => opt).flat()];
  const message = Uint8Array.from(whole);
  return spoil ? spoil(message) : message;
}

function uint16(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}

function optRecord(
  { size = 1_232, version = 0, flags = 0, options = [], owner }: AskEdns,
): number[] {
  const rdata = options.flatMap(([code, octets]) => [
    ...uint16(code),
    ...uint16(octets.length),
    ...octets,
  ]);
  const name = owner === undefined ? [0] : [...parseName(owner)];
  return [...name, 0, 41, ...uint16(size), 0, version, ...uint16(flags), ...uint16(rdata.length)]
    .concat(rdata);
}

/** A section as the rows state it. */
function stated(section: readonly ComparableRecord[]): string[] {
  return section.map(({ owner, ttl, type, rdata }) => {
    if (type === "SOA") return `${owner} ${ttl} SOA`;
    if (type === "RRSIG") return `${owner} ${ttl} RRSIG ${rdata.split(" ")[0]}`;
    return `${owner} ${ttl} ${type} ${rdata}`;
  }).sort();
}

/** What came, in the form of {@link expectation}. */
export function outcome(message: ComparableMessage) {
  const { rcode, aa, tc, answer, authority, additional, opt } = message;
  return {
    rcode,
    aa,
    tc,
    answer: stated(answer),
    authority: stated(authority),
    additional: stated(additional),
    opt: opt !== undefined,
    options: opt?.options ?? [],
  };
}

/** A row's expectation with its defaults. */
export function expectation({ ask, expect }: Rule): ReturnType<typeof outcome> {
  return {
    rcode: expect.rcode ?? "NOERROR",
    aa: expect.aa ?? true,
    tc: expect.tc ?? false,
    answer: [...expect.answer ?? []].sort(),
    authority: [...expect.authority ?? []].sort(),
    additional: [...expect.additional ?? []].sort(),
    opt: expect.opt ?? ask.edns !== undefined,
    options: [...expect.options ?? []],
  };
}
