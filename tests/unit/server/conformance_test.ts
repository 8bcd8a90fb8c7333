/** The conformance tables against the answering function. */
import { assert, assertEquals } from "@std/assert";
import { Access } from "../../../lib/server/access.ts";
import { Cookies } from "../../../lib/server/cookies.ts";
import { type AnswerContext, respond } from "../../../lib/server/respond.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { comparable } from "../../support/comparable.ts";
import { askMessage, expectation, outcome, type Rule } from "../../support/conformance.ts";
import { NAME_RULES } from "../../support/conformance_names.ts";
import { CHAOS_VERSION, PROTOCOL_RULES, SERVER_ID } from "../../support/conformance_protocol.ts";
import { NASTY_ZONES } from "../../support/nasty_zones.ts";
import { versionOfFile } from "../../support/our_primary.ts";

const zones = new ZoneTable();
for (const [zone, text] of Object.entries(NASTY_ZONES)) zones.set(versionOfFile(zone, text));
const context: AnswerContext = {
  zones,
  access: new Access({ secondaries: [], allowTransfer: [], allowQuery: undefined }),
  keepsDifferences: false,
  serverId: SERVER_ID,
  chaosVersion: CHAOS_VERSION,
  cookies: new Cookies({ now: () => 1_700_000_000_000 }),
  idleMs: 30_000,
};

function holds({ rule, ask, expect }: Rule, transport: "udp" | "tcp"): void {
  const { message } = respond(askMessage(ask), { ip: "127.0.0.1", transport }, context);
  assert(message, "silence");
  assertEquals([message[0], message[1]], [0x12, 0x34]);
  assertEquals(outcome(comparable(message)), expectation({ rule, ask, expect }));
  expect.check?.(message);
}

for (const [table, rules] of [["names", NAME_RULES], ["protocol", PROTOCOL_RULES]] as const) {
  Deno.test(`conformance: ${table}`, async (t) => {
    for (const rule of rules) {
      for (const transport of ["udp", "tcp"] as const) {
        if (rule.over !== undefined && rule.over !== transport) continue;
        await t.step(`${rule.rule} (${transport})`, () => holds(rule, transport));
      }
    }
  });
}

Deno.test("conformance: every rule names the RFC it is from, and has its own words", () => {
  const rules = [...NAME_RULES, ...PROTOCOL_RULES].map(({ rule }) => rule);
  for (const rule of rules) assert(/^RFC \d+/.test(rule), rule);
  assertEquals(new Set(rules).size, rules.length);
});

Deno.test("conformance: what is not configured is not told (RFC 4892 §2, RFC 5001 §2.2)", () => {
  const silent: AnswerContext = { ...context, serverId: undefined, chaosVersion: undefined };
  const client = { ip: "127.0.0.1", transport: "udp" } as const;
  for (const name of ["version.bind.", "version.server.", "id.server.", "hostname.bind."]) {
    const ask = askMessage({ name, type: "TXT", class: 3, edns: { options: [[3, []]] } });
    const { rcode, answer, opt } = comparable(respond(ask, client, silent).message!);
    assertEquals([rcode, answer, opt?.options], ["REFUSED", [], [15]], name);
  }
});
