/** What `zonecast held --json` tells of a running server, and approving it. */
import { assertEquals } from "@std/assert";
import { canonicalKey, parseName } from "../../lib/dns/mod.ts";
import type { HeldStatus } from "../../lib/cli/held_status.ts";
import { DEADLINE_MS, until } from "./wait.ts";
import type { Zonecast } from "./zonecast.ts";

/** What is held of a zone; undefined: nothing. */
export async function heldOf(zonecast: Zonecast, zone: string): Promise<HeldStatus | undefined> {
  const list: HeldStatus[] = JSON.parse(await zonecast.mustCli(["held", "--json"]));
  const key = canonicalKey(parseName(zone));
  return list.find((held) => canonicalKey(parseName(held.zone)) === key);
}

/** Waits until something of a zone is held, and is as wanted. */
export async function untilHeld(
  zonecast: Zonecast,
  zone: string,
  isWanted: (held: HeldStatus) => boolean = () => true,
  timeoutMs = DEADLINE_MS,
): Promise<HeldStatus> {
  let held: HeldStatus | undefined;
  return await until(async () => {
    held = await heldOf(zonecast, zone);
    return held && isWanted(held) && held;
  }, { what: `something of ${zone} is held`, timeoutMs, intervalMs: 50, seen: () => held });
}

/** Approves what is held of a zone by the command line; it must be released. */
export async function approveHeld(zonecast: Zonecast, { zone, id }: HeldStatus): Promise<void> {
  await zonecast.mustCli(["approve", zone, id]);
  await until(async () => (await heldOf(zonecast, zone))?.id !== id, {
    what: `${id} of ${zone} is held no more`,
  });
}

/** The lines of `zonecast export`, comments left out, of all but the SOA. */
export async function recordLines(zonecast: Zonecast, zone: string): Promise<string[]> {
  const text = await zonecast.mustCli(["export", zone]);
  return text.split("\n").filter((line) => line !== "" && !/^[;$]|\sSOA\s/.test(line));
}

/** How many owners a zone is served with. */
export async function ownersServed(zonecast: Zonecast, zone: string): Promise<number> {
  const lines = await recordLines(zonecast, zone);
  return new Set(lines.map((line) => line.split(/\s/)[0])).size;
}

/** Checks how many owners a zone is served with. */
export async function assertOwners(
  zonecast: Zonecast,
  zone: string,
  owners: number,
): Promise<void> {
  assertEquals(await ownersServed(zonecast, zone), owners, `owners of ${zone}`);
}
