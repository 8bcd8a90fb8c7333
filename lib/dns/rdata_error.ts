/** The error of everything that reads RDATA, as text or as octets. Pure. */
import { ZonecastError } from "./errors.ts";

/** Where in its text or its octets an RDATA is wrong. */
export interface RdataErrorPlace {
  /** Name of the field, as its RFC has it ("preference"). */
  readonly field?: string;
  /** The offending token, as written. */
  readonly token?: string;
  /** In text: UTF-16 units from its start. In wire format: octets from the RDATA's (or message's) start. */
  readonly offset?: number;
}

/** RDATA that is malformed, as text or as octets. */
export class RdataError extends ZonecastError {
  override readonly name = "RdataError";
  readonly field?: string;
  readonly token?: string;
  readonly offset?: number;

  constructor(
    code: string,
    message: string,
    hint?: string,
    place: RdataErrorPlace = {},
    options?: ErrorOptions,
  ) {
    super(code, message, hint, options);
    this.field = place.field;
    this.token = place.token;
    this.offset = place.offset;
  }
}
