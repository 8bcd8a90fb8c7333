/** SOA records as the state file keeps them: one record, uncompressed. Pure. */
import { type ResourceRecord, TYPE } from "../dns/mod.ts";
import { packRecords, readRecord } from "../zone/mod.ts";
import { blob, DamagedRow, type Row } from "./columns.ts";

/** Octets of SOA RDATA at least: two root names, five numbers (RFC 1035 §3.3.13). */
const MIN_SOA_RDATA_OCTETS = 22;

/** An SOA record as octets, in a fresh buffer. */
export function soaOctets(soa: ResourceRecord): Uint8Array {
  return packRecords([soa]).octets;
}

/**
 * The SOA record in octets, as views into them.
 *
 * @throws {RangeError} they are no SOA record
 */
export function readSoa(octets: Uint8Array): ResourceRecord {
  const [soa, end] = readRecord(octets, 0);
  if (
    end !== octets.length || soa.type !== TYPE.SOA || soa.rdata.length < MIN_SOA_RDATA_OCTETS
  ) throw new RangeError("Cannot read SOA record: the octets are no SOA record");
  return soa;
}

/** The SOA record in a column, as octets and as views into them. @throws {DamagedRow} it is none */
export function soaColumn(
  row: Row,
  column: string,
): { octets: Uint8Array; record: ResourceRecord } {
  const octets = blob(row, column);
  try {
    return { octets, record: readSoa(octets) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DamagedRow(`column ${column} holds no SOA record`, { cause: error });
  }
}
