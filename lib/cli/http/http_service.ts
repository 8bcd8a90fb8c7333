/**
 * What `--http` shows: metrics, health, readiness, status, the status page. Changes nothing.
 *
 * Owns: the HTTP servers, the metrics and what is measured for them.
 */
import {
  formatSocketAddress,
  Hints,
  HttpServer,
  type Logger,
  Metrics,
  type SocketAddress,
  statusPage,
  WorkPace,
} from "../../ops/mod.ts";
import type { Secondary, SecondaryEvent } from "../../server/mod.ts";
import type { Reading } from "../../source/mod.ts";
import type { Publication } from "../../store/mod.ts";
import type { ZoneVersion } from "../../zone/mod.ts";
import type { ServerParts } from "../control_commands.ts";
import { Activity } from "./activity.ts";
import { type Histograms, registerMetrics } from "./metric_table.ts";
import { PageJournal } from "./page_journal.ts";
import { pageRoutes } from "./page_routes.ts";
import { Propagation } from "./propagation.ts";
import { Reader } from "./reader.ts";
import type { PublishedCounts } from "./readings.ts";
import { stateRoutes } from "./state_routes.ts";
import { ZoneAnswers } from "./zone_answers.ts";

/** Between two looks at what the server has done, for the plots, ms. */
const SAMPLE_MS = 5_000;

/** What is shown, and where. */
export interface HttpServiceOptions {
  /** At least one. */
  readonly addresses: readonly SocketAddress[];
  readonly secondaries: readonly Secondary[];
  /** A secondary that lacks a version for longer is behind, ms. */
  readonly lagAlarmMs: number;
  /** Path of the state file. */
  readonly state: string;
  readonly log: Logger;
}

export class HttpService {
  readonly #servers: HttpServer[] = [];
  readonly #options: HttpServiceOptions;
  readonly #reader: Reader;
  readonly #metrics: Metrics;
  readonly #propagation: Propagation;
  readonly #published: PublishedCounts = { versions: 0, added: 0, removed: 0 };
  readonly #activity = new Activity();
  readonly #hints = new Hints();
  readonly #journal: PageJournal;
  #zones: ZoneAnswers | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: HttpServiceOptions, metrics: Metrics) {
    this.#options = options;
    this.#metrics = metrics;
    this.#journal = new PageJournal(options.state);
    const { secondaries } = options;
    this.#reader = new Reader(options, {
      published: this.#published,
      servers: this.#servers,
      underWay: () => this.#propagation.underWay,
    });
    const histograms = registerMetrics(metrics, () => this.#reader.last);
    this.#propagation = new Propagation({
      notified: secondaries.filter(({ notify }) => notify).map(({ name }) => name),
      watched: secondaries.filter(({ watch }) => watch.length > 0).map(({ name }) => name),
    }, this.#stopwatch(histograms));
  }

  /** Measures from now on; shows nothing before {@link listen}. */
  static async open(options: HttpServiceOptions): Promise<HttpService> {
    return new HttpService(options, await Metrics.open());
  }

  #stopwatch({ publish, notify, live }: Histograms): ConstructorParameters<typeof Propagation>[1] {
    return {
      published: (version, changes, seconds) => {
        this.#published.versions++;
        this.#published.added += changes.added;
        this.#published.removed += changes.removed;
        this.#activity.published(version, changes, seconds);
        if (seconds !== undefined) publish.observe(seconds);
      },
      notified: (secondary, seconds) => notify.observe(seconds, secondary),
      live: (secondary, seconds) => {
        live.observe(seconds, secondary);
        this.#activity.live(secondary, seconds);
      },
    };
  }

  /**
   * Begins to answer.
   *
   * @throws {HttpServerError} an address cannot be had; then none stays bound
   */
  async listen(parts: ServerParts): Promise<void> {
    const { addresses, log } = this.#options;
    this.#reader.parts = parts;
    this.#zones = new ZoneAnswers(parts, this.#journal);
    const reader = this.#reader;
    const page = statusPage();
    const routes = {
      "/": () => page,
      ...stateRoutes(parts, reader, this.#metrics),
      ...pageRoutes(this.#zones, this.#hints, (span) => reader.overview(this.#activity, span)),
    };
    const pace = new WorkPace();
    try {
      for (const address of addresses) {
        const server = new HttpServer(address, routes, log, pace);
        this.#servers.push(server);
        log.info("listening for HTTP", { address: formatSocketAddress(server.address) });
      }
    } catch (error) {
      await this.close();
      throw error;
    }
    let since = 0;
    this.#timer = setInterval(() => {
      this.#activity.sample(parts.server.figures());
      const { link } = parts.primary.health();
      if (link.since !== since) this.#hints.changed();
      since = link.since;
    }, SAMPLE_MS);
  }

  /** A version has become durable and visible. */
  published(publication: Publication, reading: Pick<Reading, "changedTick">): void {
    this.#propagation.published(publication, reading);
    if (!publication.previous) this.#zones?.changed();
    this.#hints.changed();
  }

  /** Something else is to be seen. */
  changed(): void {
    this.#hints.changed();
  }

  /** A NOTIFY has gone to a secondary. */
  notified(secondary: string, version: ZoneVersion): void {
    this.#propagation.notified(secondary, version);
  }

  /** A secondary's standing has changed. */
  secondary(event: SecondaryEvent): void {
    this.#propagation.secondary(event);
    this.#hints.changed();
  }

  /** A zone is served no more. */
  retired(apexKey: string): void {
    this.#propagation.retire(apexKey);
    this.#zones?.changed();
    this.#hints.changed();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
    await this.#journal.close();
  }
}
