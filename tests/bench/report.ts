/** The results of a run as a table for people, and as JSON. Pure. */
import type { Note } from "./bench.ts";
import type { Machine } from "./machine.ts";
import type { JudgedGoal, Sample, Unit } from "./scenario.ts";
import { summarize, type Summary } from "./statistics.ts";

export interface PeerFact {
  readonly name: string;
  readonly package: string;
  /** undefined: it is not installed. */
  readonly version?: string;
  readonly setup: string;
}

export interface Results {
  readonly machine: Machine;
  readonly zonecast: string;
  readonly peers: readonly PeerFact[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly scenarios: readonly { readonly name: string; readonly title: string }[];
  readonly samples: readonly Sample[];
  readonly goals: readonly JudgedGoal[];
  readonly notes: readonly Note[];
  /** What failed: a scenario that threw, in words. */
  readonly failures: readonly string[];
}

/** All samples of one measurement of one server. */
export interface Row extends Summary {
  readonly what: string;
  readonly size?: number;
  readonly server: string;
  readonly unit: Unit;
  /** Its median ÷ zonecast's; undefined for zonecast itself and where it was not measured. */
  readonly ratio?: number;
}

const SUBJECT = "zonecast";

/** The rows of one scenario, in the order of their first samples. */
export function rowsOf(samples: readonly Sample[], scenario: string): Row[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    if (sample.scenario !== scenario) continue;
    const key = [sample.what, sample.size, sample.server].join("\0");
    groups.set(key, [...groups.get(key) ?? [], sample]);
  }
  const rows = [...groups.values()].map(([first, ...rest]) => ({
    what: first.what,
    size: first.size,
    server: first.server,
    unit: first.unit,
    ...summarize([first, ...rest].map(({ value }) => value)),
  }));
  return rows.map((row) => {
    const subject = rows.find(({ what, size, server }) =>
      server === SUBJECT && what === row.what && size === row.size
    );
    const ratio = subject && subject !== row && subject.median > 0
      ? row.median / subject.median
      : undefined;
    return { ...row, ratio };
  }).sort(byMeasurement(rows));
}

/** Rows of one measurement stand together; measurements stay in the order they were first made. */
function byMeasurement(rows: readonly Omit<Row, "ratio">[]) {
  const order = new Map<string, number>();
  const key = (row: Omit<Row, "ratio">) => `${row.what}\0${row.size}`;
  for (const row of rows) if (!order.has(key(row))) order.set(key(row), order.size);
  return (a: Row, b: Row) =>
    order.get(key(a))! - order.get(key(b))! ||
    Number(b.server === SUBJECT) - Number(a.server === SUBJECT);
}

