/** A source as tests see it: its wakes and link states kept, its reads collected. */
import { nullLogger } from "../../../lib/ops/mod.ts";
import {
  openSource,
  type OpenSourceOptions,
  type Reading,
  type Source,
  type SourceLink,
  type SourceRow,
  type WakeReason,
} from "../../../lib/source/mod.ts";
import { until } from "../../support/wait.ts";

export interface WatchedSource extends AsyncDisposable {
  readonly source: Source;
  readonly wakes: WakeReason[];
  readonly links: SourceLink[];
  /** Everything, sorted: "zone name TTL TYPE content". */
  read(): Promise<{ reading: Reading; rows: string[] }>;
  /** Waits for a wake that comes after `seen` wakes, of this reason if one is given. */
  woken(seen: number, reason?: WakeReason, timeoutMs?: number): Promise<void>;
  linkIs(up: boolean, timeoutMs?: number): Promise<void>;
}

export const EVERYTHING = {
  cursor: undefined,
  everything: true,
  pending: new Map(),
  due: new Set<string>(),
};

export function formatRow({ zone, name, ttl, type, content }: SourceRow): string {
  return `${zone} ${name} ${ttl ?? "-"} ${type} ${content}`;
}

export function watchSource(url: string, options: Partial<OpenSourceOptions> = {}): WatchedSource {
  const source = openSource(url, { log: nullLogger, ...options });
  const wakes: WakeReason[] = [];
  const links: SourceLink[] = [];
  source.start((reason) => wakes.push(reason), (link) => links.push(link));
  return {
    source,
    wakes,
    links,
    async read() {
      const rows: string[] = [];
      const reading = await source.read(EVERYTHING, (batch) => {
        rows.push(...batch.map(formatRow));
      });
      return { reading, rows: rows.sort() };
    },
    async woken(seen, reason, timeoutMs) {
      await until(
        () => reason ? wakes.slice(seen).includes(reason) : wakes.length > seen,
        {
          what: `a wake${reason ? ` by ${reason}` : ""}`,
          timeoutMs,
          intervalMs: 1,
          seen: () => wakes,
        },
      );
    },
    async linkIs(up, timeoutMs) {
      await until(() => source.link.up === up, {
        what: `the link is ${up ? "up" : "down"}`,
        timeoutMs,
        seen: () => source.link,
      });
    },
    [Symbol.asyncDispose]: () => source.close(),
  };
}
