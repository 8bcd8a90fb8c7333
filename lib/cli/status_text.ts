/** What `zonecast status` tells, in tables for people. Pure. */
import { escapeControls, formatAge, formatSize } from "../ops/mod.ts";
import { rcodeName } from "../wire/mod.ts";
import { heldTable } from "./held_status.ts";
import type {
  JournalStatus,
  LoadStatus,
  NotifyStatus,
  SecondaryZoneStatus,
  ServerStatus,
  StatusReport,
  TransferStatus,
} from "./status_report.ts";
import { count, table } from "./table.ts";

/**
 * The report for people.
 *
 * @param now  ms since the epoch
 */
export function renderReport(report: StatusReport, now: number): string {
  const { server, zones, secondaries, problems, held } = report;
  const blocks: string[] = [];
  if (server) blocks.push(renderServer(server, now));
  if (zones.length === 0) blocks.push("no zone is served\n");
  else {
    const rows = zones.map((zone) => [
      zone.zone,
      String(zone.serial),
      String(zone.records),
      formatSize(zone.octets),
      ago(zone.publishedAt, now),
    ]);
    blocks.push(table(["ZONE", "SERIAL", "RECORDS", "SIZE", "PUBLISHED"], rows));
  }
  if (secondaries.length > 0) {
    const rows = secondaries.flatMap(({ name: bare, keys = [], notify, zones }) => {
      const name = keys.length > 0 ? `${bare} (key ${keys.join(", ")})` : bare;
      return zones.length === 0
        ? [[name, "-", "-", "-", notify ? "none yet" : "off", "none yet"]]
        : zones.map((entry) => [
          name,
          entry.zone,
          renderState(entry, now),
          entry.serial === undefined ? "-" : String(entry.serial),
          notify ? renderNotify(entry.notify, now) : "off",
          renderTransfer(entry.transfer, now),
        ]);
    });
    blocks.push(table(["SECONDARY", "ZONE", "STATE", "SHOWS", "NOTIFY", "TRANSFER"], rows));
  }
  if (problems.length > 0) {
    const rows = problems.map(({ zone, severity, name, type, reason }) => [
      zone,
      [name, type].filter(Boolean).join(" ") || "-",
      severity === "warning" ? `warning: ${reason}` : reason,
    ]);
    blocks.push(table(["ZONE", "ROW", "PROBLEM"], rows));
  }
  if (held.length > 0) blocks.push(heldTable(held, now));
  return blocks.join("\n");
}

function renderServer(
  { version, pid, startedAt, listen, listenTls = [], loopDelay, source, unkept, journal, load }:
    ServerStatus,
  now: number,
): string {
  const link = source.up
    ? `connected for ${age(source.since, now)}`
    : `DOWN for ${age(source.since, now)}${
      source.reason ? `: ${escapeControls(source.reason)}` : ""
    }`;
  const { full, feed } = source.reads;
  const reads = `reads since the start: ${full} of everything, ${feed} of what the feed named\n`;
  const failure = source.up && source.failure && !unkept
    ? `last read FAILED: ${escapeControls(source.failure)}\n`
    : "";
  const nothing = unkept ? renderUnkept(unkept, now) : "";
  const late = loopDelay
    ? `event loop late by at most ${loopDelay.longestMs} ms in the last 10 s\n`
    : "";
  const told = source.writeBackFailure
    ? `writing back FAILED: ${escapeControls(source.writeBackFailure)}\n`
    : "";
  return `zonecast ${version}, process ${pid}, up ${age(startedAt, now)}, on ${
    [...listen, ...listenTls.map((address) => `${address} (TLS)`)].join(", ")
  }\n` +
    `source ${source.description}: ${link}\n${reads}${nothing}${failure}${told}${late}` +
    (journal ? renderJournal(journal, now) : "") +
    (load ? renderLoad(load) : "");
}

function renderUnkept(
  { since, reason, hint }: NonNullable<ServerStatus["unkept"]>,
  now: number,
): string {
  return `publishing NOTHING for ${age(since, now)}: ${escapeControls(reason)}\n` +
    (hint ? `  hint: ${escapeControls(hint)}\n` : "");
}

function renderJournal({ differences, octets, oldestAt }: JournalStatus, now: number): string {
  const since = oldestAt === undefined ? "" : `, the oldest of ${ago(oldestAt, now)}`;
  return `journal: ${count(differences, "difference")}, ${formatSize(octets)}${since}\n`;
}

function renderLoad({ connections, zombies, transfers }: LoadStatus): string {
  const stuck = zombies > 0
    ? `, ${zombies} of them closed under a client that stopped reading`
    : "";
  return `TCP connections: ${connections}${stuck}; transfers: ${transfers.moving} move, ` +
    `${transfers.slow} hardly move, ${transfers.waiting} wait\n`;
}

function renderNotify(notify: NotifyStatus | undefined, now: number): string {
  if (!notify) return "none yet";
  const { serial, attempts, sentAt, acknowledgedAt, rcode } = notify;
  if (acknowledgedAt) return `${serial} acknowledged ${ago(acknowledgedAt, now)}`;
  if (!sentAt) return `${serial} waiting`;
  const answer = rcode === undefined ? "no answer" : rcodeName(rcode);
  return `${serial} ${answer} after ${attempts} ${attempts === 1 ? "try" : "tries"}, ${
    ago(sentAt, now)
  }`;
}

function renderTransfer(transfer: TransferStatus | undefined, now: number): string {
  if (!transfer) return "none yet";
  const { kind, transport, serial, octets, durationMs, at } = transfer;
  const over = transport === "tls" ? " over TLS" : "";
  const took = `${formatSize(octets)} in ${durationMs} ms`;
  return `${serial} ${kind.toUpperCase()}${over}, ${took}, ${ago(at, now)}`;
}

/** How far a secondary is: "live", "notified for 2s", "behind for 3m", "AHEAD at 9". */
function renderState({ state, lagSince, ahead }: SecondaryZoneStatus, now: number): string {
  if (ahead !== undefined) return `AHEAD at ${ahead}`;
  const name = state === "behind" ? "BEHIND" : state;
  return lagSince === undefined ? name : `${name} for ${age(lagSince, now)}`;
}

function age(since: string, now: number): string {
  return formatAge(now - Date.parse(since));
}

function ago(at: string | undefined, now: number): string {
  return at === undefined ? "?" : `${age(at, now)} ago`;
}
