/** Zones: immutable versions made of pages, their differences and lookups. Pure. */
export { changedRange } from "./changed_range.ts";
export { condense, reverseDiff, versionBefore } from "./condense.ts";
export {
  applyDiff,
  compareOwners,
  differenceOf,
  DiffError,
  diffVersions,
  firstVersion,
  getOwner,
  nextVersion,
} from "./diff.ts";
export {
  GUARDED_FROM,
  type GuardFigures,
  GuardJudge,
  type GuardLimits,
  type GuardRules,
  type GuardVerdict,
  type HeldRoom,
  type HoldReason,
} from "./guard.ts";
export { whyHeld } from "./guard_text.ts";
export { HeldOwners } from "./held_owners.ts";
export { type HeldPart, heldRemoval } from "./held_part.ts";
export { largeBuffer, releaseBuffers } from "./large_buffer.ts";
export type { AnswerRoom } from "./answer_read.ts";
export { type Lookup, lookupOwner } from "./lookup.ts";
export { equalRecords, normalizeOwner, type OwnerRecords } from "./owner_records.ts";
export { HEADER_OCTETS, type Page } from "./page.ts";
export { buildPages, MAX_BLOCK_OCTETS, recordFits } from "./page_build.ts";
export { editPages, type OwnerChange } from "./page_edit.ts";
export { RrsetPlace } from "./rrset_place.ts";
export { PageError } from "./page_error.ts";
export { readOwner, readOwners, readOwnersAfter } from "./page_read.ts";
export {
  listRecords,
  NO_RECORDS,
  packRecords,
  readRecord,
  type RecordList,
  recordOctets,
  writeRecord,
} from "./record_list.ts";
export type { DifferenceReader, Differences } from "./differences.ts";
export type { ZoneDiff } from "./zone_diff.ts";
export { soaExpire, soaMinimum, soaSerial, withSerial, ZoneVersion } from "./zone_version.ts";
export { ZoneTable } from "./zone_table.ts";
export { type MasterFile, type MasterFileOptions, readMasterFile } from "./master_file.ts";
export { formatProblem, MasterFileError, type MasterFileProblem } from "./master_file_error.ts";
export { type MasterFilePrintOptions, printMasterFile } from "./master_file_print.ts";
export {
  type BadRow,
  type GoodRow,
  readRow,
  refuseOwner,
  type RowText,
  type RowZone,
} from "./rows.ts";
export { raisedVersion, type RaiseStep, raiseStep, wouldBeLeftBehind } from "./raise.ts";
export { nextSerial, SERIAL_POLICIES, type SerialPolicy } from "./serial_policy.ts";
export { makeSoa, SoaError, type SoaSettings } from "./soa.ts";
export { equalSettings } from "./source_zones.ts";
export { type ReadScope, ZoneBuilds, type ZoneRow } from "./zone_builds.ts";
export {
  type BuildResult,
  type BuildRules,
  type BuildSettings,
  type ReadOwners,
  type SerialRules,
  ZoneBuild,
} from "./zone_build.ts";
export { BAD_ROWS, type BadRows } from "./checks.ts";
export { identityOf, isBadRow, type Problem, type Severity } from "./problem.ts";
export { type KnownProblem, ProblemChange, type ProblemEvent } from "./problem_change.ts";
export { ProblemTable } from "./problem_table.ts";
export { NOT_LISTED, type ProblemCount } from "./problem_tally.ts";
export {
  type AskSerials,
  incomparableProblem,
  jumpFloor,
  type SerialAnswers,
  SerialFloors,
} from "./serial_floor.ts";
