/**
 * The status page of the executable in a real Chromium: live, by keyboard, light, dark and narrow.
 *
 * ZONECAST_SCREENSHOTS=DIR keeps pictures of it, to be looked at.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { axeFindings, type Look, type OpenPage, TestBrowser } from "../support/browser.ts";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { startPostgres } from "../support/postgres.ts";
import { sourceDatabase } from "../support/setup.ts";

const ZONE = "page.example.";
const LOOKS: Readonly<Record<string, Look>> = {
  light: { width: 1280 },
  dark: { width: 1280, scheme: "dark" },
  narrow: { width: 360, height: 740 },
};
/** Heads before values, on a narrow screen, that take more than a line: long data squeezes them. */
const BROKEN_HEADS = `[...document.querySelectorAll("#records td")].filter((cell) => {
  const { height, fontSize } = getComputedStyle(cell, "::before");
  return parseFloat(height) > 2 * parseFloat(fontSize);
}).map((cell) => cell.dataset.head + ": " + cell.textContent)`;
const PICTURES = Deno.env.get("ZONECAST_SCREENSHOTS");

async function picture({ page }: OpenPage, name: string): Promise<void> {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

interopTest("status page: shows changes as they happen, to everybody", {
  needs: ["chromium", "nsd"],
  leavesTimers: true, // playwright-core's
}, async (t) => {
  await using postgres = await startPostgres();
  const { url, sql } = await sourceDatabase(postgres, [ZONE, "other.example."]);
  const http = `http://127.0.0.1:${freePort()}`;
  await using followed = await serveFollowed(["nsd"], {
    source: url,
    zones: [ZONE, "other.example."],
    args: ["--http", http.replace("http://", "")],
  });
  await using browser = await TestBrowser.start();
  const open = await browser.open(http, LOOKS.light);
  const { page } = open;
  const text = (selector: string) => page.locator(selector).innerText();
  const shows = (selector: string, words: string) =>
    page.locator(selector, { hasText: words }).first().waitFor();

  await t.step("a commit shows without reload, and that it is live", async () => {
    await shows("#state", "ready");
    await shows("#pulse", "live");
    await shows("#zones", ZONE);
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('page.example', 'fresh', 'A', '192.0.2.77')`;
    await shows("#recent tr", "+1 −0");
    await page.locator('svg[aria-label*="within"]').waitFor();
    await shows("#secondaries", "2 live");
    assertEquals(await text("#attention-list"), "Nothing needs you.");
  });

  await t.step("by keyboard: a zone is found and opened, its records are searched", async () => {
    await page.locator("#zones-q").focus();
    await page.keyboard.type("page");
    await shows("#zones-count", "1 zone");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await shows("#zone-head", ZONE);
    assertEquals(await page.evaluate("document.activeElement.id"), "zone-head");
    await shows("#records", "192.0.2.77");
    await page.locator("#records-q").fill("192.0.2.77");
    await shows("#records-note", "1 record");
    assertStringIncludes(await text("#records"), `fresh.${ZONE}`);
    await page.locator("#records-q").fill("not there");
    await shows("#records", "No record has that");
  });

  await t.step("versions show what changed; plots are read by arrow keys", async () => {
    await page.locator("#tab-records").press("ArrowRight");
    await page.locator("#zone-panel summary").first().press("Enter");
    await shows("#zone-panel pre", `+ fresh.${ZONE}`);
    await page.locator("#tab-versions").press("ArrowRight");
    await shows("#zone-panel", "acknowledged");
    const plot = page.locator("#secondaries svg");
    await plot.press("Home");
    await shows("#secondaries output", "59 min ago: no change");
  });

  await t.step("problems and held changes say what to do", async () => {
    await sql`insert into zonecast.records (zone, name, type, content)
      values ('page.example', 'bad', 'A', 'no address')`;
    await shows("#attention-list", "1 row or name is not served as written");
    await page.locator("#attention-list summary").first().click();
    await shows("#attention-list", "no address");
    await shows("#attention-list td", "not served as written");
    await sql`insert into zonecast.records (zone, name, ttl, type, content) values
      ('page.example', 'ttls', 60, 'A', '192.0.2.8'), ('page.example', 'ttls', 90, 'A', '192.0.2.9')`;
    await shows("#attention-list", "1 row or name is not served as written, 1 warning beside");
    await page.locator("#attention-list summary").first().click();
    await shows("#attention-list td", "warning: served all the same");
    await sql`delete from zonecast.records where zone = 'other.example'`;
    await shows("#attention-list", "A change of other.example. is held back");
    await shows("#state", "ready, with remarks");
  });

  for (const [name, look] of Object.entries(LOOKS)) {
    await t.step(`${name}: axe-core finds nothing serious, nothing asks elsewhere`, async () => {
      const open = await browser.open(`${http}/#zone/${ZONE}`, look);
      await open.page.locator("#records table").waitFor();
      assertEquals(await axeFindings(open.page), []);
      assertEquals(open.complaints, []);
      assert(open.requests.every((each) => each.startsWith(http) || each.startsWith("data:")));
      const width = await open.page.evaluate<number>("document.documentElement.scrollWidth");
      assert(width <= look.width, `${width} px are wider than the window`);
      assertEquals(await open.page.evaluate(BROKEN_HEADS), []);
      await picture(open, name);
      await open.page.context().close();
    });
  }

  await t.step("a server that is gone is said to be, and it comes back by itself", async () => {
    assertEquals(open.complaints, []);
    await followed.zonecast.stop();
    await page.locator("#pulse:not(.live)").waitFor();
    await followed.zonecast.start();
    await page.locator("#pulse.live").waitFor();
  });
});
