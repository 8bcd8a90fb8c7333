/**
 * What is published, for the doctor: by the running server, else from its state file.
 *
 * Reads; the state file is loaded only where no server runs.
 */
import { formatName, parseName } from "../dns/mod.ts";
import {
  askServer,
  ControlError,
  type Finding,
  parseSocketAddress,
  type SocketAddress,
} from "../ops/mod.ts";
import { openStateFile } from "../store/mod.ts";
import { readVersion } from "./history_parts.ts";
import type { ServerPaths } from "./live.ts";
import type { PublishedZone } from "./doctor_examination.ts";
import { zoneText } from "./forms.ts";
import { assembleReport, type StatusReport } from "./status_report.ts";

/** What is published, and by whom. */
export interface Published {
  readonly zones: readonly PublishedZone[];
  /** Where the running server listens; undefined when none runs. */
  readonly listen: readonly SocketAddress[] | undefined;
  /** Names of the running server's secondaries; undefined when none runs. */
  readonly secondaries: readonly string[] | undefined;
  /** The source's cursor in the state file; undefined where it has none; null: the server has it. */
  readonly cursor: string | undefined | null;
  readonly findings: readonly Finding[];
}

function found(
  verdict: Finding["verdict"],
  check: string,
  text: string,
  fix?: string,
): Finding {
  return { check, subject: "server", verdict, text, fix };
}

/** @throws {ControlError} a server runs and cannot answer */
export async function readPublished(paths: ServerPaths): Promise<Published> {
  try {
    const parts = askServer(paths.control, { command: "status" });
    return fromServer(paths, await assembleReport(parts));
  } catch (error) {
    if (!(error instanceof ControlError) || error.code !== "no-server") throw error;
    return await fromState(paths);
  }
}

/** What a running server tells of itself. Pure. */
export function serverFindings(report: StatusReport): Finding[] {
  const { server, problems, held } = report;
  const findings: Finding[] = [];
  findings.push(found("good", "running", `a server runs (process ${server!.pid})`));
  const { up, reason, failure, writeBackFailure, description, lastReadAt } = server!.source;
  const trouble = !up ? reason : failure;
  findings.push(
    trouble
      ? found(
        "bad",
        "source",
        `it cannot read ${description}: ${trouble}`,
        "see the source's findings",
      )
      : found(
        "good",
        "source",
        `it reads ${description}${lastReadAt ? `, last at ${lastReadAt}` : ""}`,
      ),
  );
  if (writeBackFailure) {
    findings.push(
      found(
        "bad",
        "write-back",
        `it cannot tell what became of changes: ${writeBackFailure}`,
        "zonecast schema apply --role ROLE grants what that takes",
      ),
    );
  }
  if (held.length > 0) {
    const some = held.slice(0, 3).map(({ zone, why }) => `${zone}: ${why}`).join("; ");
    findings.push(
      found(
        "warning",
        "held",
        `${held.length} ${held.length === 1 ? "change is" : "changes are"} held: ${some}`,
        "look at them: zonecast held; then zonecast approve ZONE ID, or mend the source",
      ),
    );
  }
  const bad = problems.filter(({ severity }) => severity === "error");
  if (bad.length > 0) {
    const some = bad.slice(0, 3).map(({ zone, name, reason }) => `${name || zone}: ${reason}`);
    findings.push(
      found(
        "warning",
        "problems",
        `${bad.length} ${bad.length === 1 ? "record is" : "records are"} not served ` +
          `as written: ${some.join("; ")}`,
        "mend them in the source: zonecast problems lists all",
      ),
    );
  }
  if (server!.unkept) {
    const { since, reason, hint } = server!.unkept;
    const fix = hint ?? "see its log: a restart would lose what was published since";
    findings.push(
      found("bad", "state", `since ${since} nothing is kept in the state file: ${reason}`, fix),
    );
  }
  return findings;
}

function fromServer(paths: ServerPaths, report: StatusReport): Published {
  const { server, zones } = report;
  return {
    zones: zones.map(({ zone, serial, publishedAt }) => ({
      name: zone,
      serial,
      publishedAt: publishedAt === undefined ? undefined : Date.parse(publishedAt),
      version: () =>
        readVersion(
          askServer(paths.control, { command: "version", zone: zoneText(parseName(zone)) }),
        ),
    })),
    listen: server!.listen.map((address) => parseSocketAddress(address)),
    secondaries: report.secondaries.map(({ name }) => name),
    cursor: null,
    findings: serverFindings(report),
  };
}

/** Whether the running server has the secondaries that these flags name; undefined: it has. */
export function flagsFinding(
  running: readonly string[] | undefined,
  named: readonly string[],
): Finding | undefined {
  if (!running) return undefined;
  const missing = running.filter((name) => !named.includes(name));
  const more = named.filter((name) => !running.includes(name));
  if (missing.length + more.length === 0) return undefined;
  const parts = [
    ...missing.length > 0 ? [`has ${missing.join(", ")}, which these flags do not name`] : [],
    ...more.length > 0 ? [`does not have ${more.join(", ")}`] : [],
  ];
  return found(
    "warning",
    "flags",
    `the running server ${parts.join(", and ")}`,
    "give doctor the server's own flags, by --flags-file or its environment; or restart it with " +
      "these",
  );
}

async function fromState({ control, state }: ServerPaths): Promise<Published> {
  const notRunning = `no server runs at ${control}`;
  const start = "start it: zonecast serve, with these flags";
  try {
    await Deno.stat(state);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const text = `${notRunning}, and there is no state file: nothing is published`;
    const findings = [found("warning", "running", text, start)];
    return { zones: [], listen: undefined, secondaries: undefined, cursor: undefined, findings };
  }
  const store = await openStateFile(state, { readOnly: true });
  try {
    const { zones, cursor } = await store.load();
    const text = `${notRunning}: what was published last is read from ${state}`;
    return {
      zones: zones.map(({ version, publishedAt }) => ({
        name: formatName(version.apex),
        serial: version.serial,
        publishedAt,
        version: () => Promise.resolve(version),
      })),
      listen: undefined,
      secondaries: undefined,
      cursor,
      findings: [found("warning", "running", text, start)],
    };
  } finally {
    await store.close();
  }
}
