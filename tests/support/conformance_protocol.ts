/** Rules on headers, EDNS, classes, opcodes and refusals. */
import { assertEquals } from "@std/assert";
import { type Ask, type AskEdns, askMessage, type Expected, type Rule } from "./conformance.ts";

/** What the server asked is told of itself by its flags. */
export const SERVER_ID = "ns1.test";
export const CHAOS_VERSION = "zonecast of the tests";

const NSID = 3;
const EXPIRE = 9;
const COOKIE = 10;
const KEEPALIVE = 11;
const EDE = 15;

const WWW = ["www.nasty.test. 300 A 192.0.2.80"];
const SOA = ["nasty.test. 3600 SOA"];

const PLAIN: Ask = { name: "www.nasty.test.", type: "A" };
/** A rule about a question for www.nasty.test. A, unless the question says otherwise. */
const rule = (rule: string, ask: Partial<Ask>, expect: Expected, over?: "udp" | "tcp"): Rule => ({
  rule,
  ask: { ...PLAIN, ...ask },
  expect: { ...expect },
  over,
});
const answered = (text: string, ask: Partial<Ask>, expect: Expected = {}, over?: "udp" | "tcp") =>
  rule(text, ask, { answer: WWW, ...expect }, over);
const refused = (text: string, ask: Partial<Ask>, rcode: string, expect: Expected = {}) =>
  rule(text, ask, { rcode, aa: false, ...expect });
const edns = (edns: AskEdns): Partial<Ask> => ({ edns });
const option = (code: number, ...octets: number[]) => edns({ options: [[code, octets]] });

/** The octets of the option that ends a message. */
function lastOption(message: Uint8Array, octets: number): number[] {
  return [...message.slice(-octets)];
}
const endsIn = (...octets: number[]) => (message: Uint8Array) =>
  assertEquals(lastOption(message, octets.length), octets);
/** The header's second word, without RCODE. */
const flagsAre = (flags: number) => (message: Uint8Array) =>
  assertEquals((message[2] << 8 | message[3]) & 0xfff0, flags);
const text = (value: string) => [...new TextEncoder().encode(value)];

/** Sets octets of a message. */
const set = (at: number, ...octets: number[]) => (message: Uint8Array) => {
  message.set(octets, at);
  return message;
};
const opcode = (code: number): Partial<Ask> => ({ flags: code << 11 });
const bare = { opt: false, check: (message: Uint8Array) => assertEquals(message.length, 12) };
const CLIENT_COOKIE = [1, 2, 3, 4, 5, 6, 7, 8];
/** The octets of an OPT record without options, as we send it. */
const PLAIN_OPT = [0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 0, 0, 0, 0, 0, 0];
/** Nothing but the header and an OPT record comes back. */
const bareWithOpt = {
  opt: true,
  check: (message: Uint8Array) => assertEquals([...message.slice(12)], PLAIN_OPT),
};
/** The question for www.nasty.test. A comes back, and nothing else. */
const questionOnly = {
  opt: false,
  check: (message: Uint8Array) =>
    assertEquals([...message.slice(4)], [0, 1, 0, 0, 0, 0, 0, 0, ...askMessage(PLAIN).slice(12)]),
};

