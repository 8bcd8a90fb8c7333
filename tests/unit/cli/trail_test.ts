/** What `zonecast tail` is told of held changes. */
import { assertEquals } from "@std/assert";
import { misfits } from "../../../lib/cli/json_shape.ts";
import { tail } from "../../../lib/cli/tail.ts";
import { Trail, type TrailEvent } from "../../../lib/cli/trail.ts";
import { createLogger } from "../../../lib/ops/mod.ts";

const AT = Date.UTC(2026, 10, 28, 12);
const first = { zone: "example.org.", id: "3f9ac01b2d4e", why: "20 of 31 owners would be gone" };
const otherwise = { ...first, id: "cc57e50325c2", why: "25 of 31 owners would be gone" };
const elsewhere = { ...first, zone: "other.example." };

/** What a follower of example.org. is told while all that is held is, in turn, each of these. */
async function toldOf(...held: (typeof first)[][]): Promise<TrailEvent[]> {
  const log = createLogger({ format: "text", level: "error", journal: false });
  const trail = new Trail(log, [], () => AT);
  const end = new AbortController();
  const told: TrailEvent[] = [];
  const following = (async () => {
    for await (const event of trail.follow("example.org.", end.signal)) told.push(event);
  })();
  for (const holds of held) trail.held(holds);
  end.abort();
  await following;
  for (const event of told) assertEquals([...misfits(tail.json!, event)], []);
  return told;
}

const at = new Date(AT).toISOString();
const { zone } = first;

Deno.test("tail: a held change is told once, and again when it is held no more", async () => {
  assertEquals(await toldOf([first], [first, elsewhere], [elsewhere], []), [
    { event: "held", at, ...first },
    { event: "released", at, zone, id: first.id },
  ]);
});

Deno.test("tail: a held change that becomes another is told under its new id", async () => {
  assertEquals(await toldOf([first], [otherwise]), [
    { event: "held", at, ...first },
    { event: "held", at, ...otherwise },
  ]);
});
