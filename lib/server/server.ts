/**
 * The DNS server: listeners, answers, transfers, NOTIFY, the watch on the secondaries.
 *
 * Reads the zone table, never writes it. Owns: sockets, timers and
 * per-secondary state, from {@link DnsServer.start} to {@link DnsServer.close}.
 */
import { canonicalKey, formatName, type Name } from "../dns/mod.ts";
import { formatSocketAddress, parseCidr, type SocketAddress } from "../ops/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import { Access } from "./access.ts";
import { BulkSender } from "./bulk_sender.ts";
import { BufferAccount } from "./buffer_account.ts";
import { Announcements } from "./announcements.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ConnectionTable } from "./connection_table.ts";
import { Cookies } from "./cookies.ts";
import { DatagramBatch } from "./datagram_batch.ts";
import { DnsService } from "./dns_service.ts";
import { freeDescriptors } from "./descriptors.ts";
import {
  DEFAULT_LAG_ALARM_MS,
  DEFAULT_LIMITS,
  DEFAULT_RATE_EXEMPT,
  limitsWithin,
  RESERVED_DESCRIPTORS,
  type ServerLimits,
} from "./limits.ts";
import { KeyRing } from "./key_ring.ts";
import { Listeners } from "./listeners.ts";
import { NotifySender } from "./notify_sender.ts";
import { ResponseRate } from "./response_rate.ts";
import { SecondaryStates, type SecondarySummary, type SecondaryZone } from "./secondary_state.ts";
import { Schedule } from "./schedule.ts";
import { type SerialSurvey, SerialSurveys } from "./serial_survey.ts";
import type { DnsServerOptions } from "./server_options.ts";
import type { ServerFigures, ServerStatus } from "./server_status.ts";
import { SoaClient } from "./soa_client.ts";
import type { TlsCertificate } from "./tls_relay.ts";
import type { SessionContext } from "./tcp_session.ts";
import { TransferQueue } from "./transfer_queue.ts";
import { Watcher } from "./watcher.ts";
import { WorkShare } from "./work_share.ts";

/** Undefined when UDP answers are not limited. */
function responseRate(limits: ServerLimits, clock: Clock): ResponseRate | undefined {
  const { answersPerSecond: perSecond, slip } = limits;
  if (perSecond === Infinity) return undefined;
  const [secret] = crypto.getRandomValues(new Uint32Array(1));
  return new ResponseRate({ perSecond, slip, now: () => clock.now(), secret });
}

