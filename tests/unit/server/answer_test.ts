import { assert, assertEquals } from "@std/assert";
import type { Answer } from "dns-packet";
import { parseName, typeCode } from "../../../lib/dns/mod.ts";
import { parseCidr } from "../../../lib/ops/mod.ts";
import { Access } from "../../../lib/server/access.ts";
import { type Client, respond } from "../../../lib/server/respond.ts";
import { FLAG, RCODE } from "../../../lib/wire/mod.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { type Decoded, decodeMessage, encodeQuery } from "../../support/oracle.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const LONG = "x".repeat(63);
const ZONE = zoneVersion(
  "Example.org.",
  77,
  `
@            300 NS    ns1
@            300 MX    10 mail
ns1          300 A     192.0.2.1
ns1          300 AAAA  2001:db8::1
www          300 A     192.0.2.2
www          300 A     192.0.2.3
WwW2         300 A     192.0.2.4
alias        60  CNAME www
chain1       60  CNAME chain2
chain2       60  CNAME www
loop1        60  CNAME loop2
loop2        60  CNAME loop1
dangling     60  CNAME nothing.www
outside      60  CNAME www.example.net.
a.b.c        300 TXT   "deep"
*.wild       300 A     192.0.2.9
*.wild       300 MX    10 mail
exact.wild   300 TXT   "not the wildcard"
*.cwild      60  CNAME www
below.ent.wild2 300 TXT "x"
*.wild2      300 A     192.0.2.10
sub          300 NS    ns.sub
sub          300 NS    ns1
sub          300 NS    ns.elsewhere.net.
sub          300 DS    1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub       300 A     192.0.2.53
tosub        60  CNAME x.sub
dn           300 DNAME target
y.target     300 A     192.0.2.20
${LONG}.${LONG}.target 300 A 192.0.2.21
longdn       300 DNAME ${LONG}.${LONG}.${LONG}
big          300 TXT   ${Array.from({ length: 3 }, () => `"${"t".repeat(200)}"`).join(" ")}
${Array.from({ length: 40 }, (_, i) => `many 300 A 198.51.100.${i}`).join("\n")}
${Array.from({ length: 20 }, (_, i) => `wide 300 NS ns${i}.wide`).join("\n")}
${Array.from({ length: 20 }, (_, i) => `ns${i}.wide 300 A 203.0.113.${i}`).join("\n")}
`,
);
const CHILD = zoneVersion("child.example.org.", 5, "@ 300 NS ns1.example.org.");

function context(rules: { allowQuery?: string[] } = {}) {
  const zones = new ZoneTable();
  zones.set(ZONE);
  zones.set(CHILD);
  const access = new Access({
    secondaries: [],
    allowTransfer: [{ cidr: parseCidr("192.0.2.1"), keys: [] }],
    allowQuery: rules.allowQuery?.map(parseCidr),
  });
  return { zones, access, keepsDifferences: false };
}

const UDP: Client = { ip: "127.0.0.1", transport: "udp" };
const TCP: Client = { ip: "127.0.0.1", transport: "tcp" };

function ask(
  name: string,
  type: string,
  over: { client?: Client; query?: Record<string, unknown>; allowQuery?: string[] } = {},
): Decoded & { rcode: string } {
  const message = encodeQuery({ questions: [{ name, type }], ...over.query });
  const { message: answer } = respond(message, over.client ?? UDP, context(over));
  assert(answer, "silence");
  return decodeMessage(answer) as Decoded & { rcode: string };
}

function line(answer: Answer): string {
  const ttl = "ttl" in answer ? answer.ttl : "";
  if (answer.type === "SOA") return `${answer.name} ${ttl} SOA ${answer.data.serial}`;
  if (answer.type === "MX") return `${answer.name} ${ttl} MX ${answer.data.exchange}`;
  const data = "data" in answer ? String(answer.data) : "";
  return `${answer.name} ${ttl} ${answer.type} ${data}`;
}

const SOA = "Example.org 3600 SOA 77";
const NEGATIVE_SOA = "Example.org 300 SOA 77";
const WWW = ["www.Example.org 300 A 192.0.2.2", "www.Example.org 300 A 192.0.2.3"];

interface Expected {
  readonly rcode?: string;
  /** Default true. */
  readonly aa?: boolean;
  readonly answers?: readonly string[];
  readonly authorities?: readonly string[];
  readonly additionals?: readonly string[];
}

