/**
 * What becomes of requests for transfers: counted, kept as the secondary's state, logged.
 *
 * Owns nothing. Effects: counts, per-secondary states, log.
 */
import { formatName, type Name, type Serial, TYPE } from "../dns/mod.ts";
import { type Logger, normalIp } from "../ops/mod.ts";
import type { TransferPlan } from "../transfer/mod.ts";
import { type Query, rcodeName } from "../wire/mod.ts";
import type { Access } from "./access.ts";
import type { AnswerCounts } from "./answer_counts.ts";
import type { Clock } from "./clock.ts";
import type { LogLimiter } from "./log_limiter.ts";
import type { Client } from "./respond.ts";
import type { Secondary } from "./secondary.ts";
import type { SecondaryStates, TransferState } from "./secondary_state.ts";
import type { ServerCounts } from "./server_counts.ts";

/** A plan of several records: one that is a transfer. */
export type BulkPlan = Extract<TransferPlan, { kind: "axfr" | "ixfr" }>;

/** A transfer that was sent, or as much of it as was. */
export interface TransferRun {
  readonly plan: BulkPlan;
  readonly messages: number;
  readonly octets: number;
  readonly durationMs: number;
}

export interface TransferNotesOptions {
  readonly access: Access;
  readonly states: SecondaryStates;
  readonly log: Logger;
  readonly clock: Clock;
  /** Told when a secondary has fetched a serial, or says in an IXFR query that it has ours. */
  readonly onFetched?: (secondary: Secondary, apex: Name, serial: Serial) => void;
}

export class TransferNotes {
  constructor(
    readonly options: TransferNotesOptions,
    readonly counts: ServerCounts,
    readonly answers: AnswerCounts,
    readonly limiter: LogLimiter,
  ) {}

  /** A transfer whose last octet was written. */
  sent(query: Query, client: Client, run: TransferRun): void {
    const { plan, durationMs, octets } = run;
    this.counts.transfers++;
    this.counts.transferOctets += octets;
    this.answers.sent(plan.kind, octets);
    const { serial, apex } = plan.version;
    const at = this.options.clock.now();
    const state: TransferState = {
      kind: plan.kind,
      transport: client.transport,
      serial,
      octets,
      durationMs,
      at,
    };
    for (const secondary of this.options.access.secondariesAt(client)) {
      this.options.states.of(secondary, apex).transfer = state;
      this.options.onFetched?.(secondary, apex, serial);
    }
    this.options.log.info("transfer sent", {
      ...this.#fields(query, client),
      kind: plan.kind,
      from: plan.kind === "ixfr" ? query.ixfrSerial : undefined,
      serial,
      messages: run.messages,
      octets,
      ms: Math.round(durationMs),
      reason: plan.reason,
    });
  }

  /** A request that cannot wait any longer is told to ask again later. */
  putOff(query: Query, client: Client): void {
    this.counts.transfersPutOff++;
    this.answers.putOff(query);
    const held = this.limiter.pass(`put off ${client.ip}`);
    if (held === undefined) return;
    const hint = "raise --max-transfers or --max-transfers-per-client, or look for slow clients";
    this.options.log.warn("transfer put off: too many run", {
      ...this.#fields(query, client),
      hint,
      alike: held,
    });
  }

  /** A transfer that ended before its last octet. */
  broken(query: Query, client: Client, run: TransferRun, why: string): void {
    this.counts.transfersBroken++;
    this.answers.broken(run.plan.kind, run.octets);
    this.options.log.warn("transfer broken off", {
      ...this.#fields(query, client),
      serial: run.plan.version.serial,
      octets: run.octets,
      ms: Math.round(run.durationMs),
      why,
    });
  }

  /** A request answered by the zone's SOA alone. */
  answeredBySoa(
    { version: { serial, apex }, reason }: Extract<TransferPlan, { kind: "soa" }>,
    query: Query,
    client: Client,
  ): void {
    if (query.ixfrSerial === serial) {
      for (const secondary of this.options.access.secondariesAt(client)) {
        this.options.onFetched?.(secondary, apex, serial);
      }
    }
    const fields = this.#fields(query, client);
    this.options.log.debug("transfer answered by the SOA alone", { ...fields, serial, reason });
  }

  refused(
    { rcode, reason }: Extract<TransferPlan, { kind: "refuse" }>,
    query: Query,
    client: Client,
  ): void {
    this.counts.transfersRefused++;
    const held = this.limiter.pass(`refused ${client.ip}`);
    if (held === undefined) return;
    const fields = { ...this.#fields(query, client), rcode: rcodeName(rcode), reason, alike: held };
    this.options.log.warn("transfer refused", fields);
  }

  #fields({ question }: Query, client: Client) {
    const secondaries = this.options.access.secondariesAt(client);
    return {
      client: normalIp(client.ip),
      transport: client.transport,
      secondary: secondaries.map(({ name }) => name).join(" ") || undefined,
      key: client.keyName && formatName(client.keyName),
      zone: formatName(question.name),
      asked: question.type === TYPE.IXFR ? "IXFR" : "AXFR",
    };
  }
}
