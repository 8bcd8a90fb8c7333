/** Messages as octets: reading what strangers send, writing answers, framing for TCP. Pure. */
export * from "./codes.ts";
export { cookieAge, hasServerCookie, isCookieLength, makeCookie } from "./cookie.ts";
export * from "./framing.ts";
export * from "./message.ts";
export * from "./message_writer.ts";
export { MAX_POINTER, NameWriter } from "./name_writer.ts";
export { type NameAt, readName } from "./name_reader.ts";
export type { Edns, EdnsOption } from "./opt_record.ts";
export type { Question } from "./record_reader.ts";
export { readRemains, type Remains } from "./remains.ts";
export { isAuthoritative, isTruncated, readResponse, type Response } from "./response.ts";
export { readSoaResponse, type SoaResponse } from "./soa_response.ts";
export { SIPHASH_KEY_OCTETS } from "./siphash.ts";
export * from "./tsig.ts";
export * from "./tsig_key.ts";
export { findTsig, readTsig, type TsigFields } from "./tsig_record.ts";
export { WireError, type WireErrorCode } from "./wire_error.ts";