const CASES: readonly [criterion: string, name: string, type: string, expected: Expected][] = [
  ["SOA at the apex", "example.org", "SOA", { answers: [SOA] }],
  ["data at the apex, with addresses of its names (RFC 1035 §3.3.11)", "example.org", "NS", {
    answers: ["Example.org 300 NS ns1.Example.org"],
    additionals: ["ns1.Example.org 300 A 192.0.2.1", "ns1.Example.org 300 AAAA 2001:db8::1"],
  }],
  ["an RRset", "www.example.org", "A", { answers: WWW }],
  ["the owner's case is the zone's", "www2.EXAMPLE.org", "A", {
    answers: ["WwW2.Example.org 300 A 192.0.2.4"],
  }],
  ["NODATA with SOA, TTL by MINIMUM (RFC 2308 §5)", "www.example.org", "AAAA", {
    authorities: [NEGATIVE_SOA],
  }],
  ["NXDOMAIN with SOA (RFC 2308 §3)", "nothing.example.org", "A", {
    rcode: "NXDOMAIN",
    authorities: [NEGATIVE_SOA],
  }],
  ["an empty non-terminal is NODATA (RFC 8020)", "b.c.example.org", "A", {
    authorities: [NEGATIVE_SOA],
  }],
  ["below a name with data is NXDOMAIN", "x.www.example.org", "A", {
    rcode: "NXDOMAIN",
    authorities: [NEGATIVE_SOA],
  }],
  ["a CNAME is followed in the zone", "alias.example.org", "A", {
    answers: ["alias.Example.org 60 CNAME www.Example.org", ...WWW],
  }],
  ["a CNAME asked for is not followed", "alias.example.org", "CNAME", {
    answers: ["alias.Example.org 60 CNAME www.Example.org"],
  }],
  ["a chain of CNAMEs is followed", "chain1.example.org", "A", {
    answers: [
      "chain1.Example.org 60 CNAME chain2.Example.org",
      "chain2.Example.org 60 CNAME www.Example.org",
      ...WWW,
    ],
  }],
  ["a CNAME loop is an error (RFC 1034 §3.6.2)", "loop1.example.org", "A", {
    rcode: "SERVFAIL",
    answers: [
      "loop1.Example.org 60 CNAME loop2.Example.org",
      "loop2.Example.org 60 CNAME loop1.Example.org",
    ],
  }],
  ["a CNAME to nothing is NXDOMAIN (RFC 6604 §3)", "dangling.example.org", "A", {
    rcode: "NXDOMAIN",
    answers: ["dangling.Example.org 60 CNAME nothing.www.Example.org"],
    authorities: [NEGATIVE_SOA],
  }],
  ["a CNAME to NODATA has the SOA", "alias.example.org", "TXT", {
    answers: ["alias.Example.org 60 CNAME www.Example.org"],
    authorities: [NEGATIVE_SOA],
  }],
  ["a CNAME out of the zone is the answer", "outside.example.org", "A", {
    answers: ["outside.Example.org 60 CNAME www.example.net"],
  }],
  ["a wildcard answers for the name asked (RFC 4592 §3.3.1)", "any.Wild.example.org", "A", {
    answers: ["any.Wild.example.org 300 A 192.0.2.9"],
  }],
  ["a wildcard covers deeper names", "a.b.wild.example.org", "A", {
    answers: ["a.b.wild.example.org 300 A 192.0.2.9"],
  }],
  ["a wildcard without the type is NODATA", "any.wild.example.org", "TXT", {
    authorities: [NEGATIVE_SOA],
  }],
  ["a name that exists hides the wildcard", "exact.wild.example.org", "A", {
    authorities: [NEGATIVE_SOA],
  }],
  ["so does all below it", "x.exact.wild.example.org", "A", {
    rcode: "NXDOMAIN",
    authorities: [NEGATIVE_SOA],
  }],
  ["so does an empty non-terminal", "ent.wild2.example.org", "A", { authorities: [NEGATIVE_SOA] }],
  ["a wildcard CNAME is followed", "q.cwild.example.org", "A", {
    answers: ["q.cwild.example.org 60 CNAME www.Example.org", ...WWW],
  }],
  ["the wildcard itself can be asked for", "*.wild.example.org", "A", {
    answers: ["*.wild.Example.org 300 A 192.0.2.9"],
  }],
  ["a name below a cut: referral with glue (RFC 1034 §4.3.2)", "x.y.sub.example.org", "A", {
    aa: false,
    authorities: [
      "sub.Example.org 300 NS ns.sub.Example.org",
      "sub.Example.org 300 NS ns.elsewhere.net",
      "sub.Example.org 300 NS ns1.Example.org",
    ],
    additionals: [
      "ns.sub.Example.org 300 A 192.0.2.53",
      "ns1.Example.org 300 A 192.0.2.1",
      "ns1.Example.org 300 AAAA 2001:db8::1",
    ],
  }],
  ["glue asked for is a referral too", "ns.sub.example.org", "A", {
    aa: false,
    authorities: [
      "sub.Example.org 300 NS ns.sub.Example.org",
      "sub.Example.org 300 NS ns.elsewhere.net",
      "sub.Example.org 300 NS ns1.Example.org",
    ],
    additionals: [
      "ns.sub.Example.org 300 A 192.0.2.53",
      "ns1.Example.org 300 A 192.0.2.1",
      "ns1.Example.org 300 AAAA 2001:db8::1",
    ],
  }],
  ["a name in a child zone is answered from the child", "child.example.org", "SOA", {
    answers: ["child.example.org 3600 SOA 5"],
  }],
  ["the DS of a child zone its parent has no cut for is the child's", "child.example.org", "DS", {
    authorities: ["child.example.org 300 SOA 5"],
  }],
  ["a DNAME answers below it, with a CNAME made from it (RFC 6672)", "y.dn.example.org", "A", {
    answers: [
      "dn.Example.org 300 DNAME target.Example.org",
      "y.dn.example.org 300 CNAME y.target.Example.org",
      "y.target.Example.org 300 A 192.0.2.20",
    ],
  }],
  ["a DNAME's own owner is not redirected", "dn.example.org", "A", {
    authorities: [NEGATIVE_SOA],
  }],
  ["a name too long by a DNAME is YXDOMAIN", `${"z".repeat(63)}.longdn.example.org`, "A", {
    rcode: "YXDOMAIN",
    answers: [`longdn.Example.org 300 DNAME ${LONG}.${LONG}.${LONG}.Example.org`],
  }],
  ["ANY is one RRset (RFC 8482 §4.1)", "ns1.example.org", "ANY", {
    answers: ["ns1.Example.org 300 A 192.0.2.1"],
  }],
  ["a name in no zone is refused", "www.example.net", "A", { rcode: "REFUSED", aa: false }],
  ["the root is refused", ".", "NS", { rcode: "REFUSED", aa: false }],
];

