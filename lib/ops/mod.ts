/** Operating the server: log, units of flags, addresses, the control socket. */
export * from "./log.ts";
