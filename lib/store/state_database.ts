/**
 * The state file's content: what each operation of the store does in SQL.
 *
 * Owns: the connection. Synchronous; lives in the store's worker, tested without
 * one. Every writing operation is one transaction; when it throws, the file is
 * as before.
 */
import type { KnownProblem, Page } from "../zone/mod.ts";
import { DamagedRow } from "./columns.ts";
import { StateConnection } from "./connection.ts";
import { damaged, isDamage, type StateError, toStateError } from "./errors.ts";
import { GuardTable } from "./guard_table.ts";
import type { JournalBounds } from "./journal_bounds.ts";
import type { JournalPart } from "./journal_part.ts";
import { JournalRepair } from "./journal_repair.ts";
import { type JournalEnd, JournalTable } from "./journal_table.ts";
import { MetaTable } from "./meta_table.ts";
import { PageTable } from "./page_table.ts";
import { PendingTable } from "./pending_table.ts";
import { ProblemRows } from "./problem_rows.ts";
import { apexOf, journalTooLong, problemsDamaged } from "./problems.ts";
import { Publishing } from "./publishing.ts";
import type { StateHead, WireDiff, WireProgress, WirePublication, ZoneHead } from "./protocol.ts";
import {
  type GuardNote,
  type JournalEntry,
  type JournalFigures,
  MAX_DIFFERENCES_OCTETS,
} from "./state_store.ts";
import { type ZoneRow, ZoneRows } from "./zone_rows.ts";

/** How to open a state file. */
export interface StateDatabaseOptions {
  /** Absolute, symbolic links resolved; the lock is held unless read-only. */
  readonly path: string;
  readonly readOnly: boolean;
  readonly bounds: JournalBounds;
  /** Told of what was found wrong and put right. */
  readonly report: (problem: StateError) => void;
}

/** The open state file. */
export class StateDatabase {
  readonly path: string;
  readonly readOnly: boolean;
  readonly report: (problem: StateError) => void;
  readonly #connection: StateConnection;
  readonly #zones: ZoneRows;
  readonly #pages: PageTable;
  readonly #journal: JournalTable;
  readonly #repair: JournalRepair;
  readonly #meta: MetaTable;
  readonly #pending: PendingTable;
  readonly #guard: GuardTable;
  readonly #problems: ProblemRows;
  readonly #publishing: Publishing;
  /** Sum of the problems kept; undefined before it was read, or where they are not to be trusted. */
  #problemSum: string | undefined;

