/**
 * The messages of an AXFR that we asked for, read as they come: a state machine that knows no
 * socket.
 *
 * Pure but for its place in the transfer. Specs: RFC 5936 §2.2 (the zone's SOA first and last,
 * the records between them in any order), RFC 1995 §4 (what an answer to IXFR looks like, which
 * this must not be taken for).
 */
import {
  CLASS_IN,
  equalNames,
  equalOctets,
  formatName,
  isSubdomain,
  type Name,
  type ResourceRecord,
  TYPE,
  ZonecastError,
} from "../dns/mod.ts";
import {
  MESSAGE_HEADER_OCTETS,
  MessageWriter,
  OPCODE,
  opcodeOf,
  RCODE,
  rcodeName,
  type Response,
} from "../wire/mod.ts";
import { soaSerial } from "../zone/mod.ts";

/** A transfer that did not bring the zone. */
export class TransferError extends ZonecastError {
  override readonly name = "TransferError";

  /** @param rcode  what the server answered instead; undefined where that is not the reason */
  constructor(
    code: "transfer-refused" | "transfer-malformed" | "transfer-cut",
    message: string,
    hint?: string,
    readonly rcode?: number,
  ) {
    super(code, message, hint);
  }
}

/** A question for all of a zone. */
export function axfrQuery(id: number, apex: Name): Uint8Array {
  const writer = new MessageWriter(MESSAGE_HEADER_OCTETS + apex.length + 4);
  writer.header(id, 0);
  writer.question({ name: apex, type: TYPE.AXFR, class: CLASS_IN });
  return writer.finish();
}

export class AxfrReader {
  #soa: ResourceRecord | undefined;
  #isWhole = false;
  #records = 0;

  /** @param apex  of the zone asked for */
  constructor(readonly apex: Name, readonly id: number) {}

  /** The zone's SOA record, once the first message has come. */
  get soa(): ResourceRecord | undefined {
    return this.#soa;
  }

  /** Whether the closing SOA has come: nothing may follow. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /**
   * Takes the next message.
   *
   * @returns its records, the SOA left out
   * @throws {TransferError} it is an error, no part of this transfer, or not a zone
   */
  take(message: Response): ResourceRecord[] {
    if (this.#isWhole) throw this.#malformed("a message follows the closing SOA");
    this.#check(message);
    const out: ResourceRecord[] = [];
    for (const record of message.answer) {
      if (this.#isWhole) throw this.#malformed("a record follows the closing SOA");
      if (this.#soa === undefined) this.#open(record);
      else if (record.type === TYPE.SOA) this.#close(record, this.#soa);
      else {
        out.push(this.#checked(record));
        this.#records++;
      }
    }
    return out;
  }

  #check({ id, flags, rcode, question, answer }: Response): void {
    if (id !== this.id) throw this.#malformed("a message has another ID");
    if (opcodeOf(flags) !== OPCODE.QUERY) throw this.#malformed("a message has another opcode");
    if (rcode !== RCODE.NOERROR) {
      throw new TransferError(
        "transfer-refused",
        `The server answers ${rcodeName(rcode)} to the transfer of ${formatName(this.apex)}`,
        "let this machine's address transfer there, with the key it asks for",
        rcode,
      );
    }
    if (
      question &&
      !(question.type === TYPE.AXFR && question.class === CLASS_IN &&
        equalNames(question.name, this.apex))
    ) throw this.#malformed("a message answers another question");
    // Some servers answer so where they mean REFUSED.
    if (this.#soa === undefined && answer.length === 0) throw this.#malformed("it has no records");
  }

  #open(record: ResourceRecord): void {
    if (record.type !== TYPE.SOA || !equalNames(record.owner, this.apex)) {
      throw this.#malformed("it does not begin with the zone's SOA");
    }
    this.#soa = record;
  }

  /**
   * A second SOA of the same serial ends the zone. Of another one it means, behind no record, that
   * differences were sent, as they answer IXFR; else, that the zone changed meanwhile.
   */
  #close(record: ResourceRecord, first: ResourceRecord): void {
    if (!equalNames(record.owner, this.apex)) {
      throw this.#malformed(`${formatName(record.owner)} has an SOA, too`);
    }
    if (!equalOctets(record.rdata, first.rdata)) {
      const [from, to] = [soaSerial(first), soaSerial(record)];
      throw this.#malformed(
        this.#records === 0 && from !== to
          ? `it sends differences, from serial ${to} to ${from}, where all was asked for`
          : `it begins with the SOA of serial ${from} and ends with another, of ${to}`,
      );
    }
    this.#isWhole = true;
  }

  #checked(record: ResourceRecord): ResourceRecord {
    if (isSubdomain(record.owner, this.apex)) return record;
    throw this.#malformed(`${formatName(record.owner)} lies outside the zone`);
  }

  #malformed(what: string): TransferError {
    return new TransferError(
      "transfer-malformed",
      `The transfer of ${formatName(this.apex)} is no zone: ${what}`,
    );
  }
}
