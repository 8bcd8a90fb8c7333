/**
 * A zone version as a master file, in pieces fit for the control socket. Pure.
 */
import { formatName, type Name, type ResourceRecord } from "../dns/mod.ts";
import { printMasterFile, readOwners, type ZoneVersion } from "../zone/mod.ts";
import { recordJson } from "./json_output.ts";

/** Characters of a piece: small enough to send at once, large enough that few are needed. */
const PIECE_CHARACTERS = 64 * 1024;

/** The records of a version, the SOA first, in canonical order. */
export function* recordsOf(version: ZoneVersion): Generator<ResourceRecord> {
  yield version.soa;
  for (const owner of readOwners(version.pages)) yield* owner.records;
}

/** The master file of a version. */
export function* versionText(version: ZoneVersion): Generator<string> {
  const comments = [`${formatName(version.apex)} as published with serial ${version.serial}`];
  yield* inPieces(printMasterFile(version.apex, recordsOf(version), { comments }));
}

/** A version for programs: a JSON object, a record on each line. */
export function versionJson(version: ZoneVersion): Generator<string> {
  return inPieces(zoneJson(version.apex, version.serial, recordsOf(version)));
}

/** A zone for programs, in lines. */
export function* zoneJson(
  apex: Name,
  serial: number,
  records: Iterable<ResourceRecord>,
): Generator<string> {
  yield `{"zone": ${JSON.stringify(formatName(apex))}, "serial": ${serial}, "records": [`;
  let line: string | undefined;
  for (const record of records) {
    if (line !== undefined) yield `${line},`;
    line = `  ${JSON.stringify(recordJson(record))}`;
  }
  if (line !== undefined) yield line;
  yield "]}";
}

/** Lines put together into pieces, each line ended. */
export function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = "";
  for (const line of lines) {
    piece += line + "\n";
    if (piece.length >= PIECE_CHARACTERS) {
      yield piece;
      piece = "";
    }
  }
  if (piece !== "") yield piece;
}
