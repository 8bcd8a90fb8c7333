/** Operating the server: log, units of flags, addresses, the control socket. */
export * from "./address.ts";
export { askServer, askServerOnce } from "./control_client.ts";
export { ControlError, type ControlRequest } from "./control_protocol.ts";
export { type ControlCommand, ControlServer } from "./control_server.ts";
export * from "./duration.ts";
export { type Finding, type FindingVerdict, worstVerdict } from "./finding.ts";
export * from "./json.ts";
export * from "./log.ts";
export { LoopDelay, type LoopDelayFigures } from "./loop_delay.ts";
export {
  openServiceNotifier,
  type ServiceManager,
  serviceManager,
  type ServiceNotifier,
} from "./service_notify.ts";
export * from "./size.ts";
export { pause, runSliced, SLICE_MS } from "./slices.ts";