const HEADER_RULES: readonly Rule[] = [
  answered("RFC 1035 §4.1.1: QR and AA; RA never", {}, { check: flagsAre(0x8400) }),
  answered("RFC 1035 §4.1.1: RD comes back", { flags: 0x0100 }, { check: flagsAre(0x8500) }),
  answered("RFC 4035 §3.1.6: CD comes back", { flags: 0x0010 }, { check: flagsAre(0x8410) }),
  answered("RFC 6840 §5.8: AD asked for is not claimed", { flags: 0x0020 }, {
    check: flagsAre(0x8400),
  }),
  answered("RFC 8906 §3.1.3: the Z bit is ignored, and does not come back", { flags: 0x0040 }, {
    check: flagsAre(0x8400),
  }),
  answered("RFC 8906 §3.1.3: so are AA, TC and RA", { flags: 0x0680 }, { check: flagsAre(0x8400) }),
  answered("RFC 8906 §3.1.3: and an RCODE in a query", { flags: 0x000f }),
  ...[1, 2, 3, 4, 5, 6, 7, 15].map((code) =>
    refused(`RFC 8906 §3.1.4: opcode ${code} is NOTIMP`, opcode(code), "NOTIMP", {
      ...bare,
      check: (message) => {
        bare.check(message);
        flagsAre(0x8000 | code << 11)(message);
      },
    })
  ),
  ...[4, 5, 15].map((code) =>
    refused(
      `RFC 6891 §6.1.1: opcode ${code} with OPT is NOTIMP with OPT`,
      { ...opcode(code), ...edns({}) },
      "NOTIMP",
      bareWithOpt,
    )
  ),
  refused("RFC 9619 §4: two questions are FORMERR", { spoil: set(5, 2) }, "FORMERR", bare),
  refused(
    "RFC 7873 §5.4: no question, and no cookie asked for, is FORMERR",
    { spoil: set(5, 0) },
    "FORMERR",
    bare,
  ),
  refused(
    "RFC 1035 §4.1.1: a message cut short is FORMERR",
    { spoil: (message) => message.slice(0, 20) },
    "FORMERR",
    bare,
  ),
  refused(
    "RFC 1035 §4.1.1: octets behind the last record are FORMERR",
    { spoil: (message) => Uint8Array.of(...message, 0) },
    "FORMERR",
    questionOnly,
  ),
  refused(
    "RFC 6891 §6.1.1: and with OPT so is the answer",
    { ...edns({ flags: 0x8000 }), spoil: (message) => Uint8Array.of(...message, 0) },
    "FORMERR",
    { check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 0, 0, 0x80, 0, 0, 0) },
  ),
  refused(
    "RFC 6891 §6.1.1: no question, but OPT, is FORMERR with OPT",
    { ...edns({}), spoil: withoutQuestion },
    "FORMERR",
    bareWithOpt,
  ),
];

const CLASS_RULES: readonly Rule[] = [
  refused(
    "RFC 1034 §4.3.2: a name in no zone is refused",
    { name: "www.elsewhere.test." },
    "REFUSED",
  ),
  refused("RFC 1034 §4.3.2: so is the root", { name: ".", type: "NS" }, "REFUSED"),
  refused(
    "RFC 8914 §4.21: with the extended error Not Authoritative",
    { name: "www.elsewhere.test.", ...edns({}) },
    "REFUSED",
    { options: [EDE], check: endsIn(0, EDE, 0, 2, 0, 20) },
  ),
  refused("RFC 8914 §2: never to one without EDNS", { name: "elsewhere.test." }, "REFUSED"),
  answered("RFC 1035 §3.2.5: of all classes nobody is the authority", { class: 255 }, {
    aa: false,
  }),
  refused("RFC 1035 §3.2.4: class CS is refused", { class: 2 }, "REFUSED"),
  refused("RFC 1035 §3.2.4: class HS is refused", { class: 4 }, "REFUSED"),
  ...["version.bind.", "Version.Server."].map((name) =>
    rule(`RFC 4892 §2: ${name}, where told`, { name, type: "TXT", class: 3 }, {
      answer: [`${name.toLowerCase()} 0 TXT "${CHAOS_VERSION}"`],
    })
  ),
  ...["id.server.", "hostname.bind."].map((name) =>
    rule(`RFC 4892 §2: ${name}`, { name, type: "TXT", class: 3 }, {
      answer: [`${name} 0 TXT "${SERVER_ID}"`],
    })
  ),
  rule(
    "RFC 4892 §2: another type there is NODATA",
    { name: "id.server.", type: "A", class: 3 },
    {},
  ),
  refused(
    "RFC 4892 §2: another name there is refused",
    { name: "authors.bind.", type: "TXT", class: 3 },
    "REFUSED",
  ),
  refused(
    "RFC 4892 §2: they are no names of class IN",
    { name: "id.server.", type: "TXT" },
    "REFUSED",
  ),
  refused("RFC 6895 §3.1: QTYPE OPT is FORMERR", { type: "OPT" }, "FORMERR"),
  refused("RFC 8945 §4.1: QTYPE TSIG is FORMERR", { type: "TSIG" }, "FORMERR"),
  refused("RFC 9824 §3.5: QTYPE NXNAME is FORMERR", { type: "TYPE128" }, "FORMERR"),
  ...["TKEY", "MAILA", "MAILB"].map((type) =>
    refused(`RFC 8906 §3.1.2: QTYPE ${type} is NOTIMP`, { type }, "NOTIMP")
  ),
  refused(
    "RFC 5936 §2.2.1: AXFR by a stranger is refused",
    { name: "nasty.test.", type: "AXFR" },
    "REFUSED",
  ),
  refused(
    "RFC 8914 §4.19: with the extended error Prohibited",
    { name: "nasty.test.", type: "AXFR", ...edns({}) },
    "REFUSED",
    { options: [EDE], check: endsIn(0, EDE, 0, 2, 0, 18) },
  ),
  refused(
    "RFC 1995 §3: IXFR without an SOA record is FORMERR",
    { name: "nasty.test.", type: "IXFR" },
    "FORMERR",
  ),
];

