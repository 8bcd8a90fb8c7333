/**
 * A page: a run of a zone's owners held as the records part of one DNS message.
 *
 * Pure. The octets of a page never change once it is built; versions of a zone
 * share pages.
 */

/** Octets of a DNS message's header; pointers in a page count from here (RFC 1035 §4.1.1, §4.1.4). */
export const HEADER_OCTETS = 12;

/** Immutable run of records in canonical order, packed as they are sent. */
export interface Page {
  /**
   * The records, name-compressed; a pointer counts from 12 octets before the
   * block's first, where the message header will stand.
   */
  readonly block: Uint8Array;
  /** Offset in the block of each owner's first record, ascending; the first is 0. */
  readonly owners: Uint32Array;
  /** Number of records, 1 to 65535. */
  readonly records: number;
  /** {@link canonicalKey} of the page's first owner. */
  readonly firstKey: string;
  /**
   * How many pages before this one already hold records of its first owner: 0
   * when the owner begins here. Only an owner too big for one page spans several.
   */
  readonly part: number;
}
