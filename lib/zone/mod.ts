/** Zones: immutable versions made of pages, their differences and lookups. Pure. */
export { HEADER_OCTETS, type Page } from "./page.ts";
export {
  listRecords,
  NO_RECORDS,
  packRecords,
  readRecord,
  type RecordList,
  recordOctets,
  writeRecord,
} from "./record_list.ts";
export type { ZoneDiff } from "./zone_diff.ts";
export { soaMinimum, soaSerial, withSerial, ZoneVersion } from "./zone_version.ts";
export { ZoneTable } from "./zone_table.ts";
export { type MasterFile, type MasterFileOptions, readMasterFile } from "./master_file.ts";
export { formatProblem, MasterFileError, type MasterFileProblem } from "./master_file_error.ts";
export { type MasterFilePrintOptions, printMasterFile } from "./master_file_print.ts";
