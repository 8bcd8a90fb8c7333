/**
 * Metrics in Prometheus' text format, read when they are asked for.
 *
 * What is counted is counted where it happens, in plain numbers; a metric here says how to read
 * them. Only histograms are told of each value, and nothing that comes as often as a question is.
 *
 * Owns: a registry of prom-client, which is loaded when the first one is made. The one thing that
 * prom-client needs of others, @opentelemetry/api, is held at 1.9 in deno.json: with 1.10 the stack
 * of `deno compile` overflows (Deno 2.7.11).
 */
import type { Histogram, Registry } from "prom-client";

/** A value with its labels, in the order of their names. */
export type Sample = readonly [value: number, ...labels: string[]];

/** What a metric is called and means. */
export interface MetricShape {
  /** In Prometheus' manner: base units, `_total` behind what only grows. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Told of each value. */
export interface Observer {
  observe(value: number, ...labels: string[]): void;
}

export class Metrics {
  readonly #registry: Registry;
  readonly #names: string[] = [];
  readonly #prom: typeof import("prom-client");

  private constructor(prom: typeof import("prom-client")) {
    this.#prom = prom;
    this.#registry = new prom.Registry();
  }

  static async open(): Promise<Metrics> {
    return new Metrics((await import("prom-client")).default);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** What only grows. */
  counter(shape: MetricShape, read: () => Iterable<Sample>): void {
    const { labels = [] } = shape;
    new this.#prom.Counter({
      ...this.#options(shape),
      collect() {
        this.reset();
        if (labels.length === 0) this.remove(); // else one without a value would be 0
        for (const [value, ...values] of read()) this.inc(labelled(labels, values), value);
      },
    });
  }

  /** What goes up and down. */
  gauge(shape: MetricShape, read: () => Iterable<Sample>): void {
    const { labels = [] } = shape;
    new this.#prom.Gauge({
      ...this.#options(shape),
      collect() {
        this.reset();
        if (labels.length === 0) this.remove(); // else one without a value would be 0
        for (const [value, ...values] of read()) this.set(labelled(labels, values), value);
      },
    });
  }

  /** @param buckets  upper bounds, rising */
  histogram(shape: MetricShape, buckets: readonly number[]): Observer {
    const { labels = [] } = shape;
    const histogram: Histogram = new this.#prom.Histogram({
      ...this.#options(shape),
      buckets: [...buckets],
    });
    return {
      observe: (value, ...values) => histogram.observe(labelled(labels, values), value),
    };
  }

  /**
   * All of them as they are now, one at a time, so that others have their turn in between.
   *
   * @param run  runs what it is given, and counts the time it takes
   */
  async *pieces(run: (work: () => Promise<string>) => Promise<string>): AsyncGenerator<string> {
    for (const name of this.#names) {
      yield `${await run(() => this.#registry.getSingleMetricAsString(name))}\n`;
    }
  }

  #options({ name, help, labels = [] }: MetricShape) {
    this.#names.push(name);
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}
