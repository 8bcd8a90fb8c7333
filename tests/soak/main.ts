/**
 * `make soak`: everything at once for a while, against the executable, and whether it stayed flat.
 *
 *   --duration=TIME  default 30m; at least 1m
 *   --seed=N         of the changes, questions and junk; the time if left out
 *   --svg=FILE       the plot; dist/soak.svg if left out
 *
 * Exit codes: 0 all good; 1 something was found, or a program it needs is not here; 2 usage.
 * A signal ends it early, with the report.
 */
import { parseArgs } from "@std/cli/parse-args";
import { parseDuration } from "../../lib/ops/mod.ts";
import { missing, type Need } from "../support/interop.ts";
import { processFigures } from "../support/process_figures.ts";
import { randomOf } from "../support/random.ts";
import { until } from "../support/wait.ts";
import { BulkChanges, CounterChanges, RowChanges, SettingChanges, ZoneChanges } from "./changes.ts";
import { HangingConnections, TcpJunk, UdpJunk } from "./junk.ts";
import { Findings, type Load, runLoad } from "./load.ts";
import { Outages } from "./outages.ts";
import { CounterQuestions, KnownQuestions, STEADY_ZONE } from "./questions.ts";
import { reportText, soakPlot } from "./report.ts";
import { type Sample, Sampler } from "./samples.ts";
import { BrokenTransfers, Follower, WholeTransfers } from "./transfers.ts";
import { flatness, type Verdict } from "./verdicts.ts";
import { BUSY_ZONE, compareAll, SETTINGS_ZONE, startWorld, type World } from "./world.ts";

const NEEDS: readonly Need[] = ["nsd", "knot", "dig", "compilezone"];
/** Where the plot goes unless told: not into the checkout. */
const PLOT = new URL("../../dist/soak.svg", import.meta.url).pathname;
const [DEFAULT_DURATION, LEAST_MS] = ["30m", 60_000];
/** Between two outages of Postgres, ms; shorter in a short soak, so that there are four. */
const OUTAGE_EACH_MS = 75_000;
/** Questions for an SOA that may get lost: UDP loses some where the machine stands still. */
const LOST_SHARE = 0.001;
/** How long connections may take to be gone when nobody keeps them, ms: idle ones 30 s. */
const SETTLED_MS = 60_000;

interface Options {
  readonly durationMs: number;
  readonly seed: number;
  readonly svg: string;
}

class UsageError extends Error {}

function options(args: readonly string[]): Options {
  const flags = parseArgs([...args], {
    string: ["duration", "seed", "svg"],
    unknown(argument) {
      throw new UsageError(`There is no ${argument}`);
    },
  });
  const durationMs = parseDuration(flags.duration ?? DEFAULT_DURATION);
  if (durationMs < LEAST_MS) throw new UsageError("A soak takes at least 1m");
  const seed = Number(flags.seed ?? Math.floor(Date.now() / 1000));
  if (!Number.isInteger(seed)) throw new UsageError(`The seed ${flags.seed} is no whole number`);
  return { durationMs, seed, svg: flags.svg ?? PLOT };
}

/** All loads; the followers among them also compare at the end. */
function loadsOf({ postgres, sql, changes, zonecast }: World, { durationMs, seed }: Options) {
  const outages = new Outages(postgres, Math.min(OUTAGE_EACH_MS, durationMs / 6));
  const counter = new CounterChanges(outages, sql, BUSY_ZONE);
  const random = randomOf(seed + 1);
  const followers = [
    new Follower(zonecast, BUSY_ZONE, 1_000),
    new Follower(zonecast, BUSY_ZONE, 15_000),
    new Follower(zonecast, SETTINGS_ZONE, 5_000),
  ];
  const loads: Load[] = [
    new RowChanges(outages, changes),
    counter,
    new BulkChanges(outages, sql, BUSY_ZONE),
    new SettingChanges(outages, sql, SETTINGS_ZONE),
    new ZoneChanges(outages, sql, zonecast),
    outages,
    new KnownQuestions(zonecast, random, { tcp: false, perTurn: 25, everyMs: 100 }),
    new KnownQuestions(zonecast, random, { tcp: true, perTurn: 3, everyMs: 200 }),
    new CounterQuestions(zonecast, counter, BUSY_ZONE),
    new WholeTransfers(zonecast, [BUSY_ZONE, STEADY_ZONE, SETTINGS_ZONE]),
    ...followers,
    new BrokenTransfers(zonecast, BUSY_ZONE),
    new UdpJunk(zonecast, seed + 2),
    new TcpJunk(zonecast, seed + 3),
    new HangingConnections(zonecast, seed + 4),
  ];
  return { loads, followers, outages };
}

