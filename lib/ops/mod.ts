/** Operating the server: log, units of flags, addresses, the control socket. */
export * from "./address.ts";
export { askServer, askServerOnce } from "./control_client.ts";
export { ControlError, type ControlRequest } from "./control_protocol.ts";
export { type ControlCommand, ControlServer } from "./control_server.ts";
export * from "./duration.ts";
export { type Finding, type FindingVerdict, worstVerdict } from "./finding.ts";
export type { HttpAnswer } from "./http_answer.ts";
export { HttpError, type HttpRequest } from "./http_request.ts";
export { type HttpContext, type HttpRoute, HttpServer, HttpServerError } from "./http_server.ts";
export { Hints } from "./hints.ts";
export * from "./json.ts";
export * from "./log.ts";
export { LoopDelay, type LoopDelayFigures } from "./loop_delay.ts";
export { Metrics, type MetricShape, type Observer, type Sample } from "./metrics.ts";
export { Quantiles } from "./quantiles.ts";
export {
  openServiceNotifier,
  type ServiceManager,
  serviceManager,
  type ServiceNotifier,
} from "./service_notify.ts";
export * from "./size.ts";
export { pause, runSliced, SLICE_MS, Slices } from "./slices.ts";
export { statusPage } from "./status_page.ts";
export { type SystemCalls, takeSystemCalls } from "./system_calls.ts";
export { type Slot, TimeRing } from "./time_ring.ts";
export { WorkPace } from "./work_pace.ts";
