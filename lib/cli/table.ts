/** Tables and counts for people. Pure. */
import { escapeControls } from "../ops/mod.ts";

/** Rows under a head, in columns two blanks apart, each line ended. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((row) => row.map(escapeControls));
  const widths = head.map((_, column) =>
    lines.reduce((most, row) => Math.max(most, row[column].length), 0)
  );
  return lines.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd() + "\n"
  ).join("");
}

/** A number of things: "1 record", "2 records". */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
