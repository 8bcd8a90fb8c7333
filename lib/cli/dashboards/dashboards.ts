/** `zonecast dashboards`. */
import { defineCommand } from "../command.ts";
import { CommandError, EXIT, UsageError } from "../errors.ts";
import { optional } from "../flags.ts";
import { FILE } from "../forms.ts";
import { alertRules } from "./alerts.ts";
import { grafanaDashboard } from "./grafana.ts";

const FILES = {
  grafana: {
    name: "zonecast-dashboard.json",
    text: () => JSON.stringify(grafanaDashboard(), null, 2),
  },
  alerts: { name: "zonecast-alerts.yml", text: () => Array.from(alertRules()).join("\n") },
};

export const dashboards = defineCommand({
  name: "dashboards",
  summary: "print a dashboard for Grafana and alert rules for Prometheus",
  details: [
    "Both go with the metrics of `zonecast serve --http`. The dashboard asks for a Prometheus when " +
    "it is imported; the rules go into a file that prometheus.yml names under rule_files. Each " +
    "alert says what it means and what to do.",
  ],
  positionals: [
    {
      name: "WHAT",
      help: "grafana or alerts; left out with --out, both",
      optional: true,
      words: Object.keys(FILES),
    },
  ],
  flags: {
    out: optional(FILE, {
      help: `write ${FILES.grafana.name} and ${FILES.alerts.name} into this directory`,
      defaultText: "to standard output",
      env: false,
    }),
  },
  examples: [
    "dashboards grafana",
    "dashboards alerts",
    "dashboards --out /etc/prometheus/rules",
  ],
  async run({ args: [what], flags: { out } }, context) {
    if (what !== undefined && !Object.hasOwn(FILES, what)) {
      throw new UsageError(`dashboards: "${what}" is neither grafana nor alerts`);
    }
    if (what === undefined && out === undefined) {
      throw new UsageError("dashboards: which?", "say grafana or alerts, or --out DIR for both");
    }
    const wanted = what === undefined ? Object.values(FILES) : [FILES[what as keyof typeof FILES]];
    for (const { name, text } of wanted) {
      if (out === undefined) await context.print(`${text()}\n`);
      else {
        await write(`${out}/${name}`, `${text()}\n`);
        await context.print(`wrote ${out}/${name}\n`);
      }
    }
    return EXIT.GOOD;
  },
});

/** @throws {CommandError} the file cannot be written */
async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new CommandError(
      "file-unwritable",
      `Cannot write ${path}: ${error instanceof Error ? error.message : error}`,
      "the directory must exist, and be yours to write to",
      { cause: error },
    );
  }
}
