/** The errors about one zone in the state file. Pure. */
import { formatName } from "../dns/mod.ts";
import { StateError } from "./errors.ts";
import { readSoa } from "./soa.ts";

/** The apex of a zone, as text, from its SOA record's octets. */
export function apexOf(soa: Uint8Array): string {
  return formatName(readSoa(soa).owner);
}

/** The error of a journal that is broken, or does not lead to its zone's SOA. */
export function journalDamaged(path: string, soa: Uint8Array, what: string): StateError {
  return new StateError(
    "journal-damaged",
    `The journal of zone ${apexOf(soa)} in state file "${path}" is damaged: ${what}`,
    path,
    "the zone itself is whole; secondaries behind that point get it by AXFR",
  );
}

/** The error of a journal whose rows are whole, but not the index by which they are found. */
export function indexDamaged(path: string, soa: Uint8Array, isMended: boolean): StateError {
  return new StateError(
    "journal-damaged",
    `The journal of zone ${
      apexOf(soa)
    } in state file "${path}" is whole, but its index by serial ` +
      (isMended ? "was damaged: it was written anew, and nothing was lost" : "is damaged"),
    path,
    isMended
      ? "nothing is to be done, unless it comes again: then see the kernel log, and move the file " +
        "to a sound disk"
      : "the server mends it when a secondary asks for IXFR",
  );
}

/** The error of too much asked for at once. */
export function journalTooLong(
  path: string,
  soa: Uint8Array,
  octets: number,
  maxOctets: number,
): StateError {
  return new StateError(
    "journal-too-long",
    `Cannot read the journal of zone ${apexOf(soa)} in state file "${path}" at once: ` +
      `${octets} octets are asked for, ${maxOctets} are read at most`,
    path,
    "ask for fewer versions",
  );
}

/** The error of a publication that does not follow what is stored. */
export function diverged(
  path: string,
  { soa, serial }: { readonly soa: Uint8Array; readonly serial: number },
  what: string,
): StateError {
  return new StateError(
    "state-diverged",
    `Cannot publish serial ${serial} of zone ${apexOf(soa)} to state file "${path}": ${what}`,
    path,
    "restart zonecast; it starts from what the file holds",
  );
}

/** The error of problems that are not those kept. */
export function problemsDamaged(path: string, what: string): StateError {
  return new StateError(
    "problems-damaged",
    `The list of bad rows in state file "${path}" is damaged: ${what}`,
    path,
    "the zones are whole; the list is made anew from the source, which is read whole",
  );
}
