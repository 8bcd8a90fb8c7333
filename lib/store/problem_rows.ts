/**
 * The problems there are, in the state file: so that they are known after a
 * restart, and since when they are there.
 *
 * Owns: prepared statements on the table `problem`. Synchronous; called within a
 * transaction or snapshot. Every row carries a CRC-32; their number and XOR stand
 * in `meta`.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { KnownProblem } from "../zone/mod.ts";
import { DamagedRow, integer, text } from "./columns.ts";
import type { WireProblems } from "./protocol.ts";
import { problemTexts } from "./wire_problems.ts";

/** Number and XOR of the checksums of rows. */
interface Sum {
  count: number;
  sum: number;
}

/** The sum of a table without rows. */
const NONE = "0 0";

export class ProblemRows {
  readonly #all: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #clear: StatementSync;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT id, checksum, problem FROM problem");
    this.#put = db.prepare("INSERT INTO problem (id, checksum, problem) VALUES (?, ?, ?)");
    this.#delete = db.prepare("DELETE FROM problem WHERE id = ? RETURNING checksum");
    this.#clear = db.prepare("DELETE FROM problem");
  }

  /**
   * The problems kept, by text.
   *
   * @param sum  as it stands in `meta`; undefined when none were ever kept
   * @throws {DamagedRow} they are not those kept
   */
  read(sum: string | undefined): KnownProblem[] | undefined {
    if (sum === undefined) return undefined;
    const problems: KnownProblem[] = [];
    const found = { count: 0, sum: 0 };
    for (const row of this.#all.iterate()) {
      const written = text(row, "problem");
      const sum = checksum(integer(row, "id"), written);
      if (integer(row, "checksum") !== sum) throw new DamagedRow("a problem is damaged");
      add(found, sum, 1);
      problems.push(JSON.parse(written)); // ours: its checksum is right
    }
    if (sumText(found) !== sum) throw new DamagedRow("its problems are not those kept");
    return problems;
  }

  /**
   * Changes what is kept.
   *
   * @param sum  as it stands in `meta`; undefined: what is there is not to be trusted
   * @returns the new one
   */
  change({ put, gone }: WireProblems, sum: string | undefined): string {
    if (sum === undefined) this.#clear.run();
    const [count, before] = (sum ?? NONE).split(" ").map(Number);
    const changed = { count, sum: before };
    for (const ids of [gone, put?.ids ?? []]) {
      for (const id of ids) {
        const row = this.#delete.get(id);
        if (row) add(changed, integer(row, "checksum"), -1);
      }
    }
    for (const [id, written] of problemTexts(put)) {
      const sum = checksum(id, written);
      this.#put.run(id, sum, written);
      add(changed, sum, 1);
    }
    return sumText(changed);
  }
}

function add(to: Sum, checksum: number, count: 1 | -1): void {
  to.count += count;
  to.sum = (to.sum ^ checksum) >>> 0;
}

function sumText({ count, sum }: Sum): string {
  return `${count} ${sum}`;
}

function checksum(id: number, written: string): number {
  return crc32(`${id} ${written}`);
}
