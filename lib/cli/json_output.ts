/** `--json` of the commands: the flag, the writing, and shapes that several have. */
import { formatName, formatRdata, type ResourceRecord, typeName } from "../dns/mod.ts";
import type { Context } from "./command.ts";
import { toggle } from "./flags.ts";
import { list, number, object, type Shape, text } from "./json_shape.ts";

/** The flag of commands that print one object. */
export const JSON_FLAG = { json: toggle({ help: "print a JSON object", env: false }) };

/** Prints a value for programs. */
export function printJson(context: Context, value: unknown): Promise<void> {
  return context.print(JSON.stringify(value, null, 2) + "\n");
}

/** A record, as every command has it. */
export const RECORD = object("a record", {
  name: text("its owner, absolute"),
  ttl: number("seconds"),
  type: text("its RR type"),
  content: text("its data, in presentation format"),
});

/** Records, as every command has them. */
export function records(help: string): Shape {
  return list(help, RECORD);
}

/** A record for programs; its shape is {@link RECORD}. */
export function recordJson({ owner, ttl, type, rdata }: ResourceRecord) {
  return { name: formatName(owner), ttl, type: typeName(type), content: formatRdata(type, rdata) };
}
