/** Postgres goes away and comes back, in one way after the other. */
import type { TestPostgres } from "../support/postgres.ts";
import { sleep } from "../support/wait.ts";
import type { Load } from "./load.ts";

/** How long it is away, ms. */
const AWAY_MS = 3_000;
/** How long it does not answer, ms: longer than zonecast takes to notice. */
const FROZEN_MS = 8_000;
/** For so long after an outage it explains errors, ms. */
const AFTERMATH_MS = 40_000;

/** Errors of a client whose server goes away: its own codes, the system's, and SQLSTATEs. */
const AWAY_CODES = new Set([
  ...["CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED", "CONNECT_TIMEOUT"],
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "UNKNOWN"],
  ...["57P01", "57P02", "57P03"],
]);

const KINDS = ["restarted", "killed", "frozen", "all sessions ended"] as const;

export class Outages implements Load {
  readonly name = "Postgres outages";
  /** Begin and end of each, ms of the monotonic clock. */
  readonly spans: { readonly from: number; to: number }[] = [];
  readonly #counts = new Map<string, number>();
  #turns = 0;

  constructor(readonly postgres: TestPostgres, readonly everyMs: number) {}

  async turn(): Promise<void> {
    // The first turn comes at the start, when there is nothing to disturb yet.
    if (this.#turns++ === 0) return;
    const kind = KINDS[(this.#turns - 2) % KINDS.length];
    const span = { from: performance.now(), to: Infinity };
    this.spans.push(span);
    await this.#make(kind);
    span.to = performance.now();
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  async #make(kind: typeof KINDS[number]): Promise<void> {
    const { postgres } = this;
    switch (kind) {
      case "restarted":
        await postgres.stop("fast");
        await sleep(AWAY_MS);
        return await postgres.start();
      case "killed":
        await postgres.kill9();
        return await postgres.start();
      case "frozen":
        postgres.freeze();
        await sleep(FROZEN_MS);
        return postgres.thaw();
      case "all sessions ended":
        await postgres.sql`select pg_terminate_backend(pid) from pg_stat_activity
          where pid <> pg_backend_pid() and backend_type = 'client backend'`;
    }
  }

  /** Whether what happens now may come of an outage. */
  explains(): boolean {
    const last = this.spans.at(-1);
    return last !== undefined && performance.now() < last.to + AFTERMATH_MS;
  }

  /** Whether an error is that of a client whose Postgres went away, as it did. */
  isAway(error: unknown): boolean {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return AWAY_CODES.has(code) && this.explains();
  }

  summary(): string {
    return [...this.#counts].map(([kind, count]) => `${count} × ${kind}`).join(", ") || "none";
  }
}
