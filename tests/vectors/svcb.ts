/** The test vectors of RFC 9460, Appendix D; octets as printed there. */

/** Text as in the RFC, canonical octets in hex, and the text as zonecast prints it. */
export interface SvcbVector {
  readonly section: string;
  readonly type: "SVCB" | "HTTPS";
  readonly texts: readonly string[];
  readonly hex: string;
  readonly printed: string;
}

const FOO_EXAMPLE_COM = "03666f6f076578616d706c6503636f6d00";
const FOO_EXAMPLE_ORG = "03666f6f076578616d706c65036f726700";

export const SVCB_VECTORS: readonly SvcbVector[] = [
  {
    section: "D.1",
    type: "HTTPS",
    texts: ["0 foo.example.com."],
    hex: "0000" + FOO_EXAMPLE_COM,
    printed: "0 foo.example.com.",
  },
  { section: "D.2 figure 3", type: "SVCB", texts: ["1 ."], hex: "000100", printed: "1 ." },
  {
    section: "D.2 figure 4",
    type: "SVCB",
    texts: ["16 foo.example.com. port=53"],
    hex: "0010" + FOO_EXAMPLE_COM + "000300020035",
    printed: "16 foo.example.com. port=53",
  },
  {
    section: "D.2 figure 5",
    type: "SVCB",
    texts: ["1 foo.example.com. key667=hello"],
    hex: "0001" + FOO_EXAMPLE_COM + "029b000568656c6c6f",
    printed: '1 foo.example.com. key667="hello"',
  },
  {
    section: "D.2 figure 6",
    type: "SVCB",
    texts: ['1 foo.example.com. key667="hello\\210qoo"'],
    hex: "0001" + FOO_EXAMPLE_COM + "029b000968656c6c6fd2716f6f",
    printed: '1 foo.example.com. key667="hello\\210qoo"',
  },
  {
    section: "D.2 figure 7",
    type: "SVCB",
    texts: ['1 foo.example.com. ( ipv6hint="2001:db8::1,2001:db8::53:1" )'],
    hex: "0001" + FOO_EXAMPLE_COM +
      "0006002020010db800000000000000000000000120010db8000000000000000000530001",
    printed: "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
  },
  {
    section: "D.2 figure 8",
    type: "SVCB",
    texts: ['1 example.com. ( ipv6hint="2001:db8:122:344::192.0.2.33" )'],
    hex: "0001076578616d706c6503636f6d000006001020010db80122034400000000c0000221",
    printed: "1 example.com. ipv6hint=2001:db8:122:344::c000:221",
  },
  {
    section: "D.2 figure 9",
    type: "SVCB",
    texts: [
      "16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1 )",
    ],
    hex: "0010" + FOO_EXAMPLE_ORG +
      "0000000400010004000100090268320568332d313900040004c0000201",
    printed: '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1',
  },
  {
    section: "D.2 figure 10",
    type: "SVCB",
    texts: [
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
      "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2",
    ],
    hex: "0010" + FOO_EXAMPLE_ORG + "0001000c08665c6f6f2c626172026832",
    printed: '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
  },
];

/** Texts that must be refused: RFC 9460 Appendix D.3, then more of the rules of §7 and §8. */
export const SVCB_FAILURES: readonly string[] = [
  "1 foo.example.com. ( key123=abc key123=def )",
  "1 foo.example.com. mandatory",
  "1 foo.example.com. alpn",
  "1 foo.example.com. port",
  "1 foo.example.com. ipv4hint",
  "1 foo.example.com. ipv6hint",
  "1 foo.example.com. no-default-alpn=abc",
  "1 foo.example.com. mandatory=key123",
  "1 foo.example.com. mandatory=mandatory",
  "1 foo.example.com. ( mandatory=key123,key123 key123=abc )",
  "1 foo.example.com. no-default-alpn",
  "1 foo.example.com. alpn=h2,,h3",
  '1 foo.example.com. alpn=""',
  "1 foo.example.com. port=65536",
  "1 foo.example.com. ipv4hint=2001:db8::1",
  "1 foo.example.com. ipv6hint=192.0.2.1",
  "1 foo.example.com. ech=!",
  "1 foo.example.com. key65535=x",
  "1 foo.example.com. key01=x",
  "1 foo.example.com. key65536=x",
  "1 foo.example.com. PORT=53",
  "1 foo.example.com. key3=x",
  '1 foo.example.com. "port=53"',
  '1 foo.example.com. port=5"3"',
  '1 foo.example.com. port="53"x',
  '1 foo.example.com. port="5""3"',
  "1 foo.example.com. dohpath=",
  "1 foo.example.com. dohpath=/q",
  "1 foo.example.com. dohpath=q{?dns}",
  "1 foo.example.com. dohpath=/q{?dns",
  "1 foo.example.com. dohpath=/q{?dnsx}",
  "1 foo.example.com. dohpath=/q%zz{?dns}",
  "1 foo.example.com. dohpath=/\\255{?dns}",
  "1 foo.example.com. dohpath=/{x;}{dns}",
  "1 foo.example.com. ohttp=x",
];
