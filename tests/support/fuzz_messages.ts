/**
 * Messages for a fuzzer: well-formed ones of every kind, spoilt with a sense for their parts, and
 * spoilt octet by octet. A seed gives the same messages again, on any machine.
 *
 * Writes octets by itself, not by lib/wire: what the code under test thinks a message is must not
 * bound what it is tested with.
 */
import { randomOf } from "./random.ts";

/** One message, and what it was made from, for the report of a failure. */
export interface FuzzMessage {
  readonly octets: Uint8Array;
  readonly kind: string;
}

const TYPES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  HTTPS: 65,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  ANY: 255,
  UNKNOWN: 65_280,
} as const;
const TYPE_NUMBERS = Object.values(TYPES);

/** QCLASSes: IN, CH, NONE, ANY, and none there is. */
const CLASSES = [1, 1, 1, 1, 3, 254, 255, 77];

/** EDNS options: NSID, client subnet, EXPIRE, cookie, keepalive, padding, chain, extended error. */
const OPTION_CODES = [3, 8, 9, 10, 11, 12, 13, 15, 65_001];

/** Octets at which readers of messages go wrong. */
const INTERESTING = [0, 1, 0x0c, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xfe, 0xff];

/** Where labels come from beside the zone's own names. */
const ODD_LABELS = ["*", "_tcp", "WwW", "\0", "a.b", "\xff\xfe", "x".repeat(63), "-", " "];

/** A message being written: octets, and where its parts are, for mutations that know them. */
class Draft {
  readonly octets: number[] = [];
  /** Offsets of two-octet fields: counts, types, classes, lengths. */
  readonly fields: number[] = [];
  /** Offsets where names begin. */
  readonly names: number[] = [];

  put16(value: number): void {
    this.fields.push(this.octets.length);
    this.octets.push(value >> 8 & 0xff, value & 0xff);
  }

  put32(value: number): void {
    this.put16(value >>> 16);
    this.put16(value & 0xffff);
  }

  set16(at: number, value: number): void {
    this.octets[at] = value >> 8 & 0xff;
    this.octets[at + 1] = value & 0xff;
  }
}

export class MessageFuzzer {
  readonly #random: () => number;
  readonly #names: readonly string[];
  /** Serials to ask IXFR from; the first is the current one. */
  readonly #serials: readonly number[];
  /** The last messages, to splice from. */
  readonly #last: Uint8Array[] = [];

  /** @param names  of the zones under test, without their last dot; the first is an apex */
  constructor(seed: number, names: readonly string[], serials: readonly number[]) {
    this.#random = randomOf(seed);
    this.#names = names;
    this.#serials = serials;
  }

