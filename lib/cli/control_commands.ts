/**
 * What a running server answers on its control socket. Reads, changes nothing.
 */
import { parseName } from "../dns/mod.ts";
import type { ControlCommand, ControlRequest } from "../ops/mod.ts";
import type { Primary } from "../primary.ts";
import type { DnsServer, SecondaryZone } from "../server/mod.ts";
import type { ZoneTable } from "../zone/mod.ts";
import { notPublished } from "./export.ts";
import { ZONE } from "./forms.ts";
import { isoTime, zoneStatus } from "./status.ts";
import type { SecondaryZoneStatus, StatusPart } from "./status_report.ts";
import { VERSION } from "./version.ts";
import { versionText } from "./zone_text.ts";

/** Zones of a secondary in one answer: a line then has some hundred kilobytes. */
const ZONES_PER_PART = 1000;

/** What the commands read. */
export interface ServerParts {
  readonly zones: ZoneTable;
  readonly server: DnsServer;
  readonly primary: Primary;
  /** ms since the epoch. */
  readonly startedAt: number;
}

/** The commands, by name. */
export function controlCommands(parts: ServerParts): Record<string, ControlCommand> {
  return {
    status: () => statusParts(parts),
    export: (request) => exportPieces(parts.zones, request),
  };
}

function* statusParts(parts: ServerParts): Generator<StatusPart> {
  const { server, primary, startedAt } = parts;
  const { listen, secondaries } = server.status();
  const { zones, link, source, lastReadAt, failure, problems } = primary.status();
  yield {
    server: {
      version: VERSION,
      pid: Deno.pid,
      startedAt: new Date(startedAt).toISOString(),
      listen: [...listen],
      source: {
        description: source,
        up: link.up,
        since: new Date(link.since).toISOString(),
        reason: link.reason,
        lastReadAt: isoTime(lastReadAt),
        failure,
      },
    },
  };
  for (const { version, publishedAt } of zones) {
    yield { zone: zoneStatus(version, publishedAt) };
  }
  for (const { name, address, notify, zones } of secondaries) {
    for (let at = 0; at === 0 || at < zones.length; at += ZONES_PER_PART) {
      const some = zones.slice(at, at + ZONES_PER_PART).map(secondaryZoneStatus);
      yield { secondary: { name, address, notify, zones: some } };
    }
  }
  for (const { zone, name, type, content, code, reason } of problems) {
    yield { problem: { zone, name, type, content, code, reason } };
  }
}

function secondaryZoneStatus(entry: SecondaryZone): SecondaryZoneStatus {
  const { zone, notify, transfer, soaQueryAt } = entry;
  return {
    zone,
    notify: notify && {
      serial: notify.serial,
      attempts: notify.attempts,
      sentAt: isoTime(notify.sentAt),
      acknowledgedAt: isoTime(notify.acknowledgedAt),
      rcode: notify.rcode,
    },
    transfer: transfer && {
      kind: transfer.kind,
      serial: transfer.serial,
      octets: transfer.octets,
      durationMs: Math.round(transfer.durationMs),
      at: new Date(transfer.at).toISOString(),
    },
    soaQueryAt: isoTime(soaQueryAt),
  };
}

/** The version current when asked, whole, however long the client takes. */
function exportPieces(zones: ZoneTable, request: ControlRequest): Iterable<string> {
  const zone = ZONE.parse(String(request.zone));
  const version = zones.get(parseName(zone.text));
  if (!version) throw notPublished(zone);
  return versionText(version);
}