Deno.test("answers", async (t) => {
  for (const [criterion, name, type, expected] of CASES) {
    await t.step(criterion, () => {
      const answer = ask(name, type, { client: TCP });
      assertEquals({
        rcode: answer.rcode,
        aa: answer.flag_aa,
        answers: answer.answers?.map(line),
        authorities: answer.authorities?.map(line),
        additionals: answer.additionals?.map(line),
      }, {
        rcode: "NOERROR",
        aa: true,
        answers: [],
        authorities: [],
        additionals: [],
        ...expected,
      });
      assertEquals(answer.questions?.[0].name, name); // case and all
      assertEquals([answer.flag_qr, answer.flag_rd, answer.flag_ra], [true, true, false]);
    });
  }
});

Deno.test("a DS question at a cut is answered by the parent (RFC 4035 §3.1.4.1)", () => {
  const answer = ask("sub.example.org", "DS");
  assertEquals([answer.flag_aa, answer.answers?.length, answer.rcode], [true, 1, "NOERROR"]);
});

Deno.test("a CNAME into a child's names: the CNAME, authoritative, and a referral", () => {
  const answer = ask("tosub.example.org", "A");
  assertEquals(answer.flag_aa, true);
  assertEquals(answer.answers?.map(line), ["tosub.Example.org 60 CNAME x.sub.Example.org"]);
  assertEquals(answer.authorities?.length, 3);
});

Deno.test("over UDP an RRset that does not fit is left out whole, with TC", () => {
  const cut = ask("many.example.org", "A");
  assertEquals([cut.flag_tc, cut.answers?.length], [true, 0]);
  const opt = { type: "OPT", name: ".", udpPayloadSize: 4096 };
  const whole = ask("many.example.org", "A", { query: { additionals: [opt] } });
  assertEquals([whole.flag_tc, whole.answers?.length], [false, 40]);
  const tcp = ask("many.example.org", "A", { client: TCP });
  assertEquals([tcp.flag_tc, tcp.answers?.length], [false, 40]);
});

Deno.test("glue below the cut that does not fit sets TC (RFC 9471 §3)", () => {
  assertEquals(ask("x.wide.example.org", "A").flag_tc, true);
  const tcp = ask("x.wide.example.org", "A", { client: TCP });
  assertEquals([tcp.flag_tc, tcp.additionals?.length], [false, 20]);
});

Deno.test("EDNS is answered with EDNS: our size, DO as asked; never unasked (RFC 6891)", () => {
  assertEquals(ask("www.example.org", "A").additionals, []);
  for (const flags of [0, 0x8000]) {
    const opt = { type: "OPT", name: ".", udpPayloadSize: 512, flags };
    const [answer] = ask("www.example.org", "A", { query: { additionals: [opt] } }).additionals!;
    const { udpPayloadSize, flag_do } = answer as unknown as Record<string, unknown>;
    assertEquals([udpPayloadSize, flag_do], [1232, flags !== 0]);
  }
});

