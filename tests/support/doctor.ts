/** `zonecast doctor` as tests ask it: what it found, by subject and check. */
import { assertEquals, assertMatch } from "@std/assert";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { misfits } from "../../lib/cli/json_shape.ts";
import { type Finding, worstVerdict } from "../../lib/ops/mod.ts";
import { examineSource } from "../../lib/source/mod.ts";
import { zonecastCli } from "./zonecast.ts";

const SHAPE = COMMANDS.find(({ name }) => name === "doctor")!.json!;

export interface Diagnosis {
  readonly code: number;
  readonly verdict: string;
  readonly findings: readonly Finding[];
  /** The findings of one check about one subject. */
  of(subject: string, check: string): readonly Finding[];
}

/** Runs it with these flags and this environment. @throws {Error} it printed no report */
export async function doctor(
  args: readonly string[],
  env: Record<string, string>,
): Promise<Diagnosis> {
  const { code, stdout, stderr } = await zonecastCli(["doctor", "--json", ...args], { env });
  if (stdout === "") throw new Error(`zonecast doctor exited with ${code}:\n${stderr}`);
  const report = JSON.parse(stdout);
  assertEquals([...misfits(SHAPE, report)], []);
  const { verdict, findings } = report as Diagnosis;
  return { code, verdict, findings, of: finder(findings) };
}

/** What an examination of a source finds, in this process. */
export async function examine(
  url: string,
  cursor: string | undefined = undefined,
): Promise<Diagnosis> {
  const findings = await Array.fromAsync(examineSource(url, { cursor, retentionMs: 86_400_000 }));
  const verdict = worstVerdict(findings);
  return { code: verdict === "bad" ? 3 : 0, verdict, findings, of: finder(findings) };
}

function finder(findings: readonly Finding[]): Diagnosis["of"] {
  return (subject, check) =>
    findings.filter((each) => each.subject === subject && each.check === check);
}

/** One finding with this verdict is there, and says so; where it is not good, what mends it. */
export function assertFound(
  diagnosis: Diagnosis,
  [subject, check, verdict, text, fix]: readonly [string, string, string, RegExp, RegExp?],
): void {
  const found = diagnosis.of(subject, check);
  const all = JSON.stringify(diagnosis.findings, null, 1);
  assertEquals(found.some((each) => each.verdict === verdict), true, `${subject} ${check}: ${all}`);
  const one = found.find((each) => each.verdict === verdict && text.test(each.text));
  assertMatch(one?.text ?? JSON.stringify(found), text);
  if (fix) assertMatch(one?.fix ?? "", fix);
}
