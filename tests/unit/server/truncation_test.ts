/** Where an answer is cut: at the octet from which on it does not fit. */
import { assertEquals } from "@std/assert";
import { Access } from "../../../lib/server/access.ts";
import { type AnswerContext, respond } from "../../../lib/server/respond.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { comparable, type ComparableMessage } from "../../support/comparable.ts";
import { type Ask, askMessage } from "../../support/conformance.ts";
import { NASTY_ZONES } from "../../support/nasty_zones.ts";
import { versionOfFile } from "../../support/our_primary.ts";

const zones = new ZoneTable();
for (const [zone, text] of Object.entries(NASTY_ZONES)) zones.set(versionOfFile(zone, text));
const context: AnswerContext = {
  zones,
  access: new Access({ secondaries: [], allowTransfer: [], allowQuery: undefined }),
  keepsDifferences: false,
  udpOctets: 4_096,
};

function answer(ask: Ask, size: number, transport: "udp" | "tcp"): ComparableMessage {
  const message = askMessage({ ...ask, edns: { ...ask.edns, size } });
  return comparable(respond(message, { ip: "127.0.0.1", transport }, context).message!);
}

const WHOLE: readonly [what: string, name: string, type: string, flags: number][] = [
  ["an RRset", "many.nasty.test.", "A", 0],
  ["records of one long RRset", "bigtxt.nasty.test.", "TXT", 0],
  ["all glue of a referral (RFC 9471 §3.1)", "x.cutwide.nasty.test.", "A", 0],
  ["signatures (RFC 4035 §3.1.1)", `${`${"x".repeat(60)}.`.repeat(3)}dn.signed.test.`, "A", 0x8000],
];

Deno.test("an answer is whole to its last octet, and truncated one below (RFC 2181 §9)", async (t) => {
  for (const [what, name, type, flags] of WHOLE) {
    await t.step(what, () => {
      const ask = { name, type, edns: { flags } };
      const { octets } = answer(ask, 0xffff, "tcp");
      const [fits, cut] = [octets, octets - 1].map((size) => answer(ask, size, "udp"));
      assertEquals([octets > 512, fits.tc, fits.octets, cut.tc], [true, false, octets, true]);
    });
  }
});

Deno.test("what is only a help is left out without TC, an RRset at a time (RFC 2181 §9)", () => {
  const ask = { name: "nasty.test.", type: "NS" };
  // An option takes the room.
  const serverId = "n".repeat(360);
  const message = askMessage({ ...ask, edns: { size: 512, options: [[3, []]] } });
  const told = respond(message, { ip: "127.0.0.1", transport: "udp" }, { ...context, serverId });
  const { tc, octets, answer: ns, additional } = comparable(told.message!);
  assertEquals([tc, octets <= 512, ns.length], [false, true, 3]);
  const all = answer(ask, 4_096, "udp").additional;
  assertEquals(additional.length < all.length, true);
});

Deno.test("no answer is longer than its client takes, at any size", () => {
  const names = ["nasty.test.", "x.dn2.nasty.test.", "loop1.nasty.test.", "x.cutwide.nasty.test."];
  for (const name of [...names, "many.nasty.test.", "edge.nasty.test."]) {
    for (const type of ["A", "MX", "TXT", "ANY", "NS"]) {
      for (let size = 500; size < 1_300; size += 7) {
        const { octets } = answer({ name, type, edns: { flags: 0x8000 } }, size, "udp");
        assertEquals(octets <= Math.max(size, 512), true, `${name} ${type} ${size}`);
      }
    }
  }
});