const EDNS_RULES: readonly Rule[] = [
  answered("RFC 6891 §6.1.1: no OPT unasked", {}, { opt: false }),
  answered("RFC 6891 §6.1.1: OPT answers OPT, with the size we take", edns({}), {
    check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 0, 0, 0, 0, 0, 0),
  }),
  answered("RFC 3225 §3: DO comes back", edns({ flags: 0x8000 }), {
    check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 0, 0, 0x80, 0, 0, 0),
  }),
  answered("RFC 6891 §6.1.4: other flags do not", edns({ flags: 0x7fff }), {
    check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 0, 0, 0, 0, 0, 0),
  }),
  ...[0, 511].map((size) =>
    answered(`RFC 6891 §6.2.3: a size of ${size} counts as 512`, edns({ size }))
  ),
  rule(
    "RFC 6891 §6.2.3: so that more is truncated",
    { name: "many.nasty.test.", ...edns({ size: 0 }) },
    { tc: true },
    "udp",
  ),
  rule(
    "RFC 9715 §3.1: more than 1,232 octets leave by TCP alone, whatever is offered",
    { name: "bigtxt.nasty.test.", type: "TXT", ...edns({ size: 4_096 }) },
    { tc: true },
    "udp",
  ),
  refused(
    "RFC 6891 §6.1.3: another version is BADVERS, with OPT",
    edns({ version: 1 }),
    "BADVERS",
    {
      check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 1, 0, 0, 0, 0, 0),
    },
  ),
  refused("RFC 8906 §8.2.9: with DO as asked", edns({ version: 1, flags: 0x8000 }), "BADVERS", {
    check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 1, 0, 0x80, 0, 0, 0),
  }),
  refused(
    "RFC 8906 §8.2.6: its options are not looked at",
    edns({ version: 100, options: [[NSID, []], [100, [1]]] }),
    "BADVERS",
  ),
  refused(
    "RFC 6891 §6.1.1: two OPT records are FORMERR",
    { ...edns({}), opts: 2 },
    "FORMERR",
    { check: endsIn(...PLAIN_OPT) },
  ),
  refused(
    "RFC 6891 §6.1.2: OPT at another name than the root is FORMERR",
    edns({ owner: "x." }),
    "FORMERR",
    { check: endsIn(...PLAIN_OPT) },
  ),
  refused(
    "RFC 6891 §7: an option that is cut off is FORMERR, with OPT",
    { ...option(65_001, 1, 2), spoil: (message) => set(message.length - 3, 9)(message) },
    "FORMERR",
    { check: endsIn(...PLAIN_OPT) },
  ),
  answered("RFC 6891 §6.1.2: unknown options are ignored", option(65_001, 1, 2, 3)),
  answered("RFC 7871 §7.2.1: so is a client subnet", option(8, 0, 1, 24, 0, 192, 0, 2)),
  answered("RFC 5001 §2.2: NSID", option(NSID), {
    options: [NSID],
    check: endsIn(0, NSID, 0, SERVER_ID.length, ...text(SERVER_ID)),
  }),
  rule(
    "RFC 7314 §3.1: EXPIRE with SOA is the SOA's",
    { name: "nasty.test.", type: "SOA", ...option(EXPIRE) },
    { answer: SOA, options: [EXPIRE], check: endsIn(0, EXPIRE, 0, 4, 0, 0x12, 0x75, 0) },
  ),
  answered("RFC 7314 §2: and with any other type, where asked", option(EXPIRE), {
    options: [EXPIRE],
    check: endsIn(0, EXPIRE, 0, 4, 0, 0x12, 0x75, 0),
  }),
  refused(
    "RFC 7314 §3.3: not where we have no zone",
    { name: "www.elsewhere.test.", ...option(EXPIRE) },
    "REFUSED",
    { options: [EDE] },
  ),
  answered("RFC 7828 §3.3.1: over UDP keepalive is ignored", option(KEEPALIVE), {}, "udp"),
  answered("RFC 7828 §3.3.2: over TCP the time a connection may wait", option(KEEPALIVE), {
    options: [KEEPALIVE],
    check: endsIn(0, KEEPALIVE, 0, 2, 300 >> 8, 300 & 0xff),
  }, "tcp"),
  answered(
    "RFC 7873 §5.2.3: a client cookie is answered with ours",
    option(COOKIE, ...CLIENT_COOKIE),
    {
      options: [COOKIE],
      check: (message) =>
        assertEquals(lastOption(message, 28).slice(0, 14), [
          0,
          COOKIE,
          0,
          24,
          ...CLIENT_COOKIE,
          1,
          0,
        ]),
    },
  ),
  answered(
    "RFC 7873 §5.2.4: a wrong server cookie likewise",
    option(COOKIE, ...CLIENT_COOKIE, ...Array.from({ length: 16 }, () => 9)),
    { options: [COOKIE] },
  ),
  refused("RFC 7873 §5.2.2: a cookie too short is FORMERR", option(COOKIE, 1, 2, 3), "FORMERR"),
  refused(
    "RFC 3225 §3: with DO as asked",
    edns({ flags: 0x8000, options: [[COOKIE, [1, 2, 3]]] }),
    "FORMERR",
    { check: endsIn(0, 0, 41, 1_232 >> 8, 1_232 & 0xff, 0, 0, 0x80, 0, 0, 0) },
  ),
  refused(
    "RFC 7873 §5.2.2: or too long",
    option(COOKIE, ...Array.from({ length: 41 }, () => 9)),
    "FORMERR",
  ),
  rule(
    "RFC 7873 §5.4: a cookie may be asked for without a question",
    { ...option(COOKIE, ...CLIENT_COOKIE), spoil: withoutQuestion },
    { aa: false, options: [COOKIE] },
  ),
  refused(
    "RFC 7873 §5.4: a wrong one asked about so is BADCOOKIE, and the right one comes",
    {
      ...option(COOKIE, ...CLIENT_COOKIE, ...Array.from({ length: 16 }, () => 9)),
      spoil: withoutQuestion,
    },
    "BADCOOKIE",
    { options: [COOKIE] },
  ),
  answered(
    "RFC 8906 §8.2.10: several options together",
    edns({ options: [[NSID, []], [COOKIE, CLIENT_COOKIE], [65_001, []]] }),
    { options: [NSID, COOKIE] },
  ),
];

/** The question for www.nasty.test. taken out. */
function withoutQuestion(message: Uint8Array): Uint8Array {
  const octets = "www.nasty.test.".length + 1 + 4;
  const header = message.slice(0, 12);
  header[5] = 0;
  return Uint8Array.of(...header, ...message.slice(12 + octets));
}

export const PROTOCOL_RULES: readonly Rule[] = [...HEADER_RULES, ...CLASS_RULES, ...EDNS_RULES];
