/** DNS values: names, serials, records. Pure. */
export * from "./errors.ts";
export * from "./name.ts";
export * from "./record.ts";
export * from "./serial.ts";
