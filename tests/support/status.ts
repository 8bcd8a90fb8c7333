/** What `zonecast status --json` tells of a running server. */
import type { StatusReport } from "../../lib/cli/status_report.ts";
import { DEADLINE_MS, until } from "./wait.ts";
import type { Zonecast } from "./zonecast.ts";

/** The report of now. */
export async function statusOf(zonecast: Zonecast): Promise<StatusReport> {
  return JSON.parse(await zonecast.mustCli(["status", "--json"]));
}

/** Waits until the report is as wanted. Returns it. */
export async function untilStatus(
  zonecast: Zonecast,
  what: string,
  isWanted: (report: StatusReport) => boolean,
  timeoutMs = DEADLINE_MS,
): Promise<StatusReport> {
  let report: StatusReport | undefined;
  return await until(async () => {
    report = await statusOf(zonecast);
    return isWanted(report) && report;
  }, { what: `status shows: ${what}`, timeoutMs, intervalMs: 250, seen: () => report });
}
