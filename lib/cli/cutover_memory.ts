/**
 * What runs of `zonecast cutover` remember of one another, in a file.
 *
 * That a step was done is seen; since when it is, only who looked before knows. Pure but for
 * reading and writing the file.
 */
import { isJsonObject, type JsonValue } from "../ops/mod.ts";
import type { CutoverFacts, CutoverMemory, OldServer } from "./cutover_facts.ts";
import { type CutoverOptions, stepsDone } from "./cutover_plan.ts";
import { CommandError } from "./errors.ts";

/** The memory with what is seen now. */
export function remember(
  before: CutoverMemory | undefined,
  facts: CutoverFacts,
  old: readonly OldServer[],
  options: CutoverOptions,
): CutoverMemory {
  const { now, zone, parent } = facts;
  const done = stepsDone(facts, options);
  const seen: Record<string, number> = {};
  // What is undone again has not been seen.
  for (const [id, isDone] of Object.entries(done)) if (isDone) seen[id] = before?.seen[id] ?? now;
  const oldTtls = facts.old.map(({ nameServers }) => nameServers?.ttl ?? 0);
  const oldTtl = Math.max(0, ...oldTtls);
  const ttls = done.switch ? [] : parent.map(({ delegation }) => delegation?.ttl ?? 0);
  return {
    zone,
    startedAt: before?.startedAt ?? now,
    old,
    oldTtlBefore: Math.max(before?.oldTtlBefore ?? 0, oldTtl),
    oldTtl: oldTtl > 0 ? oldTtl : before?.oldTtl ?? 0,
    parentTtl: Math.max(before?.parentTtl ?? 0, ...ttls),
    dsTtl: Math.max(
      before?.dsTtl ?? 0,
      ...parent.map(({ ds, dsTtl }) => ds.length > 0 && !done.dnssec ? dsTtl : 0),
    ),
    seen,
  };
}

/** The memory in a file; undefined when there is none. @throws {CommandError} it is none of ours */
export async function readMemory(path: string, zone: string): Promise<CutoverMemory | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw unusable(path, error instanceof Error ? error.message : String(error));
  }
  const memory = parseMemory(text);
  if (!memory) throw unusable(path, "it is no plan of zonecast's");
  if (memory.zone !== zone) throw unusable(path, `it is the plan of ${memory.zone}`);
  return memory;
}

/** @throws {CommandError} the file cannot be written */
export async function writeMemory(path: string, memory: CutoverMemory): Promise<void> {
  try {
    // Whole or not at all: what was seen when cannot be seen again.
    await Deno.writeTextFile(`${path}.new`, JSON.stringify(memory, null, 2) + "\n");
    await Deno.rename(`${path}.new`, path);
  } catch (error) {
    throw unusable(path, error instanceof Error ? error.message : String(error));
  }
}

/** The memory that a text is; undefined when it is none. */
export function parseMemory(text: string): CutoverMemory | undefined {
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || !isJsonObject(value.seen) || !Array.isArray(value.old)) {
    return undefined;
  }
  const numbers = [
    value.startedAt,
    value.oldTtlBefore,
    value.oldTtl,
    value.parentTtl,
    value.dsTtl,
    ...Object.values(value.seen),
  ];
  const isWhole = typeof value.zone === "string" && numbers.every(Number.isFinite) &&
    value.old.every((each) =>
      isJsonObject(each) && typeof each.name === "string" && typeof each.ip === "string" &&
      Number.isInteger(each.port)
    );
  return isWhole ? value as unknown as CutoverMemory : undefined;
}

function unusable(path: string, why: string): CommandError {
  return new CommandError(
    "plan-file",
    `The plan file ${path} cannot be used: ${why}`,
    "name another with --plan",
  );
}
