/** Whether two servers hold the same zone, record by record, told by a third program (BIND's). */
import { assertEquals } from "@std/assert";
import type { Server } from "./dns_client.ts";
import { until } from "./wait.ts";
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
 * The zone as a secondary has it at our serial, in the same spelling.
 *
 * A secondary may show a new serial and for a moment still serve the old zone elsewhere: at a
 * reload NSD's old process answers beside the new one. A transfer of another serial is asked for
 * again; what differs at the same serial is never waited for.
 *
 * @param ours  the lines of {@link exportLines}
 * @throws {Error} no transfer at our serial in time
 */
export async function secondaryLines(
  secondary: Server,
  zone: string,
  ours: readonly string[],
): Promise<string[]> {
  const serial = serialIn(ours);
  return await until(async () => {
    const lines = await serverLines(secondary, zone);
    return serialIn(lines) === serial && lines;
  }, { what: `a transfer of ${zone} at serial ${serial} from the secondary`, intervalMs: 50 });
}

function serialIn(lines: readonly string[]): string | undefined {
  const soa = lines.find((line) => / \d+ SOA /.test(line));
  return soa?.split(" ")[5];
}

/**
 * Fails unless a secondary holds exactly what zonecast exports.
 *
 * @param options.keepsCase  whether it must also have the names in RDATA as we write them
 * @returns the number of records
 */
export async function assertSameZone(
  zonecast: Zonecast,
  secondary: Server,
  zone: string,
  options: { readonly keepsCase?: boolean } = {},
): Promise<number> {
  const ours = await exportLines(zonecast, zone);
  const theirs = await secondaryLines(secondary, zone, ours);
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
