/**
 * The whole server against a simple model: changes, kills, outages, lost and old state files, other
 * flags, what the guard holds, and operators' commands, in any order, by fast-check's commands.
 *
 * STEPS is how many, SEED another run of as many; of a failure fast-check prints seed, path and
 * replayPath: SEED=…, REPLAY=path[,replayPath] runs just that again, with the same STEPS. SHRINK is
 * how often a failing run is tried again with less in it; VERBOSE=1 prints every step.
 */
import fc from "fast-check";
import { interopTest } from "../../support/interop.ts";
import { startPostgres, type TestPostgres } from "../../support/postgres.ts";
import { within } from "../../support/wait.ts";
import { COMMANDS } from "./commands.ts";
import { Model } from "./model.ts";
import { ZONES } from "./operation.ts";
import { settle } from "./settle.ts";
import { BAD_ROWS } from "./verdicts.ts";
import { type Variant, World } from "./world.ts";
import { AddZone } from "./zone_operations.ts";

const STEPS = Number(Deno.env.get("STEPS") ?? 30);
/** Without one always the same, so that `make test` takes as long each time; `make model` draws one. */
const SEED = Number(Deno.env.get("SEED") ?? 65);
const [PATH, REPLAY] = (Deno.env.get("REPLAY") ?? "").split(",");
const SHRINK = Number(Deno.env.get("SHRINK") ?? 10);
/** Whether every step is printed, with its time. */
const VERBOSE = Deno.env.has("VERBOSE");
/** Steps on one state file and database, at most; half as many on average. */
const RUN_STEPS = Math.min(60, Math.ceil(STEPS / 2));
/** A step that takes longer hangs, in ms; what it waits for has a minute each. */
const STEP_LIMIT_MS = 150_000;
/** For a step on average, in ms: the whole is ended after that. */
const STEP_MS = 2_000;

const variants: fc.Arbitrary<Variant> = fc.record({
  serial: fc.constantFrom("unixtime", "increment", "date"),
  // The second serial of a zone is then beyond 2^32.
  serialFloor: fc.constantFrom(undefined, undefined, 4_294_967_290),
  minPublishInterval: fc.constantFrom("10ms", "30ms", "100ms"),
  condense: fc.constantFrom("on", "on", "off"),
  badRows: fc.constantFrom("keep", ...BAD_ROWS),
  records: fc.constantFrom("table", "table", "view"),
});

/** What was done, in all runs. */
class Tally {
  steps = 0;
  runs = 0;
  failures = 0;
  /** Runs since the first failure. */
  tries = 0;
  readonly byCommand = new Map<string, number>();
  readonly forms = { soa: 0, ixfr: 0, axfr: 0 };

  /** Whether all steps were done; one that failed is made smaller. */
  get isEnough(): boolean {
    return this.failures === 0 && this.steps >= STEPS;
  }

  /** Commands that count themselves. */
  count(command: fc.AsyncCommand<Model, World>): fc.AsyncCommand<Model, World> {
    return {
      check: (model) => !this.isEnough && command.check(model),
      run: async (model, world) => {
        this.steps++;
        const { name } = command.constructor;
        this.byCommand.set(name, (this.byCommand.get(name) ?? 0) + 1);
        const began = performance.now();
        await within(command.run(model, world), STEP_LIMIT_MS, `the step's end: ${command}`);
        if (VERBOSE) console.error(`${Math.round(performance.now() - began)} ms: ${command}`);
      },
      toString: () => command.toString(),
    };
  }

  ended({ secondary: { forms } }: World): void {
    this.runs++;
    for (const form of ["soa", "ixfr", "axfr"] as const) this.forms[form] += forms[form];
  }
}

/** One run: a database with two zones, the commands, and all compared once more. */
async function runCommands(
  postgres: TestPostgres,
  variant: Variant,
  commands: Iterable<fc.AsyncCommand<Model, World>>,
  tally: Tally,
): Promise<void> {
  await using world = await World.start(postgres, variant);
  const model = new Model();
  model.judgedBy(variant.badRows);
  const draft = model.draft([new AddZone(ZONES[0]), new AddZone(ZONES[1])]);
  model.committed(draft.work, await world.transact(draft.statements, "commit"));
  await settle(model, world);
  await fc.asyncModelRun(() => ({ model, real: world }), commands);
  await settle(model, world);
  tally.ended(world);
}

interopTest(
  `the server does what the model says: ${STEPS} steps, seed ${SEED}`,
  { limitMs: 120_000 + STEPS * STEP_MS },
  async () => {
    const tally = new Tally();
    const began = performance.now();
    await using postgres = await startPostgres();
    const commands = fc.commands(COMMANDS.map((one) => one.map((it) => tally.count(it))), {
      maxCommands: RUN_STEPS,
      size: "max",
      replayPath: REPLAY,
    });
    const property = fc.asyncProperty(variants, commands, async (variant, commands) => {
      if (tally.isEnough || tally.failures > 0 && tally.tries++ > SHRINK) return;
      try {
        await runCommands(postgres, variant, commands, tally);
      } catch (error) {
        tally.failures++;
        throw error;
      } finally {
        if (!postgres.alive) await postgres.start();
      }
    });
    try {
      await fc.assert(property, { seed: SEED, path: PATH, numRuns: STEPS, verbose: false });
    } finally {
      const seconds = Math.round((performance.now() - began) / 1000);
      console.log(
        `${tally.steps} steps in ${tally.runs} runs, ${seconds} s, seed ${SEED}; ` +
          `${JSON.stringify(Object.fromEntries(tally.byCommand))}; ` +
          `answers to IXFR: ${JSON.stringify(tally.forms)}`,
      );
    }
  },
);
