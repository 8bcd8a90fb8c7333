/**
 * `make fault`: breaks everything on purpose, one thing after another, and ends with a table.
 *
 *   --faults=NAME,…  only these; `ci` stands for those of continuous integration's own step
 *   --markdown       the table once more, as the README has it
 *   --list           only the names
 *
 * Exit codes: 0 all as it must be; 1 something was not; 2 usage. A signal ends it early, with the
 * table of what was done.
 */
import { parseArgs } from "@std/cli/parse-args";
import { machine } from "../bench/machine.ts";
import { forgetProcesses } from "../support/processes.ts";
import { missing, showLogs } from "../support/interop.ts";
import { endWaits } from "../support/wait.ts";
import { type Account, type Fault, runFault } from "./fault.ts";
import { FAULTS } from "./faults.ts";
import { type Group, machineText, tableMarkdown, tableText, verdictText } from "./table.ts";

/** Stands for all faults of which {@link Fault.also} says "ci". */
const CI = "ci";

class UsageError extends Error {}

interface Options {
  readonly groups: readonly Group<Fault>[];
  readonly markdown: boolean;
  readonly list: boolean;
}

function options(args: readonly string[]): Options {
  const { faults, markdown, list } = parseArgs([...args], {
    string: ["faults"],
    boolean: ["markdown", "list"],
    unknown(argument) {
      throw new UsageError(`There is no ${argument}`);
    },
  });
  const names = new Set(faults?.split(",").filter((name) => name !== ""));
  const known = new Set([CI, ...FAULTS.flatMap(({ of }) => of.map(({ name }) => name))]);
  const [unknown] = names.difference(known);
  if (unknown) throw new UsageError(`There is no fault ${unknown}: --list shows their names`);
  const isWanted = ({ name, also }: Fault) =>
    names.size === 0 || names.has(name) || names.has(CI) && also === "ci";
  const mustRun = Deno.env.has("ZONECAST_REQUIRE_INTEROP");
  const isPossible = ({ name, needsRoot, needs = [] }: Fault) => {
    const [reason] = [
      ...needsRoot && Deno.uid() !== 0 ? ["only root may mount the small disk it needs"] : [],
      ...mustRun ? [] : needs.map(missing).filter((each) => each !== undefined),
    ];
    if (reason !== undefined) console.error(`left out: ${name}: ${reason}`);
    return reason === undefined;
  };
  const groups = FAULTS.map(({ title, of }) => ({
    title,
    of: of.filter((fault) => isWanted(fault) && isPossible(fault)),
  }));
  return { groups, markdown, list };
}

let interrupted = false;
/** What nobody caught while a fault ran. */
let uncaught: unknown;

async function account(fault: Fault): Promise<Account> {
  const began = performance.now();
  forgetProcesses();
  uncaught = undefined;
  try {
    const account = await runFault(fault, true);
    if (uncaught !== undefined) throw uncaught;
    return account;
  } catch (failure) {
    if (!interrupted) showLogs();
    return { fault, seconds: (performance.now() - began) / 1000, failure, live: [], told: [] };
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { groups, markdown, list } = options(args);
  if (list) {
    for (const { name, what } of groups.flatMap(({ of }) => of)) console.log(`${name}  ${what}`);
    return 0;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      interrupted = true;
      endWaits();
    });
  }
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    uncaught ??= event.reason;
  });
  const began = performance.now();
  const done: Group<Account>[] = [];
  for (const { title, of } of groups) {
    const accounts: Account[] = [];
    done.push({ title, of: accounts });
    for (const fault of of) {
      if (interrupted) break;
      accounts.push(await account(fault));
      console.log(verdictText(accounts[accounts.length - 1]));
    }
  }
  const all = done.flatMap(({ of }) => of);
  const failed = all.filter(({ failure }) => failure !== undefined);
  console.log(`\n${tableText(done)}\n\n${machineText(await machine())}`);
  if (markdown) console.log(`\n${tableMarkdown(done)}`);
  const took = Math.round((performance.now() - began) / 1000);
  console.log(`\n${all.length} faults in ${took} s, ${failed.length} failed`);
  for (const { fault } of failed) console.log(`FAILED: ${fault.name}`);
  return failed.length > 0 || interrupted ? 1 : 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`zonecast: ${error.message}`);
    Deno.exit(2);
  }
}