  /** A whole number from 0 up to a bound. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }

  #chance(oneIn: number): boolean {
    return this.below(oneIn) === 0;
  }

  /** The next message. */
  next(): FuzzMessage {
    const kind = this.#pick(KINDS);
    const draft = new Draft();
    if (kind === "raw") this.#octets(draft, this.below(this.#chance(20) ? 5_000 : 100));
    else this.#message(draft, kind);
    const spoilt = this.below(4); // one in four stays as it is
    if (spoilt === 1 || spoilt === 3) this.#spoilParts(draft);
    let octets = Uint8Array.from(draft.octets);
    if (spoilt >= 2) octets = this.#spoilOctets(octets);
    if (this.#last.length < 64) this.#last.push(octets);
    else this.#last[this.below(64)] = octets;
    return { octets, kind: `${kind}${["", "+parts", "+octets", "+parts+octets"][spoilt]}` };
  }

  #message(draft: Draft, kind: Kind): void {
    const opcode = kind === "notify"
      ? 4
      : kind === "update"
      ? 5
      : kind === "opcode"
      ? this.below(16)
      : 0;
    draft.put16(this.below(65_536));
    draft.put16(opcode << 11 | (this.#chance(8) ? this.below(65_536) & 0x7ff : 0));
    for (let i = 0; i < 4; i++) draft.put16(0);
    const counts = [1, 0, 0, 0];
    this.#question(draft, kind);
    if (kind === "notify" && !this.#chance(3)) counts[1] = this.#record(draft, TYPES.SOA);
    if (kind === "update") {
      for (let i = this.below(4); i > 0; i--) counts[1] += this.#record(draft);
      for (let i = this.below(4); i > 0; i--) counts[2] += this.#record(draft);
    }
    if (kind === "ixfr") counts[2] = this.#record(draft, TYPES.SOA);
    if (kind === "records") {
      for (let i = this.below(5); i > 0; i--) counts[this.below(2) + 1] += this.#record(draft);
    }
    if (kind === "edns" || this.#chance(3)) counts[3] += this.#opt(draft);
    if (kind === "edns" && this.#chance(10)) counts[3] += this.#opt(draft);
    if (kind === "tsig") counts[3] += this.#tsig(draft);
    if (kind === "tsig" && this.#chance(8)) counts[3] += this.#record(draft);
    counts.forEach((count, i) => draft.set16(4 + 2 * i, count));
  }

  #question(draft: Draft, kind: Kind): void {
    this.#name(draft, true);
    const type = kind === "ixfr"
      ? TYPES.IXFR
      : kind === "axfr"
      ? TYPES.AXFR
      : kind === "notify" || kind === "update"
      ? TYPES.SOA
      : this.#pick(TYPE_NUMBERS);
    draft.put16(type);
    draft.put16(this.#pick(CLASSES));
  }

  /** A name: of the zone, below it, odd, or a pointer; in any case of letters. */
  #name(draft: Draft, isQuestion = false): void {
    draft.names.push(draft.octets.length);
    if (!isQuestion && !this.#chance(3)) {
      draft.octets.push(0xc0, this.#chance(4) ? this.below(256) : 12);
      return;
    }
    const labels: string[] = [];
    for (let i = this.#chance(3) ? this.below(4) : 0; i > 0; i--) {
      labels.push(this.#chance(2) ? this.#pick(ODD_LABELS) : `app-${this.below(40)}`);
    }
    if (!this.#chance(12)) labels.push(...this.#pick(this.#names).split("."));
    const isUpper = this.#chance(4);
    for (const label of labels) {
      draft.octets.push(label.length);
      for (const char of isUpper ? label.toUpperCase() : label) {
        draft.octets.push(char.charCodeAt(0) & 0xff);
      }
    }
    draft.octets.push(0);
  }

  #record(draft: Draft, type: number = this.#pick(TYPE_NUMBERS)): 1 {
    this.#name(draft);
    draft.put16(type);
    draft.put16(this.#pick(CLASSES));
    draft.put32(this.below(100_000));
    this.#rdata(draft, () => {
      if (type === TYPES.SOA) {
        this.#name(draft);
        this.#name(draft);
        draft.put32(this.#chance(3) ? this.below(2 ** 32) : this.#pick(this.#serials));
        for (let i = 0; i < 4; i++) draft.put32(this.below(10_000));
      } else this.#octets(draft, this.below(40));
    });
    return 1;
  }

  /** RDLENGTH and what it counts. */
  #rdata(draft: Draft, write: () => void): void {
    const at = draft.octets.length;
    draft.put16(0);
    write();
    draft.set16(at, draft.octets.length - at - 2);
  }

  #opt(draft: Draft): 1 {
    if (this.#chance(20)) this.#name(draft);
    else draft.octets.push(0);
    draft.put16(TYPES.OPT);
    draft.put16(this.#pick([0, 511, 512, 1_232, 4_096, 65_535]));
    draft.put16(this.#chance(10) ? this.below(65_536) : 0); // extended RCODE, version
    draft.put16(this.#chance(2) ? 0x8000 : this.#chance(8) ? this.below(65_536) : 0);
    this.#rdata(draft, () => {
      for (let i = this.below(4); i > 0; i--) this.#option(draft);
    });
    return 1;
  }

  #option(draft: Draft): void {
    const code = this.#pick(OPTION_CODES);
    draft.put16(code);
    const length = code === 10
      ? this.#pick([0, 7, 8, 9, 15, 16, 24, 32, 40, 41])
      : this.below(this.#chance(10) ? 500 : 12);
    draft.put16(length);
    this.#octets(draft, length);
  }

  #tsig(draft: Draft): 1 {
    this.#name(draft, true);
    draft.put16(TYPES.TSIG);
    draft.put16(255);
    draft.put32(0);
    this.#rdata(draft, () => {
      const algorithm = this.#pick(["hmac-sha256", "hmac-md5", "none"]);
      draft.octets.push(algorithm.length, ...new TextEncoder().encode(algorithm), 0);
      this.#octets(draft, 6);
      draft.put16(300);
      const mac = this.#pick([0, 16, 32, 64]);
      draft.put16(mac);
      this.#octets(draft, mac);
      draft.put16(this.below(65_536));
      draft.put16(this.#pick([0, 16, 17, 18]));
      draft.put16(0);
    });
    return 1;
  }

  #octets(draft: Draft, count: number): void {
    for (let i = 0; i < count; i++) draft.octets.push(this.below(256));
  }

  /** Lies in counts, types and lengths; pointers forward, to themselves, in chains. */
  #spoilParts(draft: Draft): void {
    const { octets, fields, names } = draft;
    for (let times = 1 + this.below(3); times > 0; times--) {
      const how = this.below(6);
      if (how === 0 && names.length > 0) {
        const at = this.#pick(names);
        const target = this.#pick([
          at,
          at + 2,
          at - 2,
          0,
          11,
          12,
          this.below(0x4000),
          octets.length,
        ]);
        octets[at] = 0xc0 | target >> 8 & 0x3f;
        octets[at + 1] = target & 0xff;
      } else if (how === 1 && names.length > 0) octets[this.#pick(names)] = this.#pick(INTERESTING);
      else if (how === 2 && octets.length >= 12) draft.set16(4 + 2 * this.below(4), this.#count());
      else if (how === 3 && octets.length >= 4) octets[2] ^= 1 << this.below(8);
      else if (fields.length > 0) draft.set16(this.#pick(fields), this.#count());
    }
  }

  #count(): number {
    return this.#pick([0, 1, 2, 3, 255, 256, 0x7fff, 0x8000, 0xffff, this.below(65_536)]);
  }

  /** Flips, overwrites, cuts, doubles, splices. */
  #spoilOctets(octets: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const out = octets.slice();
    for (let times = this.below(6); times > 0 && out.length > 0; times--) {
      const at = this.below(out.length);
      if (this.#chance(2)) out[at] ^= 1 << this.below(8);
      else out[at] = this.#chance(2) ? this.#pick(INTERESTING) : this.below(256);
    }
    switch (this.below(8)) {
      case 0:
        return out.slice(0, this.below(out.length + 1));
      case 1:
        return Uint8Array.from([...out, ...out.subarray(this.below(out.length))]);
      case 2: {
        const other = this.#last.length > 0 ? this.#pick(this.#last) : out;
        const from = this.below(other.length + 1);
        return Uint8Array.from([
          ...out.subarray(0, this.below(out.length + 1)),
          ...other.subarray(from),
        ]);
      }
      default:
        return out;
    }
  }
}

const KINDS = [
  "question",
  "question",
  "edns",
  "edns",
  "axfr",
  "ixfr",
  "tsig",
  "notify",
  "update",
  "opcode",
  "records",
  "raw",
] as const;
type Kind = typeof KINDS[number];
