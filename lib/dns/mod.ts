/**
 * Names, types, serials, records and RDATA: the vocabulary all other folders
 * share. Pure; imports nothing from the rest of the project.
 */
export { ZonecastError } from "./errors.ts";
export {
  canonicalKey,
  compareNames,
  equalNames,
  formatName,
  formatRelative,
  isSubdomain,
  isWildcard,
  labelCount,
  lowerName,
  lowerOctet,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  type Name,
  NameError,
  parentName,
  parseName,
  ROOT,
} from "./name.ts";
export { NameKey } from "./name_key.ts";
export {
  canonicalRdata,
  checkRdata,
  formatRdata,
  parseRdata,
  parseRdataTokens,
  type RdataName,
  rdataNames,
} from "./rdata.ts";
export { RdataError, type RdataErrorPlace } from "./rdata_error.ts";
export { readIpv4, readIpv6 } from "./rdata/addresses.ts";
export { decompressRdata } from "./rdata/decompress.ts";
export { MAX_RDATA_OCTETS } from "./rdata/octets.ts";
export { typesWithLayout } from "./rdata/table.ts";
export { CLASS_IN, compareOctets, equalOctets, MAX_TTL, type ResourceRecord } from "./record.ts";
export {
  addSerial,
  compareSerials,
  isAhead,
  isSerial,
  MAX_SERIAL_INCREMENT,
  type Serial,
} from "./serial.ts";
export { type Entry, readEntry, type Token, tokenize } from "./tokenizer.ts";
export { parseTtl, TtlError } from "./ttl.ts";
export { findTypeCode, isMetaType, MAX_TYPE, TYPE, typeCode, typeName } from "./types.ts";