export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #limits: ServerLimits;
  readonly #access: Access;
  readonly #states: SecondaryStates;
  readonly #service: DnsService;
  readonly #connections: ConnectionTable;
  readonly #sessions: SessionContext;
  readonly #notify: NotifySender;
  readonly #client: SoaClient;
  readonly #watcher: Watcher;
  readonly #announcements: Announcements;
  readonly #surveys: SerialSurveys;
  readonly #listeners: Listeners;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    const { zones, secondaries, log } = options;
    const clock = new Schedule(options.clock ?? SYSTEM_CLOCK);
    const { keys = new KeyRing([]) } = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#access = new Access({
      ...options,
      allowQuery: options.allowQuery,
      rateExempt: options.rateExempt ?? DEFAULT_RATE_EXEMPT.map(parseCidr),
    });
    this.#states = new SecondaryStates(secondaries);
    this.#service = new DnsService({
      zones,
      access: this.#access,
      keys,
      states: this.#states,
      differences: options.differences,
      rate: responseRate(this.#limits, clock),
      cookies: new Cookies(clock),
      serverId: options.serverId,
      chaosVersion: options.chaosVersion,
      transfersOverTlsOnly: options.transfersOverTlsOnly,
      udpOctets: this.#limits.udpOctets,
      idleMs: this.#limits.idleMs,
      log,
      clock,
      onFetched: (secondary, apex, serial) => this.#watcher.fetched(secondary, apex, serial),
    });
    this.#connections = new ConnectionTable(this.#limits);
    this.#sessions = {
      service: this.#service,
      limits: this.#limits,
      transfers: new TransferQueue(this.#limits, clock),
      buffers: new BufferAccount(this.#limits.bufferOctets),
      work: new WorkShare(),
      bulk: options.systemCalls && new BulkSender(options.systemCalls),
    };
    this.#notify = new NotifySender({
      authorities: options.tlsAuthorities,
      states: this.#states,
      log,
      keys,
      clock,
      open: options.openUdpSocket,
      onAcknowledged: (secondary, version) => this.#watcher.acknowledged(secondary, version),
      onSent: ({ name }, version) => options.onNotify?.(name, version),
    });
    this.#client = new SoaClient({ log, clock, keys, open: options.openUdpSocket });
    this.#watcher = new Watcher({
      states: this.#states,
      client: this.#client,
      notify: this.#notify,
      clock,
      log,
      lagAlarmMs: options.lagAlarmMs ?? DEFAULT_LAG_ALARM_MS,
      onSecondary: options.onSecondary,
    });
    this.#announcements = new Announcements(clock, {
      tell: (version) => {
        this.#notify.announce(version); // first: nothing else is waited for
        this.#watcher.announced(version);
      },
      hasRoom: () => this.#notify.hasRoom,
    });
    this.#surveys = new SerialSurveys(this.#watcher.peers, clock);
    this.#listeners = new Listeners({
      listen: options.listen,
      tls: options.tls,
      sessions: this.#sessions,
      access: this.#access,
      connections: this.#connections,
      datagrams: options.systemCalls && new DatagramBatch(options.systemCalls),
      log,
    });
  }

  /**
   * Binds every address, then serves.
   *
   * @throws {ServerError} an address cannot be bound; then none stays bound
   */
  async start(): Promise<void> {
    try {
      this.#listeners.bind();
      this.#notify.start();
      this.#client.start();
      this.#fitDescriptors();
    } catch (error) {
      await this.close({ drainMs: 0 });
      throw error;
    }
    this.#listeners.start();
  }

  /** The addresses bound, with the ports the system chose. */
  get addresses(): readonly SocketAddress[] {
    return this.#listeners.addresses;
  }

  /** The same for TLS. */
  get tlsAddresses(): readonly SocketAddress[] {
    return this.#listeners.tlsAddresses;
  }

  /**
   * Serves TLS with another certificate from the next connection on. To be called after
   * {@link start}, where TLS is spoken.
   *
   * @throws {ServerError} it cannot be used; the old one stays
   */
  replaceCertificate(certificate: TlsCertificate): void {
    this.#listeners.replaceCertificate(certificate);
  }

  /** Who may ask and transfer from now on; the secondaries stay, and so do connections. */
  reconfigure(rules: Pick<DnsServerOptions, "allowTransfer" | "allowQuery" | "rateExempt">): void {
    const { rateExempt = DEFAULT_RATE_EXEMPT.map(parseCidr), allowTransfer, allowQuery } = rules;
    this.#access.replace({ allowTransfer, allowQuery, rateExempt });
  }

  /** Tells every secondary of a version that is being served, and watches until they show it. */
  announce(version: ZoneVersion): void {
    this.#announcements.add(version);
  }

  /** Stops telling about a zone that is no longer served. */
  retire(apex: Name): void {
    this.#announcements.drop(canonicalKey(apex));
    this.#notify.retire(apex);
    this.#watcher.retire(apex);
    this.#states.retire(apex);
    this.#options.log.debug("zone retired", { zone: formatName(apex) });
  }

  /**
   * The serials that the watched servers of all secondaries show for a zone, whatever
   * it is; within five seconds, but among thousands, that wait their turn for as long as servers
   * answer. Never rejects. To be called after {@link start}.
   */
  serials(apex: Name): Promise<SerialSurvey> {
    return this.#surveys.survey(apex);
  }

  /** How it stands, in numbers: what is asked for often. */
  figures(): ServerFigures {
    const { counts, answers } = this.#service;
    const { connections, zombies, evicted, refused, limits } = this.#connections;
    return {
      listen: this.addresses.map(formatSocketAddress),
      listenTls: this.tlsAddresses.map(formatSocketAddress),
      connections,
      zombies,
      evicted,
      refused,
      transfers: this.#sessions.transfers.counts,
      bufferOctets: this.#sessions.buffers.octets,
      notifyOutstanding: this.#notify.outstanding,
      watchQueries: this.#client.sent,
      counts: { ...counts },
      responses: answers.responses,
      transferCounts: answers.transfers,
      limits,
    };
  }

  /** How each secondary stands, in numbers. */
  summaries(): SecondarySummary[] {
    return this.#options.secondaries.map((secondary) => this.#states.summary(secondary));
  }

  /** How each secondary stands with one zone; undefined where nothing is known. */
  standings(apex: Name): { secondary: string; zone: SecondaryZone | undefined }[] {
    return this.#options.secondaries.map((secondary) => ({
      secondary: secondary.name,
      zone: this.#states.find(secondary, apex),
    }));
  }

  status(): ServerStatus {
    return {
      ...this.figures(),
      secondaries: this.#options.secondaries.map((secondary) => ({
        name: secondary.name,
        address: formatSocketAddress(secondary),
        notify: secondary.notify,
        keys: secondary.keys.map((name) => formatName(name)),
        zones: this.#states.list(secondary),
      })),
    };
  }

  /** Stops: no more queries, NOTIFY or connections; running transfers have `drainMs` to end. */
  async close({ drainMs }: { drainMs: number }): Promise<void> {
    this.#announcements.close();
    this.#notify.close();
    this.#surveys.close();
    this.#watcher.close();
    this.#client.close();
    this.#service.close();
    this.#sessions.transfers.close();
    await this.#listeners.close(drainMs);
    this.#sessions.work.close();
  }

  /** Sees to it that connections leave descriptors to the rest of the program. */
  #fitDescriptors(): void {
    const { connections } = this.#limits;
    const free = freeDescriptors(connections + RESERVED_DESCRIPTORS);
    const limits = limitsWithin(this.#limits, free);
    this.#connections.limits = limits;
    if (limits.connections === connections) return;
    this.#options.log.warn("fewer TCP connections than set: file descriptors are few", {
      connections: limits.connections,
      descriptors: free,
      hint: "raise the limit on open files (LimitNOFILE in a systemd unit, ulimit -n)",
    });
  }
}
