/** The short way gives the answers of the long way, octet for octet, or none. */
import { assert, assertEquals } from "@std/assert";
import { equalOctets, formatName } from "../../../lib/dns/mod.ts";
import { Access } from "../../../lib/server/access.ts";
import { PlainAnswers } from "../../../lib/server/plain_answer.ts";
import { type AnswerContext, respond } from "../../../lib/server/respond.ts";
import { truncatedAnswer } from "../../../lib/server/truncated_answer.ts";
import { readOwners, ZoneTable } from "../../../lib/zone/mod.ts";
import { NASTY_ZONES } from "../../support/nasty_zones.ts";
import { versionOfFile } from "../../support/our_primary.ts";
import { randomOf } from "../../support/random.ts";
import { questionMessage, randomQuestions } from "../../support/random_questions.ts";

const QUESTIONS = 40_000;
/** Enough for many pages, and owners of all kinds in each. */
const MANY = Array.from({ length: 8_000 }, (_, i) => {
  const name = `app-${(Math.imul(i, 2_654_435_761) >>> 0).toString(16)}`;
  return `${name} A 10.0.${i >> 8}.${i & 255}\n` +
    (i % 5 === 0 ? `x.${name} AAAA 2001:db8::${i}\nx.${name} TXT "${i}" "more"\n` : "") +
    (i % 97 === 0 ? `cut${i} NS ns.elsewhere.test.\nbelow.cut${i} A 192.0.2.1\n` : "");
}).join("");
const LARGE = "$TTL 300\n@ SOA ns1.example. h.example. 1 3600 600 86400 60\n" +
  `@ NS ns1.example.\n@ A 192.0.2.9\n${MANY}`;

const zones = new ZoneTable();
for (const [zone, text] of Object.entries({ ...NASTY_ZONES, "large.test.": LARGE })) {
  zones.set(versionOfFile(zone, text));
}
const names = Array.from(
  zones.all(),
  (version) => Array.from(readOwners(version.pages), ({ owner }) => formatName(owner)),
);
const context: AnswerContext = {
  zones,
  access: new Access({ secondaries: [], allowTransfer: [], allowQuery: undefined }),
  keepsDifferences: false,
};
const CLIENT = { ip: "192.0.2.1", transport: "udp" } as const;

/** A message in a room for an answer. */
function roomFor(message: Uint8Array): Uint8Array {
  const room = new Uint8Array(4_096).fill(0xee);
  room.set(message);
  return room;
}

Deno.test("plain answers: those of the long way, octet for octet", () => {
  const random = randomOf(7);
  const plain = new PlainAnswers(zones);
  // The names of each zone as often, however many it has.
  const ask = names.map((some) => randomQuestions(some, random));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
  let taken = 0;
  for (let i = 0; i < QUESTIONS; i++) {
    const zone = i % ask.length;
    const question = ask[zone]();
    const plainly = { name: pick(names[zone]), type: pick(["A", "A", "AAAA", "TXT", "SOA"]) };
    const message = questionMessage(random() < 0.5 ? question : { ...question, ...plainly });
    if (random() < 0.3) message[Math.floor(random() * 12)] ^= 1 << Math.floor(random() * 8);
    if (random() < 0.05) message[Math.floor(random() * message.length)] = random() * 256;
    const room = roomFor(message);
    const octets = plain.answer(room, message.length);
    if (octets === 0) {
      assert(equalOctets(room, roomFor(message)), `the question was changed: ${message}`);
      continue;
    }
    taken++;
    const { message: expected } = respond(message, CLIENT, context);
    assert(expected !== undefined, `answered what the long way is silent to: ${message}`);
    assertEquals(room.slice(0, octets), expected, `question ${message}`);
  }
  assert(taken > QUESTIONS / 20, `only ${taken} of ${QUESTIONS} went the short way`);
});

Deno.test("plain answers: an owner is found at the first question and at those after it", () => {
  const plain = new PlainAnswers(zones);
  const large = names[names.length - 1].filter((name) => name.startsWith("app-"));
  for (let turn = 0; turn < 3; turn++) {
    for (const name of large) {
      const question = { name, type: "A", edns: undefined, recursionDesired: false };
      const message = questionMessage(question);
      const room = roomFor(message);
      assertEquals(plain.answer(room, message.length), message.length + 16, name);
    }
    const question = { name: "app-not.large.test.", type: "A", edns: undefined };
    const message = questionMessage({ ...question, recursionDesired: false });
    assertEquals(plain.answer(roomFor(message), message.length), 0);
  }
});

Deno.test("plain answers: one above its client's share is as the long way truncates it", () => {
  const plain = new PlainAnswers(zones);
  for (const edns of [undefined, { payloadOctets: 1_232, dnssecOk: false }]) {
    const question = { name: "large.test.", type: "SOA", edns, recursionDesired: true };
    const message = questionMessage(question);
    const room = roomFor(message);
    assert(plain.answer(room, message.length) > 0);
    const { query, envelope } = respond(message, CLIENT, context);
    assertEquals(room.slice(0, plain.truncate(room)), truncatedAnswer(query!, envelope?.edns));
  }
});

Deno.test("plain answers: an RRset that does not fit takes the long way", () => {
  const txt = `${"x".repeat(200)}`;
  const text = "$TTL 300\n@ SOA ns1.example. h.example. 1 3600 600 86400 60\n@ NS ns1.example.\n" +
    Array.from({ length: 6 }, (_, i) => `long TXT "${i}${txt}"\n`).join("");
  const table = new ZoneTable();
  table.set(versionOfFile("fit.test.", text));
  const plain = new PlainAnswers(table);
  const answered = (payloadOctets: number) => {
    const edns = { payloadOctets, dnssecOk: false };
    const question = { name: "long.fit.test.", type: "TXT", edns, recursionDesired: false };
    const message = questionMessage(question);
    return plain.answer(roomFor(message), message.length);
  };
  assertEquals([answered(512), answered(1_232)], [0, 0]);
  const larger = new PlainAnswers(table, 4_096);
  const question = {
    name: "long.fit.test.",
    type: "TXT",
    edns: { payloadOctets: 4_096, dnssecOk: false },
    recursionDesired: false,
  };
  const message = questionMessage(question);
  assert(larger.answer(roomFor(message), message.length) > 1_232);
});
