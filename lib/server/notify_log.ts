/**
 * What the log says of one secondary's NOTIFY messages: of trouble one line of each
 * kind now and then.
 *
 * Effects: log.
 */
import { formatSocketAddress, type Logger } from "../ops/mod.ts";
import type { NotifyVerdict } from "../transfer/mod.ts";
import { RCODE, rcodeName } from "../wire/mod.ts";
import type { ZoneVersion } from "../zone/mod.ts";
import type { LogLimiter } from "./log_limiter.ts";
import type { Secondary } from "./secondary.ts";

/** The NOTIFY that a line is about. */
interface Told {
  readonly version: ZoneVersion;
  /** The zone's name in presentation format. */
  readonly state: { readonly zone: string };
  readonly tries: number;
}

/** What a verdict means. */
const MEANING = {
  unsupported: "it does not know NOTIFY and will find the change at its REFRESH",
  refused: "its zone or its list of primaries is missing; asked again every 5 minutes",
  retry: "it could not use it now; tried again",
} as const;

export class NotifyLog {
  readonly #secondary: Secondary;
  readonly #log: Logger;
  readonly #limiter: LogLimiter;

  constructor(secondary: Secondary, log: Logger, limiter: LogLimiter) {
    this.#secondary = secondary;
    this.#log = log.child({ secondary: secondary.name });
    this.#limiter = limiter;
  }

  sent({ state, version, tries }: Told): void {
    this.#log.debug("NOTIFY sent", { zone: state.zone, serial: version.serial, attempt: tries });
  }

  acknowledged(told: Told): void {
    this.#log.debug("NOTIFY acknowledged", {
      ...fieldsOf(told, RCODE.NOERROR),
      attempts: told.tries,
    });
  }

  notAccepted(
    told: Told,
    rcode: number,
    verdict: Exclude<NotifyVerdict, "acknowledged">,
  ): void {
    const alike = this.#pass(`notify-${verdict}`);
    if (alike === undefined) return;
    const meaning = MEANING[verdict];
    this.#log.warn("NOTIFY not accepted", { ...fieldsOf(told, rcode), meaning, alike });
  }

  disbelieved(told: Told, rcode: number, why: string): void {
    const alike = this.#pass("notify-tsig");
    if (alike === undefined) return;
    const fields = { ...fieldsOf(told, rcode), why, alike };
    this.#log.warn("the answer to a NOTIFY is not believed", fields);
  }

  silent({ state, tries }: Told): void {
    const alike = this.#pass("notify-silent");
    if (alike === undefined) return;
    this.#log.warn("secondary does not acknowledge NOTIFY", {
      zone: state.zone,
      attempts: tries,
      address: formatSocketAddress(this.#secondary),
      hint: "is it up, does it have the zone, and does it allow NOTIFY from this address?",
      alike,
    });
  }

  failed(error: unknown): void {
    const alike = this.#pass("notify-send");
    if (alike === undefined) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.#log.warn("NOTIFY could not be sent", { error: cause, alike });
  }

  /** How many lines like it were held back; undefined: this one is, too. */
  #pass(kind: string): number | undefined {
    return this.#limiter.pass(`${kind} ${this.#secondary.name}`);
  }
}

function fieldsOf({ state, version }: Told, rcode: number) {
  return { zone: state.zone, serial: version.serial, rcode: rcodeName(rcode) };
}
