/**
 * A fault: one thing that is broken on purpose, and what comes of it. This runs one, and gives
 * account of it.
 *
 * What holds for every fault is looked at here, so that a scenario says only how to break what:
 * nothing wrong is answered, nothing goes unanswered while zonecast itself runs, serials only
 * rise, and in the end zonecast serves what stands in the tables, and so does its secondary.
 */
import { assertEquals } from "@std/assert";
import { isBehind } from "../support/ixfr_client.ts";
import { interopTest, type Need } from "../support/interop.ts";
import type { Probe } from "../support/prober.ts";
import { Night, type NightOptions } from "./night.ts";
import type { Told } from "./told.ts";

export interface Fault {
  /** As FAULTS=… names it. */
  readonly name: string;
  /** A row of the table: what happens, in a few words. */
  readonly what: string;
  /**
   * Where it runs beside `make fault`: in `make test`, for seconds, or in continuous integration's
   * own step, in full; undefined: nowhere.
   */
  readonly also?: "test" | "ci";
  /** Whether zonecast itself is away for a while; then only is a question not answered. */
  readonly isAway?: boolean;
  /** Whether zonecast has no zone for a while: what it refuses then counts as not answered. */
  readonly losesZone?: boolean;
  /** Whether it mounts a file system; where that is not allowed it is left out, by name. */
  readonly needsRoot?: boolean;
  /** Programs it needs; where one is missing it is left out, by name. */
  readonly needs?: readonly Need[];
  readonly night?: NightOptions;
  run(night: Night): Promise<void>;
}

/** What a fault came to. */
export interface Account {
  readonly fault: Fault;
  readonly seconds: number;
  /** The other figures say nothing then. */
  readonly failure?: unknown;
  readonly probe?: Probe;
  /** How long until changes were live at the secondary, in ms. */
  readonly live: readonly LiveTime[];
  /** What the operator is told, in the order it was seen. */
  readonly told: readonly Told[];
}

/** How long one change took to be live. */
export interface LiveTime {
  /**
   * "during": committed and live while the fault lasted; "meanwhile": committed while it lasted,
   * the time is from its end; "afterwards": committed after it.
   */
  readonly when: "during" | "meanwhile" | "afterwards";
  readonly ms: number;
}

/**
 * Runs a fault, and judges it.
 *
 * @param full  in full, as `make fault` does; else for seconds
 * @throws {Error} what must not happen did
 */
export async function runFault(fault: Fault, full: boolean): Promise<Account> {
  const began = performance.now();
  await using night = await Night.begin(fault.night ?? {}, full);
  await fault.run(night);
  await night.settle();
  const seen = await night.prober.end();
  const probe = fault.losesZone ? withoutRefusals(seen) : seen;
  judge(fault, night, probe);
  const seconds = (performance.now() - began) / 1000;
  return { fault, seconds, probe, live: night.liveTimes, told: night.told };
}

/** The same with refusals among what was not answered. */
function withoutRefusals(probe: Probe): Probe {
  const bad = probe.bad.filter((answer) => !answer.includes('"rcode":"REFUSED"'));
  return { ...probe, bad, unanswered: probe.unanswered + probe.bad.length - bad.length };
}

function judge(fault: Fault, night: Night, { bad, unanswered, serials }: Probe): void {
  assertEquals(bad, [], "wrong answers");
  assertEquals(night.wrong, [], "what the secondary must never meet");
  if (!fault.isAway) assertEquals(unanswered, 0, "questions without an answer");
  for (const [i, serial] of serials.entries()) {
    if (i > 0 && !isBehind(serials[i - 1], serial)) throw new Error(`A serial fell: ${serials}`);
  }
}

/** Defines the tests of those faults that `make test` runs, for seconds each. */
export function faultTests(faults: readonly Fault[]): void {
  for (const fault of faults) {
    if (fault.also !== "test") continue;
    interopTest(`${fault.name}: ${fault.what}`, { needs: fault.needs }, async () => {
      await runFault(fault, false);
    });
  }
}
