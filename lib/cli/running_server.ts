/**
 * A running zonecast: its parts, started and ended in order.
 *
 * Owns: state file, sockets, control socket, connection to the source.
 */
import { canonicalKey, type Name } from "../dns/mod.ts";
import {
  type Cidr,
  ControlServer,
  type Logger,
  LoopDelay,
  type SocketAddress,
  type SystemCalls,
} from "../ops/mod.ts";
import { type GuardSettings, Primary } from "../primary.ts";
import {
  DnsServer,
  type KeyRing,
  type Secondary,
  type SecondaryEvent,
  type ServerLimits,
  type TlsCertificate,
  type TlsOptions,
  type TransferRule,
} from "../server/mod.ts";
import { openSource, WriteBackQueue } from "../source/mod.ts";
import { type BadRows, ZoneTable } from "../zone/mod.ts";
import { controlCommands, type ServerParts } from "./control_commands.ts";
import { HttpService } from "./http/http_service.ts";
import { IdleMemory } from "./idle_memory.ts";
import { notingStore, openDifferences, openState } from "./serve_state.ts";
import { Telling } from "./telling.ts";
import { Trail } from "./trail.ts";

/** What `zonecast serve` was told. */
export interface ServeConfig {
  readonly sourceUrl: string;
  /** Path of the state file. */
  readonly state: string;
  /** Path of the control socket. */
  readonly control: string;
  /** The group that may use it; undefined: the server's own. */
  readonly controlGroup: string | undefined;
  /** Time that running transfers have to end when the server stops, in ms. */
  readonly drainMs: number;
  readonly listen: readonly SocketAddress[];
  /** Where metrics, health and status are shown over HTTP; empty: nowhere. */
  readonly http: readonly SocketAddress[];
  readonly secondaries: readonly Secondary[];
  readonly allowTransfer: readonly TransferRule[];
  /** Undefined: TLS is not spoken. */
  readonly tls: TlsOptions | undefined;
  /** Authorities that vouch for secondaries over TLS, in PEM. */
  readonly tlsAuthorities: readonly string[];
  /** Whether transfers leave over TLS alone. */
  readonly transfersOverTlsOnly: boolean;
  /** The TSIG keys that secondaries and rules name. */
  readonly keys: KeyRing;
  /** Undefined: everybody. */
  readonly allowQuery: readonly Cidr[] | undefined;
  /** Serve only these; empty: all. */
  readonly zones: readonly Name[];
  readonly channel: string;
  readonly pollIntervalMs: number;
  readonly fullReadIntervalMs: number;
  readonly minPublishIntervalMs: number;
  readonly serialPolicy: "unixtime" | "increment" | "date";
  readonly badRows: BadRows;
  readonly serialFloor: number | undefined;
  /** What may change without being approved. */
  readonly guard: GuardSettings;
  /** A zone of more records is held. */
  readonly maxRecords: number;
  /** Octets a zone's journal may take; undefined: as many as the zone, and at least 10 MiB. */
  readonly journalMaxOctets: number | undefined;
  /** Older differences are purged. */
  readonly journalMaxAgeMs: number;
  /** Whether the differences of an IXFR are sent as one. */
  readonly ixfrCondense: boolean;
  /** Older rows of the feed, and of what was written back, are removed. */
  readonly feedRetentionMs: number;
  /** How long a secondary may lack a serial before that is an error. */
  readonly lagAlarmMs: number;
  /** Prefixes whose UDP answers are not limited in number. */
  readonly rateExempt: readonly Cidr[];
  /** Which server this is; undefined: not told. */
  readonly serverId: string | undefined;
  /** Its version; undefined: not told. */
  readonly chaosVersion: string | undefined;
  /** Where they differ from the defaults. */
  readonly limits: Partial<ServerLimits>;
  /** Undefined: UDP datagrams are received and sent one at a time. */
  readonly systemCalls?: SystemCalls;
}

/** What may change while serving. */
export type Reconfiguration = Pick<
  ServeConfig,
  "allowTransfer" | "allowQuery" | "rateExempt" | "drainMs"
>;

/** Parts in the order they were started; they end in the reverse order. */
type Part = { readonly name: string; close(): Promise<void> };

/** A started server. */
export class RunningServer {
  readonly #parts: Part[] = [];
  #server: DnsServer | undefined;
  #zones: ZoneTable | undefined;
  #drainMs = 0;

  private constructor(readonly log: Logger) {}

  /**
   * Serves what the state file holds, then connects to the source in the
   * background.
   *
   * @throws {ZonecastError} the state file, an address or the control socket
   *   cannot be had; then nothing stays open
   */
  static async start(config: ServeConfig, log: Logger): Promise<RunningServer> {
    const running = new RunningServer(log);
    try {
      await running.#start(config);
      return running;
    } catch (error) {
      await running.close();
      throw error;
    }
  }

