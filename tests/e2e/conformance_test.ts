/** The conformance tables against the running server, over UDP and TCP. */
import { assertEquals } from "@std/assert";
import { comparable } from "../support/comparable.ts";
import { askMessage, expectation, outcome, type Rule } from "../support/conformance.ts";
import { NAME_RULES } from "../support/conformance_names.ts";
import { CHAOS_VERSION, PROTOCOL_RULES, SERVER_ID } from "../support/conformance_protocol.ts";
import { exchange, type Server } from "../support/dns_client.ts";
import { systemTest } from "../support/interop.ts";
import { NASTY_ZONES } from "../support/nasty_zones.ts";
import { mustZonecast, serveZones } from "../support/setup.ts";
import { tempDir } from "../support/tempdir.ts";

/** Far more than an answer takes on the busiest machine, ms. */
const TIMEOUT_MS = 20_000;

/** A wildcard with NS records is a bad row to every source. */
const REFUSED = "undefined.test.";

async function holds(server: Server, rule: Rule, transport: "udp" | "tcp"): Promise<void> {
  const options = { tcp: transport === "tcp", timeoutMs: TIMEOUT_MS };
  const message = await exchange(server, askMessage(rule.ask), options);
  assertEquals(outcome(comparable(message)), expectation(rule));
  rule.expect.check?.(message);
}

systemTest("the running server keeps every rule of the conformance tables", async (t) => {
  await using dir = await tempDir();
  const source = `sqlite:${dir.path}/zones.db`;
  const zones = Object.keys(NASTY_ZONES).filter((zone) => zone !== REFUSED);
  for (const zone of zones) {
    const file = `$ORIGIN ${zone}\n${NASTY_ZONES[zone]}\n`;
    await mustZonecast(source, ["import", zone, "-"], file);
  }
  const args = ["--server-id", SERVER_ID, "--chaos-version", CHAOS_VERSION];
  await using zonecast = await serveZones({ source, zones, args });
  for (const rule of [...NAME_RULES, ...PROTOCOL_RULES]) {
    if (rule.ask.name.endsWith(REFUSED)) continue;
    for (const transport of ["udp", "tcp"] as const) {
      if (rule.over !== undefined && rule.over !== transport) continue;
      await t.step(`${rule.rule} (${transport})`, () => holds(zonecast, rule, transport));
    }
  }
});
