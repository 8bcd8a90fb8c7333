/** What `--http` answers, and the metrics in it. */
import { run } from "./processes.ts";
import { until } from "./wait.ts";
import type { Zonecast } from "./zonecast.ts";

/** The flags of serve that have it listen for HTTP where the system likes. */
export const HTTP = ["--http", "127.0.0.1:0"];

/** Where a zonecast started with {@link HTTP} answers: `http://127.0.0.1:PORT`. */
export async function httpOf(zonecast: Zonecast): Promise<string> {
  const address = await until(() => {
    const lines = zonecast.log().matchAll(/event="listening for HTTP" address=(\S+)/g);
    return [...lines].at(-1)?.[1]; // it may have been started again
  }, { what: "zonecast listens for HTTP", seen: () => zonecast.log().slice(-4000) });
  return `http://${address}`;
}

/** A series: the metric's name and its labels, as they stand in the text. */
export type Series = ReadonlyMap<string, number>;

/** The samples of a scrape. @throws {Error} a line that is none */
export function readMetrics(text: string): Series {
  const series = new Map<string, number>();
  for (const line of text.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
    const sample = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line);
    if (!sample || Number.isNaN(Number(sample[2].replace("+Inf", "Infinity")))) {
      throw new Error(`no sample: ${line}`);
    }
    series.set(sample[1], Number(sample[2]));
  }
  return series;
}

/** The metrics of now, as they are answered. */
export async function metricsText(http: string): Promise<string> {
  return await (await fetch(`${http}/metrics`)).text();
}

/** The metrics of now. */
export async function metricsOf(http: string): Promise<Series> {
  return readMetrics(await metricsText(http));
}

/** The complaints of promtool about a text; empty when it has none. */
export async function promtoolComplaints(text: string): Promise<string> {
  const { code, stdout, stderr } = await run("promtool", ["check", "metrics"], { input: text });
  return code === 0 ? "" : stdout + stderr || `exit code ${code}`;
}