/** What was there before the loads, and must be all there is when they are gone. */
async function restingDescriptors(world: World): Promise<number> {
  // The journal is opened when it is first needed.
  await new Follower(world.zonecast, BUSY_ZONE, 0).compare();
  return descriptorsOf(world);
}

function descriptorsOf({ zonecast }: World): number {
  if (zonecast.pid === undefined) throw new Error("zonecast has ended");
  return processFigures(zonecast.pid).descriptors;
}

/** Waits until descriptors are back; says how many there are when they are not. */
async function descriptorsBack(world: World, base: number): Promise<Verdict> {
  let seen = NaN;
  const isBack = () => (seen = descriptorsOf(world)) <= base;
  const what = "descriptors are back";
  const good = await until(isBack, { what, timeoutMs: SETTLED_MS, intervalMs: 250 })
    .catch(() => false);
  return { what: "descriptors when all are gone", seen: `${seen}`, bound: `${base}`, good };
}

/** The records compared at the end; what differs is a finding. */
async function compareEnds(
  world: World,
  followers: readonly Follower[],
  findings: Findings,
): Promise<number> {
  for (const each of followers) {
    await each.compare().catch((error) => findings.add(each.name, error));
  }
  return await compareAll(world).catch((error) => {
    findings.add("the zones at the end", error);
    return 0;
  });
}

function answerVerdicts({ asked, lost }: Sampler, findings: Findings): Verdict[] {
  return [
    {
      what: "SOA questions without an answer",
      seen: `${lost} of ${asked}`,
      bound: `${LOST_SHARE * 100} %`,
      good: asked > 0 && lost <= asked * LOST_SHARE,
    },
    {
      what: "wrong answers, errors, differences",
      seen: `${findings.count}`,
      bound: "0",
      good: findings.count === 0,
    },
  ];
}

/** The share of a core that zonecast used. */
function cpuShare(samples: readonly Sample[]): string {
  const [first, last] = [samples[0], samples[samples.length - 1]];
  if (first === last) return "?";
  return `${((last.cpuMs - first.cpuMs) / (last.at - first.at) / 10).toFixed(0)} %`;
}

async function plot(file: string, samples: readonly Sample[], outages: Outages, began: number) {
  if (samples.length < 2) return;
  const seconds = (ms: number) => (ms - began) / 1000;
  const spans = outages.spans.map(({ from, to }) => ({ from: seconds(from), to: seconds(to) }));
  await Deno.writeTextFile(file, soakPlot(samples, spans));
  console.log(`plotted: ${file}`);
}

async function soak(asked: Options, isOver: () => boolean): Promise<boolean> {
  console.log(`soak: ${asked.durationMs / 1000} s, seed ${asked.seed}`);
  await using world = await startWorld(randomOf(asked.seed));
  const base = await restingDescriptors(world);
  const findings = new Findings(performance.now());
  const { loads, followers, outages } = loadsOf(world, asked);
  const explains = () => outages.explains();
  const sampler = new Sampler(world.zonecast, `${STEADY_ZONE}.`, findings, explains);
  const end = findings.startedAt + asked.durationMs;
  const over = () => isOver() || performance.now() >= end;
  await Promise.all(loads.map((load) => runLoad(load, over, findings)));
  await sampler.close();
  const { samples, events } = sampler;
  const compared = await compareEnds(world, followers, findings);
  const verdicts = [
    ...flatness(samples),
    await descriptorsBack(world, base),
    ...answerVerdicts(sampler, findings),
  ];
  const heading = `soak: seed ${asked.seed}, ${samples.length} samples; zonecast used ${
    cpuShare(samples)
  } of a core; ${compared} records compared at the secondaries`;
  const rows = loads.map((load) => [load.name, load.summary()]);
  console.log(reportText({ heading, loads: rows, verdicts, events, findings: findings.text() }));
  await plot(asked.svg, samples, outages, findings.startedAt);
  return verdicts.every(({ good }) => good);
}

async function main(args: readonly string[]): Promise<number> {
  let asked: Options;
  try {
    asked = options(args);
  } catch (error) {
    console.error(`zonecast: ${error instanceof Error ? error.message : error}`);
    return 2;
  }
  const absent = NEEDS.map(missing).filter((reason) => reason !== undefined);
  if (absent.length > 0) {
    console.error(`zonecast: the soak needs programs that are not here: ${absent.join("; ")}`);
    return 1;
  }
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupted = true);
  }
  return await soak(asked, () => interrupted) ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
