/** What a source's link says of a source that is away. */
import { assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../support/ports.ts";
import { until } from "../../support/wait.ts";
import { watchSource } from "./watched_source.ts";

Deno.test("a source that is away: its link says why, since when, and what to do", async (t) => {
  const urls = [
    ["a file that is not there", "sqlite:/nonexistent/zones.db", /There is no|Cannot/],
    ["a server that is not there", `postgres://app@127.0.0.1:${freePort()}/app`, /Cannot reach/],
  ] as const;
  for (const [what, url, reason] of urls) {
    await t.step(what, async () => {
      await using watched = watchSource(url);
      const link = await until(() => watched.links[0], { what: "a link state" });
      assertEquals(link.up, false);
      assertMatch(link.reason ?? "", reason);
      assertMatch(link.hint ?? "", /\w/);
    });
  }
});