  async #start(config: ServeConfig): Promise<void> {
    const { log } = this;
    const startedAt = Date.now();
    const { store, state } = await openState(config, log);
    this.#parts.push({ name: "state file", close: () => store.close() });
    const differences = openDifferences(config, store, log);
    this.#parts.push({ name: "journal", close: () => differences.close() });

    const http = await openHttp(config, log);
    const zones = new ZoneTable();
    const server: DnsServer = new DnsServer({
      ...config,
      zones,
      differences,
      onSecondary: (event) => {
        noteSecondary(primary, event);
        telling.secondary(event);
        trail.secondary(event);
        http?.secondary(event);
      },
      onNotify: http && ((secondary, version) => http.notified(secondary, version)),
      log,
    });
    const source = openSource(config.sourceUrl, {
      channel: config.channel,
      pollIntervalMs: config.pollIntervalMs,
      create: state.zones.length === 0,
      feedRetentionMs: config.feedRetentionMs,
      log,
    });
    const queue = new WriteBackQueue(source, log, {
      instance: state.instance,
      secondaries: config.secondaries.map(({ name }) => name),
      problems: () => telling.reports(primary.problems()),
    });
    const trail = new Trail(log, config.secondaries);
    const telling: Telling = new Telling(
      queue,
      zones,
      config.secondaries.length,
      trail,
      http,
    );
    const idle = new IdleMemory(config.systemCalls);
    this.#parts.push({ name: "memory", close: () => Promise.resolve(idle.close()) });
    const primary: Primary = new Primary({
      source,
      store: notingStore(store, differences, (apex) => {
        trail.retired(apex);
        http?.retired(canonicalKey(apex));
      }),
      zones,
      announcer: server,
      teller: telling,
      readWhole: () => idle.workIsDone(),
      config: {
        zones: config.zones,
        badRows: config.badRows,
        fullReadIntervalMs: config.fullReadIntervalMs,
        minPublishIntervalMs: config.minPublishIntervalMs,
        serialPolicy: config.serialPolicy,
        serialFloor: config.serialFloor,
        guard: config.guard,
        maxRecords: config.maxRecords,
        watchedSecondaries: config.secondaries.filter(({ watch }) => watch.length > 0).length,
      },
      log,
    });
    // The last known zones first: from the first query on there is an answer.
    primary.restore(state);
    await server.start();
    this.#server = server;
    this.#zones = zones;
    this.#drainMs = config.drainMs;
    this.#parts.push({ name: "server", close: () => server.close({ drainMs: this.#drainMs }) });

    const loopDelay = new LoopDelay();
    this.#parts.push({ name: "loop delay", close: () => Promise.resolve(loopDelay.close()) });
    const shown: ServerParts = {
      zones,
      server,
      primary,
      store,
      trail,
      queue,
      loopDelay,
      startedAt,
    };
    const commands = controlCommands(shown);
    const control = await ControlServer.start(config.control, commands, log, config.controlGroup);
    this.#parts.push({ name: "control socket", close: () => control.close() });
    if (http) {
      await http.listen(shown);
      this.#parts.push({ name: "HTTP", close: () => http.close() });
    }

    primary.start();
    this.#parts.push({ name: "primary", close: () => primary.close() });
    this.#parts.push({ name: "writing back", close: () => queue.close() });
    idle.workIsDone();
    log.info("serving", { zones: zones.size, source: source.description, state: config.state });
  }

  /**
   * Serves TLS with another certificate from the next connection on.
   *
   * @throws {ServerError} it cannot be used; the old one stays
   */
  replaceCertificate(certificate: TlsCertificate): void {
    this.#server?.replaceCertificate(certificate);
  }

  /** As bound; empty before the start. */
  get addresses(): readonly SocketAddress[] {
    return this.#server?.addresses ?? [];
  }

  /** What is served, in a line. */
  get summary(): string {
    const { size = 0 } = this.#zones ?? {};
    return `serving ${size} ${size === 1 ? "zone" : "zones"}`;
  }

  /** Takes from a new configuration what may change while serving; no connection is dropped. */
  reconfigure(config: Reconfiguration): void {
    this.#server?.reconfigure(config);
    this.#drainMs = config.drainMs;
  }

  /** Ends what was started, the last part first; a part that fails does not keep the others. */
  async close(): Promise<void> {
    for (const { name, close } of this.#parts.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        this.log.error("a part did not end well", { part: name, error: asError(error) });
      }
    }
  }
}

/** What `--http` shows, measuring from now on; undefined where it is not asked for. */
async function openHttp(config: ServeConfig, log: Logger): Promise<HttpService | undefined> {
  const { http: addresses, secondaries, lagAlarmMs, state } = config;
  if (addresses.length === 0) return undefined;
  return await HttpService.open({ addresses, secondaries, lagAlarmMs, state, log });
}

/** A secondary ahead of us, or one that confirms what we serve. */
function noteSecondary(primary: Primary, event: SecondaryEvent): void {
  const serial = event.ahead ?? event.serial;
  if (serial !== undefined) primary.seen(event.zone, event.secondary, serial);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
