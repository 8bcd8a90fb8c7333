/** A SQLite source examined: whether its file is there, and can be read. */
import { ZonecastError } from "../../dns/mod.ts";
import type { Finding, FindingVerdict } from "../../ops/mod.ts";
import { SqliteEditor } from "../sqlite.ts";

function found(verdict: FindingVerdict, text: string, fix?: string): Finding {
  return { check: "sqlite", subject: "source", verdict, text, fix };
}

/** @param path  of the file, which is not made where it is not there */
export async function* examineSqlite(path: string): AsyncGenerator<Finding> {
  try {
    await Deno.stat(path);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    yield found(
      "bad",
      `the file ${path} cannot be looked at: ${text}`,
      "zonecast zone add makes it",
    );
    return;
  }
  const editor = new SqliteEditor(path);
  try {
    const zones = await editor.zones();
    yield zones.length > 0
      ? found("good", `${path} has ${zones.length} ${zones.length === 1 ? "zone" : "zones"}`)
      : found("warning", `${path} has no zone`, "zonecast zone add makes one");
  } catch (error) {
    if (!(error instanceof ZonecastError)) throw error;
    yield found("bad", error.message, error.hint ?? "restore it from a backup");
  } finally {
    await editor.close();
  }
}
