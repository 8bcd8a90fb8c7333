/** The DNS server: listeners, answers, transfers, NOTIFY, access. */
export { Access, type AccessRules, type TransferRule } from "./access.ts";
export type { TransferCounts, TransferResult } from "./answer_counts.ts";
export { AskError, type AskErrorCode } from "./ask_error.ts";
export { type AskedQuestion, queryFor, type Request } from "./ask_request.ts";
export { type AskedAnswer, type AskedServer, Asker, type AskerOptions } from "./asker.ts";
export { answerSource } from "./answer_source.ts";
export type { Clock } from "./clock.ts";
export type { ServerCounts } from "./dns_service.ts";
export { freeDescriptors } from "./descriptors.ts";
export { KeyRing } from "./key_ring.ts";
export {
  DEFAULT_LIMITS,
  DEFAULT_RATE_EXEMPT,
  MAX_IDENTITY_OCTETS,
  type ServerLimits,
} from "./limits.ts";
export {
  parseSecondaries,
  parseSecondary,
  type Secondary,
  SECONDARY_TAKES,
  SecondaryError,
} from "./secondary.ts";
export type {
  NotifyState,
  SecondaryCounts,
  SecondaryState,
  SecondarySummary,
  SecondaryZone,
  TransferState,
  WatchState,
} from "./secondary_state.ts";
export type { SerialSurvey } from "./serial_survey.ts";
export { DnsServer } from "./server.ts";
export type { DnsServerOptions } from "./server_options.ts";
export type { TlsOptions } from "./listeners.ts";
export type { SecondaryStatus, ServerFigures, ServerStatus } from "./server_status.ts";
export { ServerError } from "./server_error.ts";
export { ALPN_DOT, type TlsCertificate } from "./tls_relay.ts";
export type { SecondaryEvent } from "./watcher.ts";
export { fetchZone, type ZonePart } from "./zone_fetcher.ts";