  /**
   * Opens a state file, made when it is not there and not read-only.
   *
   * @throws {StateError}
   */
  constructor({ path, readOnly, bounds, report }: StateDatabaseOptions) {
    this.path = path;
    this.readOnly = readOnly;
    this.report = report;
    try {
      this.#connection = new StateConnection(path, readOnly);
      const { db } = this.#connection;
      this.#zones = new ZoneRows(db);
      this.#pages = new PageTable(db);
      this.#journal = new JournalTable(db);
      this.#meta = new MetaTable(db);
      this.#pending = new PendingTable(db);
      this.#guard = new GuardTable(db);
      this.#problems = new ProblemRows(db);
      this.#publishing = new Publishing({
        path,
        bounds,
        zones: this.#zones,
        pages: this.#pages,
        journal: this.#journal,
      });
      this.#repair = new JournalRepair({
        connection: this.#connection,
        zones: this.#zones,
        journal: this.#journal,
        report,
      });
    } catch (error) {
      const failure = toStateError(error, path, readOnly ? "read" : "open");
      // SQLITE_ERROR: our statements do not fit the tables, so these are no longer ours.
      if (failure.errcode === 1) {
        throw damaged(path, `its tables are damaged (${messageOf(error)})`, error);
      }
      throw failure;
    }
  }

  /**
   * All that is stored, at one snapshot; verified: checksums, order, numbers of
   * pages and SOAs. A journal that does not end at its zone's SOA is dropped.
   *
   * @param deliver  called with pages in canonical order, zone by zone
   * @throws {StateError} "state-damaged" and others
   */
  load(deliver: (zone: number, pages: Page[]) => void): StateHead {
    return this.#run("read", () => {
      const broken: [zone: JournalEnd, what: string][] = [];
      const head = this.#connection.snapshot((): StateHead => {
        const zones: ZoneHead[] = [];
        for (const zone of this.#zones.all()) {
          const at = zones.length;
          this.#loadPages(zone, (pages) => deliver(at, pages));
          zones.push({ soa: zone.soa, publishedAt: zone.publishedAt });
          const problem = this.#journal.endProblem(zone);
          if (problem) broken.push([zone, problem]);
        }
        const { instance, cursor, zones: count, pending: sum, problems: kept } = this.#meta.read();
        if (zones.length !== count) {
          throw damaged(this.path, `it has ${zones.length} zones instead of ${count}`);
        }
        const { pending, sum: found } = this.#pending.read();
        if (found !== sum) throw damaged(this.path, "its pending owners are not those kept");
        const problems = this.#readProblems(kept);
        return { instance, cursor, pending, guard: this.#guard.read(), problems, zones };
      });
      for (const [zone, what] of broken) this.#repair.discard(zone, what);
      return head;
    });
  }

  /**
   * Makes publications durable, all or none, with the progress if it is given.
   *
   * @param octets  what their pages and differences take
   * @throws {StateError} "state-diverged": a version does not follow what is stored
   */
  publish(publications: readonly WirePublication[], progress?: WireProgress, octets = 0): void {
    this.#run("publish to", () => {
      const problems: StateError[] = [];
      this.#write(() => {
        for (const publication of publications) this.#publishing.publish(publication, problems);
        const isNew = publications.some(({ previousSerial }) => previousSerial === undefined);
        if (isNew) this.#meta.set({ zones: this.#zones.count() });
        if (progress) this.#keepProgress(progress);
      }, octets);
      for (const problem of problems) this.report(problem);
    });
  }

  /** Keeps the progress: cursor, pending owners, problems. */
  keepProgress(progress: WireProgress): void {
    this.#run("write to", () => this.#write(() => this.#keepProgress(progress)));
  }

  /** Keeps what the guard is to remember. */
  keepGuard(notes: readonly GuardNote[]): void {
    this.#run("write to", () => this.#write(() => this.#guard.keep(notes)));
  }

  /** Forgets a zone; one that is not there is no error. */
  removeZone(apexKey: string): void {
    this.#run("write to", () => {
      this.#write(() => {
        this.#zones.remove(apexKey);
        this.#guard.removeZone(apexKey);
        this.#meta.set({ zones: this.#zones.count() });
      });
    });
  }

  /** A zone's journal without its records, oldest first. */
  journal(apexKey: string, newest?: number): JournalEntry[] {
    return this.#run("read", () => {
      const zone = this.#zones.find(apexKey);
      return zone ? this.#journal.list(zone.zone, newest) : [];
    });
  }

  /** The journals of all zones together. */
  journalFigures(): JournalFigures {
    return this.#run("read", () => ({
      ...this.#journal.figures(),
      octets: this.#zones.journalOctets(),
    }));
  }

  /**
   * The differences from a serial to another, by default the stored one, oldest
   * first, verified; undefined when they are not all there. Rows found broken are
   * reported and, with all older ones, dropped; a damaged index is mended first.
   *
   * @throws {StateError} "journal-too-long"
   */
  differences(apexKey: string, fromSerial: number, toSerial?: number): WireDiff[] | undefined {
    return this.#run("read", () => {
      const [zone, part] = this.#findMended(apexKey, fromSerial, toSerial);
      if (zone && part?.kind === "long") {
        throw journalTooLong(this.path, zone.soa, part.octets, MAX_DIFFERENCES_OCTETS);
      }
      if (zone && part?.kind === "broken") {
        this.#repair.discard(zone, "a row is broken", part.at);
      }
      return part?.kind === "kept" ? part.diffs : undefined;
    });
  }

  #findMended(apexKey: string, fromSerial: number, toSerial?: number): [ZoneRow?, JournalPart?] {
    try {
      const found = this.#find(apexKey, fromSerial, toSerial);
      if (found[1]?.kind !== "index") return found;
    } catch (error) {
      if (!isDamage(error)) throw error; // what SQLite cannot read may be no more than the index
    }
    this.#repair.repair(apexKey);
    return this.#find(apexKey, fromSerial, toSerial);
  }

  #find(apexKey: string, fromSerial: number, toSerial?: number): [ZoneRow?, JournalPart?] {
    return this.#connection.snapshot(() => {
      const zone = this.#zones.find(apexKey);
      if (!zone) return [];
      if (fromSerial === (toSerial ?? zone.serial)) return [zone, { kind: "kept", diffs: [] }];
      const span = { fromSerial, toSerial, maxOctets: MAX_DIFFERENCES_OCTETS };
      return [zone, this.#journal.differences(zone, span)];
    });
  }

  /** Mends a zone's journal that was found damaged, and reports it: {@link JournalRepair.repair}. */
  repairJournal(apexKey: string): void {
    this.#run("repair the journal in", () => this.#repair.repair(apexKey));
  }

  /** Work for an idle moment. */
  tidy(): void {
    this.#run("tidy", () => this.#connection.tidy());
  }

  /** Checkpoints and closes. */
  close(): void {
    this.#run("close", () => this.#connection.close());
  }

  #run<T>(doing: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw toStateError(error, this.path, doing);
    }
  }

  /** One transaction. */
  #write(body: () => void, octets = 0): void {
    const sum = this.#problemSum;
    try {
      this.#connection.transaction(body, octets);
    } catch (error) {
      this.#pending.forget();
      this.#problemSum = sum;
      throw error;
    }
  }

  #keepProgress({ cursor, pending, guard = [], problems, instance }: WireProgress): void {
    const before = this.#problemSum;
    if (problems) this.#problemSum = this.#problems.change(problems, before);
    const sum = this.#problemSum === before ? undefined : this.#problemSum;
    const waiting = pending && this.#pending.replace(pending);
    this.#meta.set({ instance, cursor, pending: waiting, problems: sum });
    this.#guard.keep(guard);
  }

  /** The problems kept; damaged ones are dropped, and found again in the source. */
  #readProblems(sum: string | undefined): KnownProblem[] | undefined {
    try {
      const problems = this.#problems.read(sum);
      this.#problemSum = sum;
      return problems;
    } catch (error) {
      if (!(error instanceof DamagedRow)) throw error;
      this.report(problemsDamaged(this.path, error.message));
      return undefined;
    }
  }

  #loadPages(zone: ZoneRow, deliver: (pages: Page[]) => void): void {
    const sum = this.#pages.read(zone.zone, zone.apexKey, deliver);
    const { pages, checksum } = zone.sum;
    if (sum.pages === pages && sum.checksum === checksum) return;
    const what = sum.pages === pages
      ? "its SOA or pages are not those that were published"
      : `it has ${sum.pages} pages instead of ${pages}`;
    throw damaged(this.path, `zone ${apexOf(zone.soa)} is not whole: ${what}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