Deno.test("an unknown EDNS version is BADVERS (RFC 6891 §6.1.3)", () => {
  const opt = { type: "OPT", name: ".", udpPayloadSize: 1232, ednsVersion: 1 };
  const answer = ask("www.example.org", "A", { query: { additionals: [opt] } });
  const { extendedRcode, ednsVersion } = answer.additionals![0] as unknown as Record<
    string,
    unknown
  >;
  assertEquals([answer.rcode, extendedRcode, ednsVersion], ["NOERROR", 1, 0]);
  assertEquals(answer.answers, []);
});

Deno.test("a class other than IN is refused", () => {
  const message = encodeQuery({ questions: [{ name: "example.org", type: "SOA", class: "CH" }] });
  assertEquals(respond(message, UDP, context()).message![3] & 0xf, RCODE.REFUSED);
});

Deno.test("meta types are FORMERR or NOTIMP", async (t) => {
  for (const [type, rcode] of [["OPT", RCODE.FORMERR], ["TKEY", RCODE.NOTIMP]] as const) {
    await t.step(type, () => {
      const message = encodeQuery();
      new DataView(message.buffer).setUint16(message.length - 4, typeCode(type));
      assertEquals(respond(message, UDP, context()).message![3] & 0xf, rcode);
    });
  }
});

Deno.test("other opcodes are NOTIMP, broken messages FORMERR: a bare header with the ID", () => {
  const update = encodeQuery();
  update[2] |= 5 << 3;
  const notimp = respond(update, UDP, context()).message!;
  assertEquals([...notimp], [0x12, 0x34, 0xa9, RCODE.NOTIMP, 0, 0, 0, 0, 0, 0, 0, 0]);
  const broken = encodeQuery().subarray(0, 20);
  const formerr = respond(broken, UDP, context()).message!;
  assertEquals([...formerr], [0x12, 0x34, 0x81, RCODE.FORMERR, 0, 0, 0, 0, 0, 0, 0, 0]);
});

Deno.test("responses, and octets without a header, get no answer", () => {
  const response = encodeQuery();
  response[2] |= FLAG.QR >> 8;
  assertEquals(respond(response, UDP, context()).message, undefined);
  assertEquals(respond(new Uint8Array(11), UDP, context()).message, undefined);
});

Deno.test("a signed query gets NOTAUTH and an unsigned TSIG with BADKEY (RFC 8945 §5.2.1)", () => {
  const plain = encodeQuery();
  const algorithm = parseName("hmac-sha256.");
  const rdata = [...algorithm, 0, 0, 1, 2, 3, 4, 1, 44, 0, 2, 9, 9, 0x12, 0x34, 0, 0, 0, 0];
  const tsig = [...parseName("key."), 0, 250, 0, 255, 0, 0, 0, 0, 0, rdata.length, ...rdata];
  const signed = Uint8Array.from([...plain, ...tsig]);
  signed[11] = 1;
  const answer = respond(signed, UDP, context()).message!;
  assertEquals(answer[3] & 0xf, RCODE.NOTAUTH);
  const expected = [...algorithm, 0, 0, 1, 2, 3, 4, 1, 44, 0, 0, 0x12, 0x34, 0, 17, 0, 0];
  assertEquals([...answer.slice(-expected.length)], expected);
});

Deno.test("--allow-query refuses others; who may transfer may ask", () => {
  const allowQuery = ["198.51.100.0/24"];
  const rcodeFor = (ip: string) =>
    ask("example.org", "SOA", { allowQuery, client: { ip, transport: "udp" } }).rcode;
  assertEquals(rcodeFor("203.0.113.1"), "REFUSED");
  assertEquals(rcodeFor("::ffff:198.51.100.7"), "NOERROR");
  assertEquals(rcodeFor("192.0.2.1"), "NOERROR");
});

Deno.test("transfers: strangers are refused; IXFR over UDP is the SOA alone", () => {
  const soa = {
    type: "SOA",
    name: "example.org",
    data: { mname: "a", rname: "b", serial: 70 },
  };
  const query = { authorities: [soa] };
  assertEquals(ask("example.org", "IXFR", { query }).rcode, "REFUSED");
  assertEquals(ask("example.org", "AXFR", { client: TCP }).rcode, "REFUSED");
  const secondary: Client = { ip: "::ffff:192.0.2.1", transport: "udp" };
  assertEquals(ask("example.org", "IXFR", { query, client: secondary }).answers?.map(line), [SOA]);
  assertEquals(ask("example.org", "AXFR", { client: secondary }).rcode, "FORMERR");
  const overTcp = { ...secondary, transport: "tcp" } as const;
  assertEquals(ask("www.example.org", "AXFR", { client: overTcp }).rcode, "NOTAUTH");
});

Deno.test("SOA at the apex takes the same way whatever the question's case", () => {
  const answer = ask("EXAMPLE.ORG", "SOA");
  assertEquals(answer.answers?.map(line), [SOA]);
});
