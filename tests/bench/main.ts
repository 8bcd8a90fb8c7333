/**
 * `make bench`: measures zonecast and the servers beside it, prints a table, and JSON if asked.
 *
 *   --only=NAME,…   these scenarios; all if left out
 *   --peers=NAME,…  beside these peers, "none" for zonecast alone; all that are installed if left out
 *   --rounds=N      default 5; 1 in the short form
 *   --json=FILE     every sample, and what the table shows
 *   --svg=FILE      the plot of the scenario "growth"; dist/growth.svg if left out
 *   --quick         small zones, to see that everything works: the figures are no measurement
 *
 * Exit codes: 0 measured, whatever the goals; 1 a scenario failed, or content differed; 2 usage.
 */
import { parseArgs } from "@std/cli/parse-args";
import config from "../../deno.json" with { type: "json" };
import { BenchRun } from "./bench.ts";
import { compileClient } from "./client.ts";
import { growthPlot } from "./growth.ts";
import { type Machine, machine } from "./machine.ts";
import { PEERS } from "./peers/mod.ts";
import { isInstalled, type Peer, versionOf } from "./peers/peer.ts";
import { type PeerFact, reportJson, reportText } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { endWaits } from "../support/wait.ts";

const ROUNDS = 5;
/** Where the plot goes unless told: not into the checkout. */
const PLOT = new URL("../../dist/growth.svg", import.meta.url).pathname;

interface Options {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly json?: string;
  readonly svg: string;
  readonly quick: boolean;
}

class UsageError extends Error {}

function options(args: readonly string[]): Options {
  const flags = parseArgs(args, {
    string: ["only", "peers", "rounds", "json", "svg"],
    boolean: ["quick"],
    unknown(argument) {
      throw new UsageError(`There is no ${argument}`);
    },
  });
  const rounds = flags.rounds === undefined ? (flags.quick ? 1 : ROUNDS) : Number(flags.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError(`Cannot run ${flags.rounds} rounds`);
  }
  return {
    scenarios: chosen("scenario", SCENARIOS, flags.only),
    peers: flags.peers === "none" ? [] : chosen("peer", PEERS, flags.peers),
    rounds,
    json: flags.json,
    svg: flags.svg ?? PLOT,
    quick: flags.quick,
  };
}

/** Those of `all` that a list with commas names; all without a list. */
function chosen<T extends { readonly name: string }>(
  kind: string,
  all: readonly T[],
  list: string | undefined,
): readonly T[] {
  const names = list?.split(",").filter((name) => name !== "");
  const known = all.map(({ name }) => name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown) {
    throw new UsageError(`There is no ${kind} "${unknown}"; there are ${known.join(", ")}`);
  }
  return all.filter(({ name }) => names?.includes(name) ?? true);
}

async function factOf(peer: Peer): Promise<PeerFact> {
  const { name, package: debian, setup } = peer;
  const version = isInstalled(peer) ? await versionOf(peer) : undefined;
  return { name, package: debian, setup, version };
}

/** What a plot says it was measured on. */
function plotted({ cpu, cores }: Machine): string {
  const month = new Date().toISOString().slice(0, 7);
  return `${cpu}, ${cores} cores; zonecast ${config.version}, ${month}`;
}

async function measure({ scenarios, peers, rounds, json, svg, quick }: Options): Promise<number> {
  const facts = { machine: await machine(), peers: await Promise.all(peers.map(factOf)) };
  const failures: string[] = [];
  await using client = await compileClient();
  await using bench = new BenchRun({ rounds, quick, client, peers: peers.filter(isInstalled) });
  // What was measured till then is reported, and all directories go.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      bench.interrupted = true;
      endWaits(); // Ctrl-C has ended the servers, too: what they should do will not come
    });
  }
  for (const scenario of scenarios) {
    if (bench.interrupted) break;
    bench.progress(`${scenario.name}: ${scenario.title}`);
    try {
      if (!scenario.contenders) await bench.endContenders();
      await scenario.run(bench);
    } catch (error) {
      // Ctrl-C goes to the servers and clients too: how they then fail tells nothing.
      const cause = bench.interrupted ? new Error("interrupted") : error;
      bench.progress(`${scenario.name} failed: ${cause instanceof Error ? cause.stack : cause}`);
      failures.push(`${scenario.name}: ${cause instanceof Error ? cause.message : cause}`);
    }
  }
  const results = {
    ...facts,
    zonecast: config.version,
    rounds,
    quick,
    scenarios,
    samples: bench.recorded,
    goals: bench.goals,
    notes: bench.notes,
    failures,
  };
  console.log(reportText(results));
  if (json) await Deno.writeTextFile(json, reportJson(results));
  const plot = growthPlot(bench.recorded, plotted(facts.machine));
  if (plot) {
    await Deno.writeTextFile(svg, plot);
    bench.progress(`the plot is ${svg}`);
  }
  return failures.length > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  try {
    return await measure(options(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
