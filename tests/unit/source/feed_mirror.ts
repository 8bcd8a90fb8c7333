/**
 * A reader that follows the feed as the primary does, and keeps what it read:
 * after each read it must hold what the table holds.
 */
import { assert, assertEquals } from "@std/assert";
import type postgres from "postgres";
import { type Fields, type Logger, nullLogger } from "../../../lib/ops/mod.ts";
import type { OwnerScope, Reading, ReadRequest, Source } from "../../../lib/source/mod.ts";
import { openSource, type OpenSourceOptions, type WakeReason } from "../../../lib/source/mod.ts";
import { until } from "../../support/wait.ts";
import { formatRow } from "./watched_source.ts";

/** A read as the tests speak of it. */
export interface MirrorRead {
  readonly reading: Reading;
  /** "everything", or the owners by zone, sorted. */
  readonly scope: "everything" | Record<string, readonly string[] | "all">;
  /** Rows delivered. */
  readonly rows: number;
}

export class FeedMirror implements AsyncDisposable {
  readonly source: Source;
  readonly wakes: WakeReason[] = [];
  /** Why reads were of everything, as logged. */
  readonly reasons: string[] = [];
  cursor: string | undefined;
  fullReads = 0;
  partReads = 0;
  /** Rows by "zone owner". */
  readonly #rows = new Map<string, string[]>();

  constructor(url: string, options: Partial<OpenSourceOptions> = {}) {
    this.source = openSource(url, { log: this.#logger(), pollIntervalMs: 60_000, ...options });
    this.source.start((reason) => this.wakes.push(reason), () => {});
  }

  /** A mirror that has read once. */
  static async open(
    url: string,
    options: Partial<OpenSourceOptions> = {},
  ): Promise<FeedMirror> {
    const mirror = new FeedMirror(url, options);
    await mirror.up();
    await mirror.read();
    return mirror;
  }

  /** Takes what another one has read. */
  take(other: FeedMirror): void {
    for (const [key, rows] of other.#rows) this.#rows.set(key, rows);
  }

  async up(): Promise<void> {
    await until(() => this.source.link.up, {
      what: "the link is up",
      seen: () => this.source.link,
    });
  }

  /** Waits for a wake by the feed that comes after `seen` wakes. */
  async fed(seen: number): Promise<void> {
    await until(() => this.wakes.slice(seen).includes("feed"), {
      what: "a wake by the feed",
      intervalMs: 1,
    });
  }

  async read(request: Partial<ReadRequest> = {}): Promise<MirrorRead> {
    const fresh: [key: string, row: string][] = [];
    const reading = await this.source.read({
      cursor: this.cursor,
      everything: false,
      pending: new Map(),
      due: new Set(),
      ...request,
    }, (rows) => {
      for (const row of rows) fresh.push([`${row.zone} ${row.owner}`, formatRow(row)]);
    });
    this.#forget(reading.scope);
    for (const [key, row] of fresh) {
      const zone = key.slice(0, key.indexOf(" "));
      if (reading.scope !== "everything") {
        const owners = reading.scope.get(zone);
        assert(owners === "all" || owners?.has(key.slice(zone.length + 1)), `${key} unasked for`);
      }
      this.#rows.set(key, [...this.#rows.get(key) ?? [], row]);
    }
    this.cursor = reading.cursor;
    if (reading.scope === "everything") this.fullReads++;
    else this.partReads++;
    return { reading, scope: plainScope(reading.scope), rows: fresh.length };
  }

  /** The scope of a next read. */
  async scope(request: Partial<ReadRequest> = {}): Promise<MirrorRead["scope"]> {
    return (await this.read(request)).scope;
  }

  /** All rows, sorted. */
  get rows(): string[] {
    return [...this.#rows.values()].flat().sort();
  }

  /** The mirror holds what the table holds. */
  async assertEqual(sql: postgres.Sql): Promise<void> {
    assertEquals(this.rows, await tableRows(sql));
  }

  #forget(scope: Reading["scope"]): void {
    if (scope === "everything") return this.#rows.clear();
    for (const [zone, owners] of scope) {
      if (owners !== "all") { for (const owner of owners) this.#rows.delete(`${zone} ${owner}`); }
      else {
        for (const key of [...this.#rows.keys()]) {
          if (key.startsWith(`${zone} `)) this.#rows.delete(key);
        }
      }
    }
  }

  #logger(): Logger {
    const note = (message: string, fields?: Fields) => {
      if (message === "source read whole") this.reasons.push(String(fields?.reason));
    };
    return { ...nullLogger, debug: note };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.source.close();
  }
}

function plainScope(scope: Reading["scope"]): MirrorRead["scope"] {
  if (scope === "everything") return scope;
  const plain = (owners: OwnerScope) => owners === "all" ? owners : [...owners].sort();
  return Object.fromEntries([...scope].map(([zone, owners]) => [zone, plain(owners)]));
}

/** The table's rows as a mirror has them. */
export async function tableRows(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<
    { zone: string; name: string; type: string; ttl: number | null; content: string }[]
  >`
    select zone, name, type, ttl::float8 as ttl, content from zonecast.records
    where disabled is not true`;
  return rows.map((row) => formatRow(row)).sort();
}
