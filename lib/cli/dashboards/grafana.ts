/** A dashboard for Grafana. Pure. */
import type { JsonObject } from "../../ops/mod.ts";
import { FIGURES, type Panel, PLOTS, type Query } from "./grafana_panels.ts";

/** As Grafana calls them. */
const UNITS = { seconds: "s", octets: "bytes", perSecond: "cps", number: "short" } as const;

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

function target({ expr, legend }: Query, index: number): JsonObject {
  const refId = String.fromCharCode(65 + index);
  return { datasource: DATASOURCE, expr, legendFormat: legend, refId };
}

function plot(panel: Panel, id: number, x: number, y: number): JsonObject {
  const scaleDistribution = panel.log ? { type: "log", log: 10 } : { type: "linear" };
  return {
    id,
    type: "timeseries",
    title: panel.title,
    description: panel.help,
    datasource: DATASOURCE,
    gridPos: { x, y, w: 12, h: 8 },
    fieldConfig: {
      defaults: {
        unit: UNITS[panel.unit],
        min: panel.log ? undefined : 0,
        custom: { scaleDistribution, fillOpacity: 8, showPoints: "never" },
      },
      overrides: [],
    },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
    targets: panel.queries.map(target),
  };
}

function figure(panel: Panel, id: number, x: number): JsonObject {
  const { warn, bad, low } = panel.figure!;
  const steps = low ? [{ color: "red", value: null }, { color: "green", value: warn }] : [
    { color: "green", value: null },
    { color: "yellow", value: warn },
    { color: "red", value: bad },
  ].filter(({ value }) => value !== Infinity);
  return {
    id,
    type: "stat",
    title: panel.title,
    description: panel.help,
    datasource: DATASOURCE,
    gridPos: { x, y: 0, w: 4, h: 4 },
    fieldConfig: {
      defaults: { unit: UNITS[panel.unit], thresholds: { mode: "absolute", steps } },
      overrides: [],
    },
    options: { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "value", graphMode: "none" },
    targets: panel.queries.map(target),
  };
}

/** The dashboard, as Grafana imports it. */
export function grafanaDashboard(): JsonObject {
  const figures = FIGURES.map((panel, i) => figure(panel, i + 1, i * 4));
  const plots = PLOTS.map((panel, i) =>
    plot(panel, FIGURES.length + i + 1, i % 2 * 12, 4 + Math.floor(i / 2) * 8)
  );
  return {
    title: "zonecast",
    uid: "zonecast",
    description: "A hidden primary for DNS: from the commit to the secondaries.",
    tags: ["dns", "zonecast"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    timezone: "browser",
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: {
      list: [
        { name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" },
        {
          name: "instance",
          type: "query",
          label: "Instance",
          datasource: DATASOURCE,
          query: "label_values(zonecast_build_info, instance)",
          refresh: 2,
          includeAll: true,
          multi: true,
          allValue: ".*",
          current: { text: "All", value: "$__all" },
        },
      ],
    },
    panels: [...figures, ...plots],
  };
}
