/**
 * A process for the store's tests: opens a state file and, asked to, publishes
 * without end until it is killed.
 *
 * deno run publisher.ts FILE hold|publish [JOURNAL-MAX-OCTETS]
 *
 * Writes "open" when the file is open, and each serial once it is durable. The
 * zone's page n % PAGES holds the last serial n that wrote it; see {@link pageAt}.
 */
import { openStateFile, type PendingOwners, type Progress } from "../../../lib/store/mod.ts";
import type { Page, ZoneVersion } from "../../../lib/zone/mod.ts";
import { aRecord, firstVersion, nextVersion, pageOf, progress } from "./zones.ts";

export const APEX = "example.";
/** Pages of the zone. */
export const PAGES = 7;
/** The zone's first serial. */
export const FIRST_SERIAL = 100;

/** Page `index` of the version `serial`; its octets say which serial wrote it. */
export function pageAt(index: number, serial: number): Page {
  const age = (((serial - index) % PAGES) + PAGES) % PAGES;
  const writtenAt = Math.max(serial - age, FIRST_SERIAL);
  const page = pageOf([aRecord(`h${index}.${APEX}`, writtenAt)]);
  // Long enough that one commit writes many database pages.
  return { ...page, block: new Uint8Array(20_000 + writtenAt % 5000).fill(writtenAt) };
}

/** What is pending with the version `serial`: now more, now less, now nothing. */
export function pendingAt(serial: number): PendingOwners {
  const owners = Array.from({ length: serial % 4 }, (_, n) => `o${(serial + n) % 5}.${APEX}`);
  const zones: [string, ReadonlySet<string> | "all"][] = [];
  if (owners.length > 0) zones.push(["example", new Set(owners)]);
  if (serial % 3 === 0) zones.push(["other", "all"]);
  return new Map(zones);
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function progressAt(serial: number): Progress {
  return progress(`cursor ${serial}`, pendingAt(serial));
}

async function publishForever(path: string, journalMaxOctets?: number): Promise<void> {
  const store = await openStateFile(path, { journalMaxOctets });
  const { zones } = await store.load();
  let version: ZoneVersion;
  if (zones.length === 0) {
    const pages = Array.from({ length: PAGES }, (_, index) => pageAt(index, FIRST_SERIAL));
    const first = firstVersion(APEX, FIRST_SERIAL, pages);
    await store.publish([first], progressAt(FIRST_SERIAL));
    version = first.version;
    say(String(version.serial));
  } else {
    version = zones[0].version;
  }
  say("open");
  while (true) {
    const serial = version.serial + 1;
    const pages = [...version.pages];
    pages[serial % PAGES] = pageAt(serial % PAGES, serial);
    const next = nextVersion(version, serial, pages, { added: [aRecord(`n.${APEX}`, serial)] });
    await store.publish([next], progressAt(serial));
    say(String(serial));
    version = next.version;
  }
}

if (import.meta.main) {
  const [path, duty, octets] = Deno.args;
  if (duty === "publish") await publishForever(path, octets ? Number(octets) : undefined);
  else {
    await openStateFile(path);
    say("open"); // its worker keeps this process alive, and the lock held
  }
}
