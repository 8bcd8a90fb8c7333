/** Zone transfers and NOTIFY: what is decided and sent, without a socket. Pure. */
export {
  axfrMessages,
  CHUNK_OCTETS,
  type MessageParts,
  soaMessage,
  streamChunks,
  type StreamCount,
} from "./messages.ts";
export {
  answersNotify,
  FAST_TRIES,
  notifyMessage,
  type NotifyReply,
  notifyRetryMs,
  type NotifyVerdict,
  notifyVerdict,
  readNotifyReply,
  SLOW_RETRY_MS,
} from "./notify.ts";
export { planTransfer, type TransferPlan, type TransferRequest } from "./plan.ts";
