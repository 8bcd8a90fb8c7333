/**
 * Reads how all stands, for metrics, readiness and the page.
 *
 * Owns: the last reading, kept for a moment, so that many who ask cost as much as one.
 */
import { formatSocketAddress, type HttpServer, type JsonObject } from "../../ops/mod.ts";
import { journalOf, type ServerParts } from "../control_commands.ts";
import { VERSION } from "../version.ts";
import type { Activity, Span } from "./activity.ts";
import type { HttpServiceOptions } from "./http_service.ts";
import { overview } from "./overview.ts";
import { processReadings, stateReadings } from "./process_readings.ts";
import { type Readiness, readiness } from "./readiness.ts";
import type { PublishedCounts, Readings } from "./readings.ts";

/** A reading is good for so long, ms: nobody sees more often that something has changed. */
const FRESH_MS = 250;

/** What is counted elsewhere. */
export interface Counted {
  readonly published: PublishedCounts;
  readonly servers: readonly HttpServer[];
  readonly underWay: () => number;
}

export class Reader {
  /** Whom all is read from; set before anything is read. */
  parts!: ServerParts;
  readonly #options: HttpServiceOptions;
  readonly #counted: Counted;
  readonly #addresses: ReadonlyMap<string, string>;
  #last: Readings | undefined;
  #reading: Promise<Readings> | undefined;
  #readAt = -Infinity;

  constructor(options: HttpServiceOptions, counted: Counted) {
    this.#options = options;
    this.#counted = counted;
    this.#addresses = new Map(
      options.secondaries.map((each) => [each.name, formatSocketAddress(each)]),
    );
  }

  /** As {@link read} last gave it. */
  get last(): Readings {
    if (!this.#last) throw new Error("Cannot give readings: nothing has been read");
    return this.#last;
  }

  /** How all stands now, or did a moment ago. */
  read(): Promise<Readings> {
    if (performance.now() - this.#readAt < FRESH_MS) return Promise.resolve(this.last);
    return this.#reading ??= this.#read().finally(() => this.#reading = undefined);
  }

  readiness(): Readiness {
    const { primary, zones } = this.parts;
    const { link, failure, unkept } = primary.health();
    return readiness({ zones: zones.size, link, failure, stopped: unkept });
  }

  async overview(activity: Activity, span: Span): Promise<JsonObject> {
    const readings = await this.read();
    activity.sample(readings.server);
    return overview(readings, this.readiness(), activity, span);
  }

  async #read(): Promise<Readings> {
    const [sizes, journal] = await Promise.all([
      stateReadings(this.#options.state),
      journalOf(this.parts),
    ]);
    const { primary, server, queue, loopDelay, startedAt } = this.parts;
    const status = primary.status();
    this.#readAt = performance.now();
    return this.#last = {
      version: VERSION,
      now: Date.now(),
      startedAt,
      primary: status,
      server: server.figures(),
      secondaries: server.summaries(),
      writeBack: queue.status,
      loopDelay: loopDelay.figures(),
      process: processReadings(),
      state: { ...sizes, journal, stopped: status.unkept !== undefined },
      http: this.#http(),
      published: this.#counted.published,
      ready: this.readiness().ready,
      underWay: this.#counted.underWay(),
      lagAlarmMs: this.#options.lagAlarmMs,
      addresses: this.#addresses,
    };
  }

  #http(): Readings["http"] {
    const answered = new Map<number, number>();
    let [refused, connections] = [0, 0];
    for (const { counts, connections: open } of this.#counted.servers) {
      for (const [status, count] of counts.answered) {
        answered.set(status, (answered.get(status) ?? 0) + count);
      }
      refused += counts.refused;
      connections += open;
    }
    return { answered, refused, connections };
  }
}
