/** Whether two servers hold the same zone, record by record, told by a third program (BIND's). */
import { assertEquals } from "@std/assert";
import type { Server } from "./dns_client.ts";
import { canonicalLines, transferText, type TransferTool } from "./zone_text.ts";
import type { Zonecast } from "./zonecast.ts";

/** The zone as `zonecast export` prints it, in the spelling of {@link canonicalLines}. */
export async function exportLines(zonecast: Zonecast, zone: string): Promise<string[]> {
  return await canonicalLines(zone, await zonecast.mustCli(["export", zone]));
}

/** The zone as a transfer from a server brings it, in the same spelling. */
export async function serverLines(
  server: Server,
  zone: string,
  tool: TransferTool = "dig",
): Promise<string[]> {
  return await canonicalLines(zone, await transferText(tool, server, zone));
}

/** Types whose RDATA, but for numbers, is names. */
const NAMES_ONLY =
  /^\S+ \d+ (?:NS|CNAME|DNAME|PTR|MB|MG|MR|MINFO|MX|RP|AFSDB|RT|PX|KX|SRV|LP|SOA) /;

/** The line with the names in its RDATA in lower case, where RDATA is nothing else. */
function foldNames(line: string): string {
  const [head] = NAMES_ONLY.exec(line) ?? [line];
  return head + line.slice(head.length).toLowerCase();
}

/**
 * Fails unless a server holds exactly what zonecast exports.
 *
 * @param options.keepsCase  whether the server must also have the names in RDATA as we write them
 * @returns the number of records
 */
export async function assertSameZone(
  zonecast: Zonecast,
  server: Server,
  zone: string,
  options: { readonly keepsCase?: boolean } = {},
): Promise<number> {
  const [ours, theirs] = await Promise.all([
    exportLines(zonecast, zone),
    serverLines(server, zone),
  ]);
  const shown = (lines: string[]) => options.keepsCase ? lines : lines.map(foldNames);
  assertSameLines(shown(theirs), shown(ours));
  return ours.length;
}

/** As much of a difference as is shown, in lines. */
const SHOWN_LINES = 20;

/** Compares sorted lines and shows only those that differ: whole zones would hide them. */
export function assertSameLines(actual: readonly string[], expected: readonly string[]): void {
  const beyond = (lines: readonly string[], others: readonly string[]) => {
    const known = new Set(others);
    return lines.filter((line) => !known.has(line)).slice(0, SHOWN_LINES);
  };
  assertEquals(
    { unexpected: beyond(actual, expected), missing: beyond(expected, actual) },
    { unexpected: [], missing: [] },
  );
  assertEquals(actual.length, expected.length);
}
