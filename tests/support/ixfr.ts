/** An IXFR answer as a client applies it, read by dns-packet. */
import type { Answer } from "dns-packet";
import { Buffer } from "node:buffer";

/** One difference sequence: records as text. */
export interface Sequence {
  readonly from: number;
  readonly to: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** A record as one comparable text. */
export function recordText(answer: Answer): string {
  const { name, type } = answer;
  const data = "data" in answer ? answer.data : null;
  const ttl = "ttl" in answer ? answer.ttl : "";
  const text = data instanceof Uint8Array
    ? Buffer.from(data).toString("hex")
    : JSON.stringify(data);
  return `${name} ${ttl} ${type} ${text}`;
}

function serialOf(answer: Answer | undefined): number | undefined {
  return answer?.type === "SOA" ? answer.data.serial : undefined;
}

/**
 * The sequences of an answer in incremental form (RFC 1995 §4).
 *
 * @throws {Error} the records are no such answer
 */
export function readSequences(answers: readonly Answer[]): Sequence[] {
  const newest = serialOf(answers[0]);
  const sequences: Sequence[] = [];
  const run = (from: number): [records: string[], next: number] => {
    let at = from;
    while (at < answers.length && answers[at].type !== "SOA") at++;
    return [answers.slice(from, at).map(recordText), at];
  };
  let at = 1;
  while (serialOf(answers[at]) !== newest) {
    const from = serialOf(answers[at]);
    const [removed, middle] = run(at + 1);
    const to = serialOf(answers[middle]);
    if (from === undefined || to === undefined) throw new Error(`No IXFR at record ${at}`);
    const [added, next] = run(middle + 1);
    sequences.push({ from, to, removed, added });
    at = next;
  }
  if (newest === undefined || at !== answers.length - 1) throw new Error("No IXFR answer");
  return sequences;
}

/**
 * The records after the sequences, applied as strictly as BIND does: what is
 * removed must be there, what is added must not.
 *
 * @throws {Error} a sequence does not fit
 */
export function applySequences(
  records: Iterable<string>,
  serial: number,
  sequences: readonly Sequence[],
): { records: Set<string>; serial: number } {
  const now = new Set(records);
  for (const { from, to, removed, added } of sequences) {
    if (from !== serial) throw new Error(`A sequence from ${from}, the client has ${serial}`);
    for (const record of removed) if (!now.delete(record)) throw new Error(`Not there: ${record}`);
    for (const record of added) {
      if (now.has(record)) throw new Error(`There already: ${record}`);
      now.add(record);
    }
    serial = to;
  }
  return { records: now, serial };
}
