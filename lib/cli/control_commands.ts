/**
 * What a running server answers on its control socket.
 */
import { formatName } from "../dns/mod.ts";
import type { ControlCommand, ControlRequest, JsonValue, LoopDelay } from "../ops/mod.ts";
import type { Primary } from "../primary.ts";
import type { DnsServer, SecondaryZone, ServerFigures } from "../server/mod.ts";
import type { WriteBackQueue } from "../source/mod.ts";
import type { StateStore } from "../store/mod.ts";
import type { ZoneTable, ZoneVersion } from "../zone/mod.ts";
import { notPublished } from "./errors.ts";
import { SERIAL, ZONE, type ZoneName } from "./forms.ts";
import { approve, heldDifference, heldParts } from "./held_answers.ts";
import { heldStatus } from "./held_status.ts";
import { differencesParts, historyParts, versionParts } from "./history_parts.ts";
import { problemsParts } from "./problems_parts.ts";
import { raise } from "./raise.ts";
import { isoTime, zoneStatus } from "./status.ts";
import type {
  JournalStatus,
  LoadStatus,
  SecondaryZoneStatus,
  StatusPart,
} from "./status_report.ts";
import { HEARTBEAT_MS } from "./tail.ts";
import type { Trail } from "./trail.ts";
import { VERSION } from "./version.ts";
import { versionText } from "./zone_text.ts";

/** Zones of a secondary in one answer: a line then has some hundred kilobytes. */
const ZONES_PER_PART = 1000;

/** What the commands are about. */
export interface ServerParts {
  readonly zones: ZoneTable;
  readonly server: DnsServer;
  readonly primary: Primary;
  /** For the journal. */
  readonly store: Pick<StateStore, "journal" | "journalFigures" | "differences">;
  /** What becomes of changes. */
  readonly trail: Trail;
  /** What is told to the source. */
  readonly queue: Pick<WriteBackQueue, "status">;
  readonly loopDelay: LoopDelay;
  /** ms since the epoch. */
  readonly startedAt: number;
}

/** The commands, by name. */
export function controlCommands(parts: ServerParts): Record<string, ControlCommand> {
  return {
    status: async () => statusParts(parts, await journalOf(parts)),
    export: (request) => versionText(publishedZone(parts.zones, request)),
    history: (request) => history(parts, request),
    version: (request) => versionParts(publishedZone(parts.zones, request)),
    differences: (request) => differences(parts, request),
    raise: (request) =>
      raise(parts, publishedZone(parts.zones, request), SERIAL.parse(String(request.above))),
    tail: (request, signal) => follow(parts, request, signal),
    held: (request) => heldParts(parts, request),
    "held-difference": (request) =>
      heldDifference(parts.primary, publishedZone(parts.zones, request)),
    approve: (request) => approve(parts.primary, request),
    problems: (request) => problemsOf(parts, request),
  };
}

/** A state file that does not answer for longer is left out of a status, ms: its disk hangs, say. */
const JOURNAL_MS = 1_000;

/** What the journal holds; undefined where the state file does not tell. */
export async function journalOf({ store }: ServerParts): Promise<JournalStatus | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(resolve, JOURNAL_MS));
  // Why it cannot be read is in the log, and in the reason why nothing is published.
  const figures = await Promise.race([store.journalFigures().catch(() => undefined), late]);
  clearTimeout(timer);
  return figures && { ...figures, oldestAt: isoTime(figures.oldestAt) };
}

/** A status report, part by part. */
export function* statusParts(
  parts: ServerParts,
  journal: JournalStatus | undefined,
): Generator<StatusPart> {
  const { server, primary, queue, loopDelay, startedAt } = parts;
  const { listen, listenTls, secondaries } = server.status();
  const status = primary.status();
  const { zones, link, source, lastReadAt, reads, failure, unkept, problems, held } = status;
  yield {
    server: {
      version: VERSION,
      pid: Deno.pid,
      startedAt: new Date(startedAt).toISOString(),
      listen: [...listen],
      listenTls: [...listenTls],
      loopDelay: { ...loopDelay.figures() },
      source: {
        description: source,
        up: link.up,
        since: new Date(link.since).toISOString(),
        reason: link.reason,
        lastReadAt: isoTime(lastReadAt),
        reads: { full: reads.everything, feed: reads.part },
        failure,
        writtenBackAt: isoTime(queue.status.writtenAt),
        writeBackFailure: queue.status.failure,
      },
      unkept: unkept && {
        since: new Date(unkept.since).toISOString(),
        reason: unkept.reason,
        hint: unkept.hint,
      },
      journal,
      load: loadStatus(server.figures()),
    },
  };
  for (const { version, publishedAt } of zones) {
    yield { zone: zoneStatus(version, publishedAt) };
  }
  for (const { name, address, notify, keys, zones } of secondaries) {
    for (let at = 0; at === 0 || at < zones.length; at += ZONES_PER_PART) {
      const some = zones.slice(at, at + ZONES_PER_PART).map(secondaryZoneStatus);
      yield { secondary: { name, address, notify, keys: [...keys], zones: some } };
    }
  }
  for (const { zone, severity, name, type, content, code, reason, hint, since } of problems) {
    const at = new Date(since).toISOString();
    yield { problem: { zone, severity, name, type, content, code, reason, hint, since: at } };
  }
  for (const hold of held) yield { held: heldStatus(hold) };
}

