/**
 * One room in which bulk is gathered, for all transfers: whoever has put something in it writes it
 * before anything is waited for.
 *
 * Pages stay in it until something else does: transfers of one version that go in turns, as when
 * all secondaries fetch a zone at once, differ in the IDs and flags of their headers alone, so the
 * next one's are written over and nothing is copied again. Owns: the room.
 *
 * Spec: RFC 1035 §4.2.2 (length in front of each message).
 */
import { LENGTH_OCTETS } from "../wire/mod.ts";
import { HEADER_OCTETS, type Page, type ZoneVersion } from "../zone/mod.ts";

/** What is sent of one message behind its header: a page, or the closing SOA. */
export type MessageRecords = Pick<Page, "block" | "records">;

/** Messages, one behind the other. */
export interface Gathered {
  /** A view of the room. */
  readonly octets: Uint8Array<ArrayBuffer>;
  /** The message behind the last of them. */
  readonly end: number;
}

export class BulkRoom {
  readonly #octets: Uint8Array<ArrayBuffer>;
  /** Whose pages are in it, weakly: a version nobody serves is not kept. */
  #version: WeakRef<ZoneVersion> | undefined;
  #from = 0;
  #end = 0;
  #filled = 0;
  /** Where the headers of their messages begin. */
  #headersAt: number[] = [];

  /** @param octets  its size; it holds the longest message at least */
  constructor(octets: number) {
    this.#octets = new Uint8Array(octets);
  }

  /** All of it, for anything. */
  take(): Uint8Array<ArrayBuffer> {
    this.#version = undefined;
    return this.#octets;
  }

  /**
   * Messages of a version's pages, and the closing one, which counts as the page behind the last:
   * as many as there is room for, one at least.
   *
   * @param from  the page of the first
   * @param header  ID and flags of each message are its first four octets
   * @param closing  the same for all transfers of the version
   */
  gather(
    version: ZoneVersion,
    from: number,
    header: Uint8Array,
    closing: MessageRecords,
  ): Gathered {
    if (this.#from !== from || this.#version?.deref() !== version) {
      this.#fill(version, from, closing);
    }
    for (const at of this.#headersAt) {
      for (let i = 0; i < 4; i++) this.#octets[at + i] = header[i];
    }
    return { octets: this.#octets.subarray(0, this.#filled), end: this.#end };
  }

  #fill(version: ZoneVersion, from: number, closing: MessageRecords): void {
    const { pages } = version;
    const octets = this.take();
    const headersAt: number[] = [];
    let filled = 0;
    let page = from;
    for (; page <= pages.length; page++) {
      const { block, records } = page < pages.length ? pages[page] : closing;
      const length = HEADER_OCTETS + block.length;
      if (filled + LENGTH_OCTETS + length > octets.length) break;
      octets[filled] = length >> 8;
      octets[filled + 1] = length;
      const headerAt = filled + LENGTH_OCTETS;
      octets.fill(0, headerAt, headerAt + HEADER_OCTETS);
      octets[headerAt + 6] = records >> 8;
      octets[headerAt + 7] = records;
      octets.set(block, headerAt + HEADER_OCTETS);
      headersAt.push(headerAt);
      filled = headerAt + length;
    }
    this.#version = new WeakRef(version);
    this.#from = from;
    this.#end = page;
    this.#filled = filled;
    this.#headersAt = headersAt;
  }
}
