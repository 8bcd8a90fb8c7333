/** Rules on what a zone's names and types are answered with. */
import type { Ask, Expected, Rule } from "./conformance.ts";

const DO = { flags: 0x8000 } as const;
const SOA = ["nasty.test. 300 SOA"];
const WWW = ["www.nasty.test. 300 A 192.0.2.80"];
const SIGNED_SOA = ["signed.test. 300 RRSIG SOA", "signed.test. 300 SOA"];

const row = (
  rule: string,
  name: string,
  type: string,
  expect: Expected,
  ask?: Partial<Ask>,
): Rule => ({
  rule,
  ask: { name, type, ...ask },
  expect,
});

const CUT = {
  aa: false,
  authority: [
    "cut.nasty.test. 300 NS ns.cut.nasty.test.",
    "cut.nasty.test. 300 NS ns.cut2.nasty.test.",
    "cut.nasty.test. 300 NS ns1.nasty.test.",
    "cut.nasty.test. 300 NS ns3.outside.test.",
  ],
  additional: [
    "ns.cut.nasty.test. 300 A 192.0.2.40",
    "ns.cut.nasty.test. 300 AAAA 2001:db8::40",
    "ns.cut2.nasty.test. 300 A 192.0.2.43",
    "ns1.nasty.test. 3600 A 192.0.2.1",
    "ns1.nasty.test. 3600 AAAA 2001:db8::1",
  ],
};
const cname = (owner: string, target: string, ttl = 60) =>
  `${owner}.nasty.test. ${ttl} CNAME ${target}.nasty.test.`;
const a = (owner: string, last: number) => `${owner}.nasty.test. 300 A 192.0.2.${last}`;

