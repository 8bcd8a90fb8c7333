/**
 * A zone version as a master file, in pieces fit for the control socket. Pure.
 */
import { formatName, type ResourceRecord } from "../dns/mod.ts";
import { printMasterFile, readOwners, type ZoneVersion } from "../zone/mod.ts";

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
