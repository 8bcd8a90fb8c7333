/**
 * Zone contents as text lines, from the query tools and from master files, made comparable.
 *
 * A line is `owner TTL TYPE RDATA`: the owner in lower case and absolute, single
 * spaces, RDATA as the tool prints it. Tools differ in how they print RDATA; to
 * compare across tools, pass both texts through {@link canonicalLines}.
 */
import type { Server } from "./dns_client.ts";
import { mustRun, which } from "./processes.ts";
import { tempDir } from "./tempdir.ts";

export type TransferTool = "dig" | "kdig" | "drill";

function toolArgs(tool: TransferTool, server: Server, name: string, type: string): string[] {
  const { addr, port } = server;
  if (tool === "drill") return ["-p", String(port), `@${addr}`, name, type];
  const common = [`@${addr}`, "-p", String(port), name, type, "+noall", "+answer", "+time=10"];
  return tool === "dig" ? [...common, "+tries=1", "+norecurse", "+nosplit"] : common;
}

/** One record line normalised; undefined for a comment or an empty line. */
function normaliseLine(line: string): string | undefined {
  if (/^\s*(;|$)/.test(line)) return undefined;
  const match = /^(\S+)\s+(\d+)\s+(?:IN|CLASS1)\s+(\S+)\s*(.*)$/i.exec(line.trimEnd());
  if (!match) throw new Error(`Cannot read record line: ${line}`);
  const [, owner, ttl, type, rdata] = match;
  return `${owner.toLowerCase()} ${ttl} ${type.toUpperCase()} ${squeeze(rdata)}`.trimEnd();
}

/** Single spaces for runs of blanks outside quotes and escapes. */
function squeeze(rdata: string): string {
  return rdata.replace(
    /\\.|"(?:[^"\\]|\\.)*"|\s+/g,
    (part) => /^\s/.test(part) ? " " : part,
  );
}

/** The record lines in a tool's output or in a master file of whole, one-line records. */
export function recordLines(text: string): string[] {
  return text.split("\n").map(normaliseLine).filter((line) => line !== undefined);
}

/** The tool's whole output for one question: raw text, comments included. */
export function runTool(
  tool: TransferTool,
  server: Server,
  name: string,
  type: string,
): Promise<string> {
  return mustRun(which(tool) ?? tool, toolArgs(tool, server, name, type));
}

/**
 * The text of a whole AXFR as the tool prints it: both SOAs, in the order sent.
 *
 * @throws {Error} the transfer failed
 */
export async function transferText(
  tool: TransferTool,
  server: Server,
  zone: string,
): Promise<string> {
  const text = await runTool(tool, server, zone, "AXFR");
  const lines = recordLines(text);
  const isSoa = (line: string | undefined) => line !== undefined && / \d+ SOA /.test(line);
  if (lines.length < 2 || !isSoa(lines[0]) || !isSoa(lines[lines.length - 1])) {
    throw new Error(`${tool} got no whole AXFR of ${zone}:\n${text.slice(0, 2000)}`);
  }
  return text;
}

/** The records of a whole AXFR, sorted, the closing SOA left out. */
export async function transferLines(
  tool: TransferTool,
  server: Server,
  zone: string,
): Promise<string[]> {
  return recordLines(await transferText(tool, server, zone)).slice(0, -1).sort();
}

/**
 * The zone's records in one spelling, whatever tool or server printed `text`: sorted lines as
 * BIND's named-compilezone prints them. Duplicates fall together.
 *
 * Limitation: BIND gives every record of an RRset one TTL.
 *
 * @throws {Error} BIND cannot read the text as a zone
 */
export async function canonicalLines(zone: string, text: string): Promise<string[]> {
  await using dir = await tempDir();
  const input = await dir.write("in.zone", text);
  const output = `${dir.path}/out.zone`;
  const ignore = ["-k", "-n", "-m", "-M", "-r", "-S", "-T", "-W"].flatMap((check) => [
    check,
    "ignore",
  ]);
  await mustRun(which("named-compilezone") ?? "named-compilezone", [
    "-q",
    "-i",
    "none",
    ...ignore,
    "-s",
    "full",
    "-o",
    output,
    zone,
    input,
  ]);
  return recordLines(await Deno.readTextFile(output)).sort();
}
