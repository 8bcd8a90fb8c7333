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
import { Sampler } from "./samples.ts";
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

async function soak(asked: Options, isOver: () => boolean): Promise<boolean> {
  await using world = await startWorld(randomOf(asked.seed));
  const base = await restingDescriptors(world);
  const findings = new Findings(performance.now());
  const { loads, followers, outages } = loadsOf(world, asked);
  const sampler = new Sampler(
    world.zonecast,
    `${STEADY_ZONE}.`,
    findings,
    () => outages.explains(),
  );
  const end = findings.startedAt + asked.durationMs;
  const over = () => isOver() || performance.now() >= end;
  await Promise.all(loads.map((load) => runLoad(load, over, findings)));
  await sampler.close();
  let compared = 0;
  await compareAll(world).then((count) => compared = count)
    .catch((error) => findings.add("the zones at the end", error));
  for (const each of followers) {
    await each.compare().catch((error) => findings.add(each.name, error));
  }
  const { samples, asked: questions, lost } = sampler;
  const seconds = (performance.now() - findings.startedAt) / 1000;
  const verdicts: Verdict[] = [
    ...flatness(samples),
    await descriptorsBack(world, base),
    {
      what: "SOA questions without an answer",
      seen: `${lost} of ${questions}`,
      bound: `${LOST_SHARE * 100} %`,
      good: questions > 0 && lost <= questions * LOST_SHARE,
    },
    {
      what: "wrong answers, errors, differences",
      seen: `${findings.count}`,
      bound: "0",
      good: findings.count === 0,
    },
  ];
  const cpuMs = samples.length < 2 ? NaN : samples[samples.length - 1].cpuMs - samples[0].cpuMs;
  const heading = `soak: ${seconds.toFixed(0)} s, seed ${asked.seed}, zonecast used ${
    (cpuMs / asked.durationMs * 100).toFixed(0)
  } % of a core; ${compared} records compared with those of NSD and Knot`;
  const rows = loads.map((load) => [load.name, load.summary()]);
  const { events } = sampler;
  console.log(reportText({ heading, loads: rows, verdicts, events, findings: findings.text() }));
  if (samples.length >= 2) {
    const spans = outages.spans.map(({ from, to }) => ({
      from: (from - findings.startedAt) / 1000,
      to: (to - findings.startedAt) / 1000,
    }));
    await Deno.writeTextFile(asked.svg, soakPlot(samples, spans, `Seed ${asked.seed}.`));
    console.log(`plotted: ${asked.svg}`);
  }
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
