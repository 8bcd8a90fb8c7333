/** Zone transfers and NOTIFY: what is decided and sent, without a socket. Pure. */
export { axfrQuery, AxfrReader, TransferError } from "./axfr_reader.ts";
export { BulkRoom } from "./bulk_room.ts";
export { axfrChunks, CHUNK_OCTETS, streamChunks, type StreamCount } from "./chunks.ts";
export {
  axfrMessages,
  ixfrMessage,
  ixfrMessages,
  type MessageParts,
  soaMessage,
  transferMessages,
} from "./messages.ts";
export {
  answersNotify,
  FAST_TRIES,
  livelyRetryMs,
  notifyMessage,
  type NotifyReply,
  notifyRetryMs,
  type NotifyVerdict,
  notifyVerdict,
  readNotifyReply,
  SLOW_RETRY_MS,
} from "./notify.ts";
export {
  type DifferencesWanted,
  planTransfer,
  planWithDifferences,
  type TransferPlan,
  type TransferRequest,
} from "./plan.ts";
export {
  answersSoaQuery,
  BEHIND_POLL_MS,
  farthestBehind,
  hasSerial,
  MAX_POLL_MS,
  pollMs,
  renotifyMs,
  soaQuery,
  UNACKNOWLEDGED_POLL_MS,
} from "./watch.ts";
