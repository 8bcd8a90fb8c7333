/** A DNS message in a form in which answers of different servers are equal when they say the same. */
import {
  canonicalRdata,
  decompressRdata,
  formatName,
  formatRdata,
  lowerName,
  TYPE,
  typeName,
} from "../../lib/dns/mod.ts";
import { FLAG, rcodeName } from "../../lib/wire/mod.ts";
import { readQuestion, RecordReader, uint16 } from "../../lib/wire/record_reader.ts";

/** One record, names in lower case. */
export interface ComparableRecord {
  readonly owner: string;
  readonly type: string;
  readonly ttl: number;
  readonly rdata: string;
}

export interface ComparableMessage {
  readonly rcode: string;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly octets: number;
  readonly answer: readonly ComparableRecord[];
  readonly authority: readonly ComparableRecord[];
  /** Without OPT. */
  readonly additional: readonly ComparableRecord[];
  /** The OPT record: whether DO is set, and its option codes; undefined: there is none. */
  readonly opt: { readonly dnssecOk: boolean; readonly options: readonly number[] } | undefined;
}

/** @throws {WireError} the message is malformed */
export function comparable(message: Uint8Array): ComparableMessage {
  const flags = uint16(message, 2);
  const counts = [6, 8, 10].map((at) => uint16(message, at));
  const at = uint16(message, 4) === 0 ? 12 : readQuestion(message).next;
  const reader = new RecordReader(message, at);
  const sections: ComparableRecord[][] = [];
  let opt: ComparableMessage["opt"];
  let rcode = flags & 0xf;
  for (const count of counts) {
    const records: ComparableRecord[] = [];
    for (let i = 0; i < count; i++) {
      reader.next();
      if (reader.type === TYPE.OPT) {
        rcode |= reader.ttl >>> 24 << 4;
        opt = { dnssecOk: (reader.ttl & 0x8000) !== 0, options: optionCodes(reader) };
      } else records.push(recordOf(reader));
    }
    sections.push(records);
  }
  const [answer, authority, additional] = sections;
  const [aa, tc] = [FLAG.AA, FLAG.TC].map((flag) => (flags & flag) !== 0);
  const octets = message.length;
  return { rcode: rcodeName(rcode), aa, tc, octets, answer, authority, additional, opt };
}

function optionCodes({ message, rdataAt, at: end }: RecordReader): number[] {
  const codes: number[] = [];
  for (let at = rdataAt; at < end; at += 4 + uint16(message, at + 2)) {
    codes.push(uint16(message, at));
  }
  return codes;
}

function recordOf({ message, owner, type, ttl, rdataAt, at }: RecordReader): ComparableRecord {
  const rdata = canonicalRdata(type, decompressRdata(type, message, rdataAt, at - rdataAt));
  return {
    owner: formatName(lowerName(owner)),
    type: typeName(type),
    ttl,
    rdata: formatRdata(type, rdata),
  };
}

/** A record as one line. */
export function line({ owner, ttl, type, rdata }: ComparableRecord): string {
  return `${owner} ${ttl} ${type} ${rdata}`;
}

/** The records of a section as a sorted list of lines, doubles kept. */
export function lines(section: readonly ComparableRecord[]): string[] {
  return section.map(line).sort();
}