function threeDigits(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** A value as people read it: 0.0123 s as "12.3 ms". */
export function format(value: number, unit: Unit): string {
  switch (unit) {
    case "s": {
      if (Math.abs(value) >= 1) return `${threeDigits(value)} s`;
      return Math.abs(value) >= 1e-3
        ? `${threeDigits(value * 1e3)} ms`
        : `${threeDigits(value * 1e6)} µs`;
    }
    case "octets": {
      if (value >= 2 ** 20) return `${threeDigits(value / 2 ** 20)} MiB`;
      return value >= 10_000 ? `${threeDigits(value / 1024)} KiB` : `${threeDigits(value)} octets`;
    }
    case "records/s":
    case "questions/s": {
      const what = unit === "records/s" ? "rec/s" : "q/s";
      if (value >= 1e6) return `${threeDigits(value / 1e6)} M ${what}`;
      return value >= 1e3
        ? `${threeDigits(value / 1e3)} k ${what}`
        : `${threeDigits(value)} ${what}`;
    }
    case "messages":
      return `${threeDigits(value)} messages`;
    case "ratio":
      return `${threeDigits(value)} ×`;
    case "count":
      return threeDigits(value);
  }
}

/** A number of records as people read it: "100k"; nothing for undefined. */
export function formatSize(size: number | undefined): string {
  if (size === undefined) return "";
  if (size % 1_000_000 === 0) return `${size / 1_000_000}M`;
  return size % 1000 === 0 ? `${size / 1000}k` : String(size);
}

/** Columns padded to their widest cell; the first `left` of them to the left. */
function columns(table: readonly (readonly string[])[], left: number): string[] {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return table.map((row) =>
    row.map((cell, column) =>
      column < left ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
    ).join("  ").trimEnd()
  );
}

function scenarioLines(results: Results, name: string): string[] {
  const rows = rowsOf(results.samples, name);
  if (rows.length === 0) return ["  (nothing was measured)"];
  const head = ["", "zone", "server", "median", "min", "max", "samples", "÷ zonecast"];
  let last = "";
  const cells = rows.map((row) => {
    const what = `${row.what}\0${row.size}`;
    const repeated = what === last;
    last = what;
    return [
      repeated ? "" : row.what,
      repeated ? "" : formatSize(row.size),
      row.server,
      ...[row.median, row.min, row.max].map((value) => format(value, row.unit)),
      String(row.count),
      row.ratio === undefined ? "" : threeDigits(row.ratio),
    ];
  });
  return columns([head, ...cells], 3).map((line) => `  ${line}`);
}

function goalLine(goal: JudgedGoal, { load, cores }: Machine): string {
  const relation = goal.atMost === undefined ? "≥" : "≤";
  const limit = goal.atMost ?? goal.atLeast;
  const bound = limit === undefined ? goal.bound : `${relation} ${format(limit, goal.unit)}`;
  const because = limit === undefined || goal.bound === "" ? "" : ` (${goal.bound})`;
  const value = goal.value === undefined ? "–" : format(goal.value, goal.unit);
  const unknown = `no cause is known; the load was ${
    load.toFixed(1)
  } on ${cores} cores at the start`;
  const reason = goal.verdict === "missed" ? `: ${goal.reason ?? unknown}` : "";
  return `  ${
    goal.verdict.toUpperCase().padEnd(12)
  }  ${goal.what}: ${value}, goal ${bound}${because}${reason}`;
}

/** A scenario's notes; one that was made several times stands once, with how often. */
function notesOf(notes: readonly Note[], scenario: string): string[] {
  const counts = new Map<string, number>();
  for (const note of notes) {
    if (note.scenario === scenario) counts.set(note.text, (counts.get(note.text) ?? 0) + 1);
  }
  return Array.from(counts, ([text, count]) => count === 1 ? text : `${text} (${count} times)`);
}

function machineLines({ machine, zonecast, peers, rounds, quick }: Results): string[] {
  const memory = `${(machine.memory / 2 ** 30).toFixed(1)} GiB`;
  return [
    `${machine.cpu}, ${machine.cores} cores, ${memory}; ${machine.system}, ${machine.kernel}; load ${
      machine.load.toFixed(2)
    } at the start`,
    `zonecast ${zonecast}; ${
      peers.filter(({ version }) => version).map(({ name, version }) => `${name} ${version}`)
        .join(", ") || "no peers"
    }`,
    ...peers.filter(({ version }) => !version).map((peer) =>
      `${peer.name} is missing (Debian: ${peer.package}), and is not measured`
    ),
    ...(machine.load > machine.cores
      ? ["the machine was busy with other work: the figures are worse than they need be, and noisy"]
      : []),
    `${rounds} round${rounds === 1 ? "" : "s"}, every server in turn within each${
      quick ? "; short form: small zones, the figures say little" : ""
    }`,
  ];
}

/** Everything for people to read, without a last line break. */
export function reportText(results: Results): string {
  const lines = [...machineLines(results)];
  for (const { name, title } of results.scenarios) {
    lines.push("", `${name}: ${title}`, ...scenarioLines(results, name));
    lines.push(...notesOf(results.notes, name).map((text) => `  ${text}`));
    for (const goal of results.goals) {
      if (goal.scenario === name) lines.push(goalLine(goal, results.machine));
    }
  }
  const count = (verdict: string) =>
    results.goals.filter((goal) => goal.verdict === verdict).length;
  lines.push(
    "",
    `goals: ${count("met")} met, ${count("missed")} missed, ${count("not measured")} not measured`,
  );
  for (const failure of results.failures) lines.push(`FAILED: ${failure}`);
  return lines.join("\n");
}

/** The same as JSON, with every sample. */
export function reportJson(results: Results): string {
  const scenarios = results.scenarios.map(({ name, title }) => ({
    name,
    title,
    rows: rowsOf(results.samples, name),
    goals: results.goals.filter(({ scenario }) => scenario === name),
    notes: notesOf(results.notes, name),
  }));
  return `${
    JSON.stringify({ ...results, goals: undefined, notes: undefined, scenarios }, null, 2)
  }\n`;
}
