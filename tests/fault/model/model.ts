/** The model: what the tables hold, and what may be served for that. */
import { type Operation, RowIds, type Work, ZONES } from "./operation.ts";
import { ownerOf } from "./rows.ts";
import { Tables, touch, type Touched } from "./tables.ts";
import { type BadRows, judge, type Served, type Verdict } from "./verdicts.ts";
import { ZoneHistory } from "./zone_history.ts";

/** A transaction as the model has it, before it ends. */
export interface Draft {
  readonly work: Work;
  /** Statements to be run in it, and within it those of a savepoint that is rolled back. */
  readonly statements: readonly string[];
}

/** What is known to be served of every zone. */
export type Known = ReadonlyMap<string, Served | undefined>;

export class Model {
  tables = new Tables();
  readonly ids = new RowIds();
  /** Whether nothing was committed since the last settling. */
  isSettled = true;
  /** Set when what was written back may be of another time: before a restart, an outage. */
  mustTouch = true;
  /** The last transaction that was committed and touched something. */
  lastXid: string | undefined;
  /** Zones whose serial may rise although nothing else does. */
  readonly mayRise = new Set<string>();
  /** What was served when the state file was copied. */
  copied: Known | undefined;
  /** Zones that this state file has not published yet: till then problems of before it may stand. */
  readonly unpublished = new Set<string>();
  /** Zones that the guard holds: their changes may wait. */
  guarded = new Set<string>();
  /** The server's `--bad-rows`. */
  #badRows: BadRows = "keep";
  /** What a transaction added that goes on. */
  open: Work["added"] | undefined;
  readonly #histories = new Map(ZONES.map((zone) => [zone as string, new ZoneHistory(undefined)]));

  history(zone: string): ZoneHistory {
    return this.#histories.get(zone)!;
  }

  /** Performs operations on the tables as they are; those of `discarded` come to nothing. */
  draft(operations: readonly Operation[], discarded: readonly Operation[] = []): Draft {
    const work = this.#begin(this.tables);
    const middle = Math.ceil(operations.length / 2);
    for (const operation of operations.slice(0, middle)) operation.perform(work, this.ids);
    const inner = this.#begin(work.tables);
    for (const operation of discarded) operation.perform(inner, this.ids);
    const savepoint = inner.statements.length > 0
      ? ["savepoint here", ...inner.statements, "rollback to savepoint here"]
      : [];
    const before = work.statements.slice();
    work.statements.length = 0;
    for (const operation of operations.slice(middle)) operation.perform(work, this.ids);
    return { work, statements: [...before, ...savepoint, ...work.statements] };
  }

  #begin(tables: Tables): Work {
    return { tables, touched: new Map(), statements: [], added: [] };
  }

  /** What the open transaction comes to, now that it is committed. */
  closed(): Work {
    const work = this.#begin(this.tables);
    for (const { zone, row } of this.open ?? []) {
      work.tables = work.tables.withRow(zone, row);
      touch(work.touched, zone, [ownerOf(row.name, zone)]);
    }
    this.open = undefined;
    return work;
  }

  /** A transaction was committed. */
  committed({ tables, touched }: Work, xid: string | undefined): void {
    const before = this.tables;
    this.tables = tables;
    for (const zone of ZONES) {
      const rows = tables.zoneRows(zone);
      if (rows === before.zoneRows(zone)) continue;
      this.history(zone).committed(rows);
      if (before.has(zone) && tables.has(zone)) {
        const [was, is] = [before, tables].map((one) => one.settings(zone).serial_floor);
        if (is !== null && is !== was) this.mayRise.add(zone);
      }
    }
    this.isSettled = false;
    if (touched.size > 0 && xid !== undefined) this.lastXid = xid;
  }

  /** What is served is known again, and begins anew from there. */
  settled(known: Known): void {
    for (const zone of ZONES) {
      this.history(zone).known(known.get(zone));
      if (!this.mayShowOthers(zone, known.get(zone))) this.unpublished.delete(zone);
    }
    for (const zone of this.mayRise) {
      if (!this.history(zone).finals().some(({ held }) => held)) this.mayRise.delete(zone);
    }
    this.mustTouch = false;
    this.isSettled = true;
  }

  /** The server was started from another state file, in which `known` is served. */
  begunFrom(known: Known): void {
    for (const zone of ZONES) {
      this.history(zone).known(known.get(zone));
      this.history(zone).committed(this.tables.zoneRows(zone));
      this.mayRise.add(zone);
      this.unpublished.add(zone);
    }
    this.mustTouch = true;
    this.isSettled = false;
  }

  get badRows(): BadRows {
    return this.#badRows;
  }

  /** The server is started with another `--bad-rows`. */
  judgedBy(badRows: BadRows): void {
    if (badRows === this.#badRows) return;
    this.#badRows = badRows;
    for (const zone of ZONES) this.history(zone).judgedBy(badRows);
    this.mustTouch = true;
    this.isSettled = false;
  }

  /** @param before  what is served of the zone now */
  judge(zone: string, before: Served | undefined): Verdict {
    return judge(this.tables.zoneRows(zone), before, this.#badRows);
  }

  /**
   * Whether problems may stand that are not this state file's: another one told of them, and would
   * solve them. Once a zone is not held it is published above what that one gave it.
   */
  mayShowOthers(zone: string, known: Served | undefined): boolean {
    return this.unpublished.has(zone) && (!known || this.judge(zone, known).held);
  }

  /** All problems there must be. */
  problems(known: Known): Set<string> {
    const problems = new Set<string>();
    for (const zone of this.tables.names) {
      const verdict = this.judge(zone, known.get(zone));
      for (const one of verdict.problems) problems.add(one);
    }
    return problems;
  }
}

/** What is known to be served of every zone, now that all is settled. */
export function knownNow(model: Model): Map<string, Served | undefined> {
  return new Map(ZONES.map((zone) => [zone, model.history(zone).finals()[0].served]));
}

/**
 * The states that wait_live may answer, of a transaction that is the only one since a settling.
 *
 * @param mightRise  the zones whose serial might rise before it: a floor that was held back with
 *   its zone may be taken back
 */
export function expectedStates(
  model: Model,
  before: Served | undefined,
  mightRise: ReadonlySet<string>,
  zone: string,
  touched: Touched,
): string[] {
  const owners = touched.get(zone);
  if (!owners) return ["unchanged"];
  const verdict = model.judge(zone, before);
  const isHeld = owners === "all"
    ? verdict.heldOwners.size > 0
    : [...owners].some((owner) => verdict.heldOwners.has(owner));
  if (isHeld) return ["held"];
  const isNew = verdict.served?.text !== before?.text || model.mayRise.has(zone);
  const mayBeBad = model.mayShowOthers(zone, before) ||
    owners === "all" && verdict.badOwners.size > 0;
  const otherwise = verdict.held
    ? ["held"]
    : !isNew
    ? ["unchanged"]
    : verdict.served?.text === before?.text && mightRise.has(zone)
    ? ["live", "unchanged"]
    : ["live"];
  if (owners !== "all" && [...owners].some((owner) => verdict.badOwners.has(owner))) {
    // What the guard held before bad rows came is held on, and told of first.
    const mayBeHeld = verdict.held && model.badRows === "hold";
    return mayBeHeld ? ["bad_row", "held"] : ["bad_row"];
  }
  return mayBeBad ? ["bad_row", ...otherwise] : otherwise;
}
