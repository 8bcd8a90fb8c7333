/**
 * What a server says of itself, in class CH.
 *
 * Pure. Specs: RFC 4892 §2 (`id.server`, and the older names under `bind`; other
 * servers know `version.server` beside them, which no RFC names). What is not configured is refused, as a name in no zone is.
 */
import { formatName, lowerName, type Name } from "../dns/mod.ts";

/** What may be told. */
export interface Identity {
  /** `version.server`, `version.bind`. */
  readonly version?: string;
  /** `id.server`, `hostname.bind`. */
  readonly serverId?: string;
}

const TELLS: Readonly<Record<string, keyof Identity>> = {
  "version.server.": "version",
  "version.bind.": "version",
  "id.server.": "serverId",
  "hostname.bind.": "serverId",
};

/**
 * The TXT RDATA of a name in class CH, one character string; undefined when there
 * is nothing to tell there.
 */
export function chaosText(name: Name, identity: Identity): Uint8Array | undefined {
  const tells = TELLS[formatName(lowerName(name))];
  const text = tells && identity[tells];
  if (text === undefined) return undefined;
  const octets = new TextEncoder().encode(text);
  return Uint8Array.of(octets.length, ...octets);
}