function loadStatus(status: ServerFigures): LoadStatus {
  const { connections, zombies, evicted, bufferOctets, transfers, counts } = status;
  return {
    connections,
    zombies,
    evicted,
    bufferOctets,
    transfers: { ...transfers },
    counts: { ...counts },
  };
}

/** What is known of one secondary and zone, in words for JSON. */
export function secondaryZoneStatus(entry: SecondaryZone): SecondaryZoneStatus {
  const { zone, watch, notify, transfer, soaQueryAt } = entry;
  return {
    zone,
    state: watch?.state ?? "unknown",
    serial: watch?.serial,
    seenAt: isoTime(watch?.seenAt),
    lagSince: isoTime(watch?.lagSince),
    ahead: watch?.ahead,
    notify: notify && {
      serial: notify.serial,
      attempts: notify.attempts,
      sentAt: isoTime(notify.sentAt),
      acknowledgedAt: isoTime(notify.acknowledgedAt),
      rcode: notify.rcode,
    },
    transfer: transfer && {
      kind: transfer.kind,
      transport: transfer.transport,
      serial: transfer.serial,
      octets: transfer.octets,
      durationMs: Math.round(transfer.durationMs),
      at: new Date(transfer.at).toISOString(),
    },
    soaQueryAt: isoTime(soaQueryAt),
  };
}

function problemsOf({ primary, zones }: ServerParts, request: ControlRequest) {
  const zone = request.zone === undefined ? undefined : ZONE.parse(String(request.zone));
  const published = new Set([...zones.all()].map(({ apexKey }) => apexKey));
  return problemsParts({
    problems: [...primary.problems()],
    counts: primary.status().problemCounts,
    isPublished: (apexKey) => published.has(apexKey),
  }, zone);
}

/** The version current when asked, whole, however long the client takes. */
function publishedZone(zones: ZoneTable, request: ControlRequest): ZoneVersion {
  const zone: ZoneName = ZONE.parse(String(request.zone));
  const version = zones.get(zone.apex);
  if (!version) throw notPublished(zone);
  return version;
}

async function history(
  { zones, primary, store }: ServerParts,
  request: ControlRequest,
): Promise<Iterable<JsonValue>> {
  const { apex, apexKey } = publishedZone(zones, request);
  const entries = await store.journal(apex);
  const current = primary.status().zones.find(({ version }) => version.apexKey === apexKey);
  if (!current) throw notPublished(ZONE.parse(String(request.zone))); // retired meanwhile
  return historyParts({
    serial: current.version.serial,
    publishedAt: current.publishedAt,
    entries,
  });
}

async function differences(
  { zones, store }: ServerParts,
  request: ControlRequest,
): Promise<Iterable<JsonValue>> {
  const { apex } = publishedZone(zones, request);
  const to = request.to === undefined ? undefined : Number(request.to);
  return differencesParts(await store.differences(apex, Number(request.from), to));
}

/** What happens to changes from now on, and between, that the server is there. */
async function* follow(
  { trail, zones }: ServerParts,
  request: ControlRequest,
  signal: AbortSignal,
): AsyncGenerator<JsonValue> {
  const one = request.zone === undefined ? undefined : publishedZone(zones, request);
  const events = trail.follow(one && formatName(one.apex).toLowerCase(), signal);
  yield { following: true };
  let next = events.next();
  try {
    while (true) {
      const quiet = timeout(HEARTBEAT_MS);
      const result = await Promise.race([next, quiet.promise]).finally(quiet.clear);
      if (result === undefined) {
        yield {};
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = events.next();
    }
  } finally {
    next.catch(() => {}); // ended by the signal
  }
}

function timeout(ms: number): { promise: Promise<undefined>; clear: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  return { promise, clear: () => clearTimeout(timer) };
}
