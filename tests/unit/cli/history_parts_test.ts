/** A zone's history over the control socket: what is sent is what is read. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  differencesParts,
  historyParts,
  readDifferences,
  readHistory,
  readVersion,
  versionParts,
} from "../../../lib/cli/history_parts.ts";
import { ControlError, type JsonValue } from "../../../lib/ops/mod.ts";
import { applyDiff, diffVersions, NO_RECORDS } from "../../../lib/zone/mod.ts";
import { zoneVersion } from "../../support/zone_version.ts";

/** Parts as they arrive: through JSON, each in a line that the control socket takes. */
async function* sent(parts: Iterable<JsonValue>): AsyncGenerator<JsonValue> {
  for (const part of parts) {
    const line = JSON.stringify(part);
    assert(line.length < 1_000_000, `a line of ${line.length} characters`);
    yield JSON.parse(line);
  }
}

const OCTETS = "\\000\\255\\200".repeat(60);
const lines = (count: number, text: string) =>
  Array.from({ length: count }, (_, n) => `${text}${n}\\001 60 TXT "${text}${OCTETS}"`).join("\n");

const BEFORE = zoneVersion("example.org.", 4294967295, lines(3000, "a"));
const AFTER = zoneVersion("example.org.", 3, lines(2000, "b"));
const DIFF = diffVersions(BEFORE, AFTER);

Deno.test("history: entries, many of them", async () => {
  const entries = Array.from({ length: 2500 }, (_, n) => ({
    fromSerial: n,
    toSerial: n + 1,
    publishedAt: 1_767_225_600_000 + n,
    cause: "feed",
    added: n,
    removed: 0,
    octets: 7,
  }));
  for (const list of [entries, []]) {
    const history = { serial: 2500, publishedAt: 1_767_225_600_000, entries: list };
    assertEquals(await readHistory(sent(historyParts(history))), history);
  }
});

Deno.test("history: a version of many pages, octet for octet", async () => {
  const version = await readVersion(sent(versionParts(BEFORE)));
  assert(BEFORE.pages.length > 10);
  assertEquals(version, BEFORE);
  const empty = zoneVersion("example.org.", 1);
  assertEquals(await readVersion(sent(versionParts(empty))), empty);
});

Deno.test("history: differences, octet for octet; they lead where they did", async () => {
  const soaOnly = { ...DIFF, removed: NO_RECORDS, added: NO_RECORDS };
  const read = await readDifferences(sent(differencesParts([DIFF, soaOnly, DIFF])));
  assertEquals(read, [DIFF, soaOnly, DIFF]);
  const version = await readVersion(sent(versionParts(BEFORE)));
  assertEquals(diffVersions(applyDiff(version, read![0]), AFTER).added.count, 0);
});

Deno.test("history: differences that are not kept", async () => {
  assertEquals(await readDifferences(sent(differencesParts(undefined))), undefined);
});

Deno.test("history: what is no history is said to be none", async () => {
  for (const part of [{}, 7, { soa: "?" }, { fromSoa: "!", toSoa: "" }]) {
    if (part === 7) await assertRejects(() => readHistory(sent([part])), ControlError);
    await assertRejects(() => readVersion(sent([part])), ControlError);
  }
  await assertRejects(() => readDifferences(sent([{ fromSoa: "!" }])), ControlError);
  await assertRejects(() => readHistory(sent([])), ControlError);
});
