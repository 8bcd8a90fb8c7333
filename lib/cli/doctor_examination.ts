/** What examining a secondary takes, and how it is asked. */
import type { Finding, FindingVerdict, SocketAddress } from "../ops/mod.ts";
import type { Access, AskedServer, Asker, KeyRing, Secondary } from "../server/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { Progress } from "./progress.ts";

/** A zone as it is published here. */
export interface PublishedZone {
  /** Absolute. */
  readonly name: string;
  readonly serial: number;
  /** ms since the epoch; undefined where it is not known. */
  readonly publishedAt: number | undefined;
  /** Reads its version. */
  version(): Promise<ZoneVersion>;
}

/** What examining a secondary takes. */
export interface SecondaryExamination {
  readonly secondary: Secondary;
  readonly zones: readonly PublishedZone[];
  readonly asker: Asker;
  readonly keys: KeyRing;
  readonly access: Access;
  readonly progress: Progress;
  /** Names compared in a zone. */
  readonly sample: number;
  /** Questions a second. */
  readonly rate: number;
}

/** One of its servers as it is asked: with its key, from its local address. */
export function askedAt({ secondary, keys }: SecondaryExamination, to: SocketAddress): AskedServer {
  const key = secondary.keys.map((name) => keys.get(name)).find((each) => each !== undefined);
  return { ...to, key, via: secondary.via };
}

/** A finding about the secondary. */
export function finding(
  { secondary }: SecondaryExamination,
  check: string,
  verdict: FindingVerdict,
  text: string,
  fix?: string,
): Finding {
  return { check, subject: secondary.name, verdict, text, fix };
}