export const NAME_RULES: readonly Rule[] = [
  row("RFC 1034 §4.3.2 step 3a: data", "www.nasty.test.", "A", { answer: WWW }),
  row("RFC 4343 §3: names match without case", "wWw.NASTY.test.", "A", { answer: WWW }),
  row("RFC 2308 §5: NODATA with the SOA, its TTL the MINIMUM", "www.nasty.test.", "AAAA", {
    authority: SOA,
  }),
  row("RFC 2308 §5: NXDOMAIN likewise", "nowhere.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  row("RFC 2308 §3: the SOA's own TTL where it is the lower", "nowhere.child.nasty.test.", "A", {
    authority: ["child.nasty.test. 1800 SOA"],
  }),
  row("RFC 8020 §3.1: an empty non-terminal exists", "b.c.nasty.test.", "A", { authority: SOA }),
  row("RFC 8020 §3.1: at any depth", "c.nasty.test.", "A", { authority: SOA }),
  row("RFC 1034 §4.3.2: below a name with data there is nothing", "x.www.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  row("RFC 3597 §3: a type nobody knows", "unknown.nasty.test.", "TYPE65280", {
    answer: ["unknown.nasty.test. 300 TYPE65280 \\# 3 010203"],
  }),
  row("RFC 8906 §3.1.2: and is not there", "www.nasty.test.", "TYPE1000", { authority: SOA }),
  // Wildcards.
  row("RFC 4592 §3.3.3: synthesis has the name asked for", "any.wild.nasty.test.", "A", {
    answer: [a("any.wild", 10)],
  }),
  row("RFC 4592 §2.2.1: at any depth below the closest encloser", "x.y.wild.nasty.test.", "A", {
    answer: [a("x.y.wild", 10)],
  }),
  row("RFC 4592 §2.2.1: without the type NODATA", "any.wild.nasty.test.", "SRV", {
    authority: SOA,
  }),
  row("RFC 4592 §2.2.1: not where the name exists", "exact.wild.nasty.test.", "A", {
    authority: SOA,
  }),
  row("RFC 4592 §2.2.1: nor below it", "x.exact.wild.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  row("RFC 4592 §2.2.2: nor below an empty non-terminal", "y.ent.wild.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  row("RFC 4592 §2.2.2: the empty non-terminal itself is NODATA", "ent.wild.nasty.test.", "A", {
    authority: SOA,
  }),
  row("RFC 4592 §2.3: the asterisk asked for literally", "*.wild.nasty.test.", "A", {
    answer: [a("*.wild", 10)],
  }),
  row("RFC 4592 §2.2.1: it covers no names below itself", "x.*.wild.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  row(
    "RFC 4592 §2.1.3: an asterisk in the middle is a label",
    "under.*.mid.wild.nasty.test.",
    "A",
    {
      answer: [a("under.*.mid.wild", 14)],
    },
  ),
  row("RFC 4592 §2.1.3: and stands for no other", "under.x.mid.wild.nasty.test.", "A", {
    answer: [a("under.x.mid.wild", 13)],
  }),
  row("RFC 4592 §4.9: a wildcard that is an empty non-terminal", "any.entwild.nasty.test.", "A", {
    authority: SOA,
  }),
  row("RFC 4592 §2.1.2: a label with more than the asterisk is none", "xa.star.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  row("RFC 4592 §2.1.1: however the octet is written", "x.escaped.nasty.test.", "A", {
    answer: [a("x.escaped", 19)],
  }),
  row("RFC 4592 §4.3: a wildcard CNAME is followed", "x.cwild.nasty.test.", "A", {
    answer: [cname("x.cwild", "www", 300), ...WWW],
  }),
  row("RFC 4592 §4.2: a wildcard NS is data of its name", "x.ns.undefined.test.", "NS", {
    answer: ["x.ns.undefined.test. 300 NS ns.undefined.test."],
    additional: ["ns.undefined.test. 300 A 192.0.2.98"],
  }),
  row("RFC 4592 §2.2.1: at a cut the referral comes first", "x.cut.nasty.test.", "A", CUT),
  row("RFC 4592 §2.2.1: a cut hides a wildcard beside it", "x.real.wcut.nasty.test.", "A", {
    aa: false,
    authority: ["real.wcut.nasty.test. 300 NS ns1.nasty.test."],
    additional: CUT.additional.slice(-2),
  }),
  // CNAME.
  row("RFC 1034 §3.6.2: a chain of CNAMEs is followed", "c1.nasty.test.", "A", {
    answer: [cname("c1", "c2"), cname("c2", "c3"), cname("c3", "www"), ...WWW],
  }),
  row("RFC 1034 §4.3.2: not for QTYPE CNAME", "c1.nasty.test.", "CNAME", {
    answer: [cname("c1", "c2")],
  }),
  row("RFC 1034 §3.6.2: a loop is an error", "loop1.nasty.test.", "A", {
    rcode: "SERVFAIL",
    answer: [cname("loop1", "loop2"), cname("loop2", "loop3"), cname("loop3", "loop1")],
  }),
  row("RFC 6604 §3: the RCODE is that of the chain's end", "cgone.nasty.test.", "A", {
    rcode: "NXDOMAIN",
    answer: [cname("cgone", "gone.nothing")],
    authority: SOA,
  }),
  row("RFC 2308 §2.2: NODATA at the chain's end", "cent.nasty.test.", "A", {
    answer: [cname("cent", "b.c")],
    authority: SOA,
  }),
  row("RFC 1034 §4.3.2: a chain out of the zone ends there", "cout.nasty.test.", "A", {
    answer: ["cout.nasty.test. 60 CNAME www.outside.test."],
  }),
  row("RFC 1034 §4.3.2: and where another zone begins", "chidden.nasty.test.", "A", {
    answer: [cname("chidden", "www.hidden")],
  }),
  row(
    "RFC 1034 §4.3.2 step 3b: a chain into a cut is a referral, AA by the first name",
    "ccut.nasty.test.",
    "A",
    {
      ...CUT,
      aa: true,
      answer: [cname("ccut", "x.cut")],
    },
  ),
  // DNAME.
  row("RFC 6672 §3.1: DNAME, and a CNAME of its TTL", "y.dn.nasty.test.", "A", {
    answer: [
      "dn.nasty.test. 300 DNAME target.nasty.test.",
      cname("y.dn", "y.target", 300),
      a("y.target", 30),
    ],
  }),
  row("RFC 6672 §2.3: its own owner is not redirected", "dn.nasty.test.", "TXT", {
    answer: ['dn.nasty.test. 300 TXT "beside a DNAME"'],
  }),
  row("RFC 6672 §2.3: DNAME asked for is data", "dn.nasty.test.", "DNAME", {
    answer: ["dn.nasty.test. 300 DNAME target.nasty.test."],
  }),
  row("RFC 6672 §3.1: DNAME after DNAME", "y.dn2.nasty.test.", "A", {
    answer: [
      "dn2.nasty.test. 300 DNAME dn.nasty.test.",
      cname("y.dn2", "y.dn", 300),
      "dn.nasty.test. 300 DNAME target.nasty.test.",
      cname("y.dn", "y.target", 300),
      a("y.target", 30),
    ],
  }),
  row("RFC 6672 §3.1: into a wildcard", "y.dnwild.nasty.test.", "A", {
    answer: [
      "dnwild.nasty.test. 300 DNAME wild.nasty.test.",
      cname("y.dnwild", "y.wild", 300),
      a("y.wild", 10),
    ],
  }),
  row("RFC 6672 §3.1: the CNAME answers QTYPE CNAME", "c.dn.nasty.test.", "CNAME", {
    answer: ["dn.nasty.test. 300 DNAME target.nasty.test.", cname("c.dn", "c.target", 300)],
  }),
  row(
    "RFC 6672 §2.2: YXDOMAIN when the name is too long",
    `${"z".repeat(63)}.dnlong.nasty.test.`,
    "A",
    {
      rcode: "YXDOMAIN",
      answer: [
        `dnlong.nasty.test. 300 DNAME ${`${"l".repeat(63)}.`.repeat(3)}nasty.test.`,
      ],
    },
  ),
  row("RFC 6672 §2.3: a DNAME at the apex", "www.odd.test.", "A", {
    answer: ["odd.test. 300 DNAME nasty.test.", "www.odd.test. 300 CNAME www.nasty.test."],
  }),
  row("RFC 6672 §2.3: the apex itself answers", "odd.test.", "NS", {
    answer: ["odd.test. 300 NS ns1.nasty.test."],
  }),
  // Cuts.
  row("RFC 1034 §4.3.2 step 3b: a referral, not authoritative", "x.y.cut.nasty.test.", "A", CUT),
  row("RFC 1034 §4.2.1: at the cut too, for NS", "cut.nasty.test.", "NS", CUT),
  row("RFC 1034 §4.2.1: and for glue asked for", "ns.cut.nasty.test.", "A", CUT),
  row(
    "RFC 5936 §3.5: what lies below a cut is not answered",
    "hid.cut.nasty.test.",
    "TXT",
    CUT,
  ),
  row("RFC 5936 §3.5: nor a DNAME there", "x.dn.cut.nasty.test.", "A", CUT),
  row("RFC 5936 §3.5: nor a cut below a cut", "x.cut.cut.nasty.test.", "A", CUT),
  row("RFC 9471 §3.1: all glue below the cut", "x.cutself.nasty.test.", "A", {
    aa: false,
    authority: ["cutself.nasty.test. 300 NS cutself.nasty.test."],
    additional: [a("cutself", 44)],
  }),
  {
    ...row("RFC 9471 §3.1: or TC", "x.cutwide.nasty.test.", "A", {
      aa: false,
      tc: true,
      authority: [1, 2].map((i) => `cutwide.nasty.test. 300 NS ns${i}.cutwide.nasty.test.`),
      additional: Array.from(
        { length: 24 },
        (_, i) => `ns1.cutwide.nasty.test. 300 A 198.51.100.${i}`,
      ),
    }),
    over: "udp",
  },
  {
    ...row("RFC 9471 §3.1: and over TCP all of it", "x.cutwide.nasty.test.", "A", {
      aa: false,
      authority: [1, 2].map((i) => `cutwide.nasty.test. 300 NS ns${i}.cutwide.nasty.test.`),
      additional: Array.from({ length: 24 }, (_, i) => [
        `ns1.cutwide.nasty.test. 300 A 198.51.100.${i}`,
        `ns2.cutwide.nasty.test. 300 AAAA 2001:db8:1::${(i + 1)}`,
      ]).flat(),
    }),
    over: "tcp",
  },
  row("RFC 4035 §3.1.4.1: the DS at a cut is answered by the parent", "cutds.nasty.test.", "DS", {
    answer: [`cutds.nasty.test. 300 DS 4711 13 2 ${"AB".repeat(32)}`],
  }),
  row("RFC 4035 §3.1.4.1: so is its absence", "cut.nasty.test.", "DS", { authority: SOA }),
  row("RFC 4035 §3.1.4.1: also when the child is served here", "child.nasty.test.", "DS", {
    answer: [`child.nasty.test. 300 DS 4712 13 2 ${"CD".repeat(32)}`],
  }),
  row("RFC 4035 §3.1.4.1: the child's own answer where no parent is here", "nasty.test.", "DS", {
    authority: SOA,
  }),
  row("RFC 1034 §4.3.2 step 2: zones nested: the nearest answers", "www.child.nasty.test.", "A", {
    answer: ["www.child.nasty.test. 1800 A 192.0.2.52"],
  }),
  row("RFC 1034 §4.3.2 step 2: with or without a cut for it", "www.hidden.nasty.test.", "A", {
    answer: ["www.hidden.nasty.test. 900 A 192.0.2.62"],
  }),
  row("RFC 1034 §4.3.2 step 2: a nested apex is authoritative", "child.nasty.test.", "NS", {
    answer: [
      "child.nasty.test. 1800 NS ns.child.nasty.test.",
      "child.nasty.test. 1800 NS ns1.nasty.test.",
    ],
    additional: ["ns.child.nasty.test. 1800 A 192.0.2.51"],
  }),
  // Additional data.
  row("RFC 1035 §3.3.9: addresses of MX, each once, of a wildcard too", "nasty.test.", "MX", {
    answer: [
      "nasty.test. 3600 MX 10 mail.nasty.test.",
      "nasty.test. 3600 MX 20 mail.nasty.test.",
      "nasty.test. 3600 MX 30 m.wild.nasty.test.",
    ],
    additional: [a("mail", 25), "mail.nasty.test. 300 AAAA 2001:db8::25", a("m.wild", 10)],
  }),
  row("RFC 1035 §3.3.9: not of names below a cut", "mxcut.nasty.test.", "MX", {
    answer: ["mxcut.nasty.test. 300 MX 10 ns.cut.nasty.test."],
  }),
  row("RFC 2782: addresses of SRV", "_sip._tcp.nasty.test.", "SRV", {
    answer: ["_sip._tcp.nasty.test. 300 SRV 0 0 5060 sip.nasty.test."],
    additional: [a("sip", 60)],
  }),
  row("RFC 2782: of no service there are none", "_sip._udp.nasty.test.", "SRV", {
    answer: ["_sip._udp.nasty.test. 300 SRV 0 0 0 ."],
  }),
  row("RFC 9460 §2.5 and §4.1: HTTPS of itself", "svc.nasty.test.", "HTTPS", {
    answer: ['svc.nasty.test. 300 HTTPS 1 . alpn="h2"'],
    additional: [a("svc", 70), "svc.nasty.test. 300 AAAA 2001:db8::70"],
  }),
  row("RFC 9460 §4.1: HTTPS by an alias", "alias.nasty.test.", "HTTPS", {
    answer: ["alias.nasty.test. 300 HTTPS 0 svc.nasty.test."],
    additional: [
      'svc.nasty.test. 300 HTTPS 1 . alpn="h2"',
      a("svc", 70),
      "svc.nasty.test. 300 AAAA 2001:db8::70",
    ],
  }),
  row("RFC 9460 §4.1: SVCB by an alias and another name", "alias2.nasty.test.", "SVCB", {
    answer: ["alias2.nasty.test. 300 SVCB 0 alias3.nasty.test."],
    additional: [
      "alias3.nasty.test. 300 SVCB 1 mail.nasty.test. port=25",
      a("mail", 25),
      "mail.nasty.test. 300 AAAA 2001:db8::25",
    ],
  }),
  // Signed elsewhere.
  row("RFC 4035 §3.1.1: signatures with DO", "www.signed.test.", "A", {
    answer: ["www.signed.test. 600 A 192.0.2.92", "www.signed.test. 600 RRSIG A"],
  }, { edns: DO }),
  row("RFC 4034 §3: each with the TTL of what it covers", "www.signed.test.", "TXT", {
    answer: ['www.signed.test. 60 TXT "another TTL"', "www.signed.test. 60 RRSIG TXT"],
  }, { edns: DO }),
  row("RFC 4035 §3.1: none without DO", "www.signed.test.", "A", {
    answer: ["www.signed.test. 600 A 192.0.2.92"],
  }, { edns: {} }),
  row("RFC 4035 §3.1.1: of a wildcard, for the name asked", "x.wild.signed.test.", "A", {
    answer: ["x.wild.signed.test. 300 A 192.0.2.93", "x.wild.signed.test. 300 RRSIG A"],
  }, { edns: DO }),
  row("RFC 4035 §3.1.1: along a chain", "c.signed.test.", "A", {
    answer: [
      "c.signed.test. 300 CNAME www.signed.test.",
      "c.signed.test. 300 RRSIG CNAME",
      "www.signed.test. 600 A 192.0.2.92",
      "www.signed.test. 600 RRSIG A",
    ],
  }, { edns: DO }),
  row("RFC 6672 §5.3.1: of the DNAME, not of the CNAME made", "x.dn.signed.test.", "A", {
    answer: [
      "dn.signed.test. 300 DNAME wild.signed.test.",
      "dn.signed.test. 300 RRSIG DNAME",
      "x.dn.signed.test. 300 CNAME x.wild.signed.test.",
      "x.wild.signed.test. 300 A 192.0.2.93",
      "x.wild.signed.test. 300 RRSIG A",
    ],
  }, { edns: DO }),
  row("RFC 4035 §3.1.4: DS with a referral", "x.cutds.signed.test.", "A", {
    aa: false,
    authority: [
      "cutds.signed.test. 300 DS 4713 13 2 " + "EF".repeat(32),
      "cutds.signed.test. 300 NS ns.cutds.signed.test.",
      "cutds.signed.test. 300 RRSIG DS",
    ],
    additional: ["ns.cutds.signed.test. 300 A 192.0.2.94"],
  }, { edns: DO }),
  row("RFC 4035 §3.1.1: of the SOA of a negative answer", "nowhere.signed.test.", "A", {
    rcode: "NXDOMAIN",
    authority: SIGNED_SOA,
  }, { edns: DO }),
  // ANY.
  row("RFC 8482 §4.1: ANY is one RRset", "text.nasty.test.", "ANY", {
    answer: ['text.nasty.test. 300 HINFO "PDP-11" "UNIX"'],
  }),
  row("RFC 8482 §4.1: with its signature", "www.signed.test.", "ANY", {
    answer: ["www.signed.test. 600 A 192.0.2.92", "www.signed.test. 600 RRSIG A"],
  }, { edns: DO }),
  row("RFC 1034 §3.6.2: ANY does not follow a CNAME", "c1.nasty.test.", "ANY", {
    answer: [cname("c1", "c2")],
  }),
  row("RFC 8482 §4.1: ANY of nothing", "nowhere.nasty.test.", "ANY", {
    rcode: "NXDOMAIN",
    authority: SOA,
  }),
  // Sizes.
  {
    ...row(
      "RFC 2181 §9: an RRset that does not fit is left out whole, with TC",
      "many.nasty.test.",
      "A",
      { tc: true },
    ),
    over: "udp",
  },
  {
    ...row("RFC 7766 §5: over TCP it is whole", "many.nasty.test.", "A", {
      answer: Array.from({ length: 40 }, (_, i) => `many.nasty.test. 300 A 203.0.113.${i}`),
    }),
    over: "tcp",
  },
  row("RFC 6891 §6.2.5: with EDNS it is whole over UDP", "many.nasty.test.", "A", {
    answer: Array.from({ length: 40 }, (_, i) => `many.nasty.test. 300 A 203.0.113.${i}`),
  }, { edns: {} }),
];
