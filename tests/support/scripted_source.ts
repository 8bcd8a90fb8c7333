/** A source that does as a test says, for driving the primary without a database. */
import type {
  Deliver,
  OwnerScope,
  Reading,
  ReadRequest,
  Source,
  SourceLink,
  SourceRow,
  WakeReason,
  ZoneSettings,
} from "../../lib/source/mod.ts";
import { ZONE_SETTINGS as SETTINGS } from "./zone_settings.ts";

/** A source whose rows, settings and failures the test sets; reads are of everything, or of what was touched. */
export class ScriptedSource implements Source {
  readonly description = "a script";
  readonly link = { up: true, since: 0, reason: undefined };
  rows: SourceRow[] = [{
    zone: "example.org",
    name: "@",
    type: "NS",
    ttl: null,
    content: "ns1",
  }];
  zones: ZoneSettings[] = [SETTINGS];
  failure: Error | undefined;
  reads = 0;
  /** Whether the last read was asked to be of everything. */
  everything = false;
  /** What the last read of a part was of. */
  scope: ReadonlyMap<string, OwnerScope> = new Map();
  /** The serials written back, by zone. */
  publishedSerials: Map<string, number> | undefined;
  /** Ids approved in the database, by zone; read once. */
  approvals: Map<string, string[]> | undefined;
  /** What the feed says was touched since the last read; undefined for a source without a feed. */
  touched: Map<string, OwnerScope> | undefined;
  wake: (reason: WakeReason) => void = () => {};
  changed: (link: SourceLink) => void = () => {};

  start(wake: (reason: WakeReason) => void, changed: (link: SourceLink) => void): void {
    this.wake = wake;
    this.changed = changed;
    wake("start");
  }

  async read(
    request: ReadRequest,
    deliver: Deliver,
  ): Promise<Reading> {
    this.reads++;
    this.everything = request.everything;
    if (this.failure) throw this.failure;
    const cursor = String(this.reads);
    const { zones, publishedSerials, approvals } = this;
    this.approvals = undefined;
    if (!this.touched || request.everything || request.cursor === undefined) {
      await deliver(this.rows, this.zones, true);
      return { cursor, zones, scope: "everything", publishedSerials, approvals };
    }
    const scope = withPending(this.touched, request);
    this.scope = scope;
    this.touched = new Map();
    const rows = this.rows.filter(({ zone, owner = "" }) => {
      const owners = scope.get(zone);
      return owners === "all" || owners?.has(owner);
    });
    await deliver(rows, this.zones, false);
    return { cursor, zones, scope, publishedSerials, approvals };
  }

  /** Sets an address as a source with a feed tells of it. */
  touch(name: string, address: string, zone = "example.org"): void {
    const owner = `${name}.${zone}.`;
    this.rows = this.rows.filter((row) => row.owner !== owner);
    this.rows.push({ zone, name, type: "A", ttl: null, content: address, owner });
    this.tell([[zone, new Set([owner])]]);
  }

  tell(touched: [zone: string, owners: OwnerScope][]): void {
    const all = new Map(this.touched ?? []);
    for (const [zone, owners] of touched) {
      const before = all.get(zone) ?? [];
      const isAll = owners === "all" || before === "all";
      all.set(zone, isAll ? "all" : new Set([...before, ...owners]));
    }
    this.touched = all;
    this.wake("feed");
  }

  set(name: string, address: string): void {
    this.rows = this.rows.filter((row) => row.name !== name);
    this.rows.push({ zone: "example.org", name, type: "A", ttl: null, content: address });
    this.wake("notification");
  }

  async close(): Promise<void> {}
}

/** As the source with a feed reads: what waits, where its zone was touched or is due. */
function withPending(
  touched: ReadonlyMap<string, OwnerScope>,
  { pending, due }: ReadRequest,
): Map<string, OwnerScope> {
  const scope = new Map(touched);
  for (const [zone, owners] of pending) {
    const before = scope.get(zone);
    if (before === undefined && !due.has(zone)) continue;
    const all = before === "all" || owners === "all";
    scope.set(zone, all ? "all" : new Set([...before ?? [], ...owners]));
  }
  return scope;
}
