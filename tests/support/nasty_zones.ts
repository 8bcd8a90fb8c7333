/**
 * Zones that hold what is hard to answer from: each construct of the RFCs, and
 * those that they warn of. As master files that NSD, Knot and BIND load too.
 */
import { SIGNED_APEX, SIGNED_ZONE } from "../vectors/signed_zone.ts";

const LONG_LABEL = "l".repeat(63);

const PARENT = `
@             3600 SOA   ns1 hostmaster 42 7200 3600 1209600 300
@             3600 NS    ns1
@             3600 NS    ns2.outside.test.
@             3600 NS    ns.cut           ; a name server below a cut
@             3600 MX    10 mail
@             3600 MX    20 mail          ; the same name twice
@             3600 MX    30 m.wild        ; of a wildcard
@             3600 TXT   "apex"
@             3600 CAA   0 issue "ca.test"
ns1           3600 A     192.0.2.1
ns1           3600 AAAA  2001:db8::1
mail          300  A     192.0.2.25
mail          300  AAAA  2001:db8::25
WwW           300  A     192.0.2.80       ; letter case
www6          600  AAAA  2001:db8::80
text          300  TXT   "one" "two"
text          300  HINFO "PDP-11" "UNIX"
unknown       300  TYPE65280 \\# 3 010203
; empty non-terminals
deep.a.b.c    300  A     192.0.2.3
other.b.c     300  TXT   "beside an empty one"
; wildcards
*.wild        300  A     192.0.2.10
*.wild        300  TXT   "wild"
*.wild        300  MX    10 mail
exact.wild    300  AAAA  2001:db8::10
x.ent.wild    300  A     192.0.2.11       ; ent.wild hides the wildcard
*.deeper.wild 300  A     192.0.2.12
*.cwild       300  CNAME WWW
*.cgone       300  CNAME nothing.here
*.cloop       300  CNAME again.cloop
*.mid.wild    300  A     192.0.2.13
under.*.mid.wild 300 A   192.0.2.14       ; an asterisk in the middle
*.*.twice     300  A     192.0.2.15
sub.*.entwild 300  A     192.0.2.16       ; the wildcard is an empty non-terminal
*.srv         300  SRV   0 5 5060 sip
sip           300  A     192.0.2.60
a*.star       300  A     192.0.2.17       ; no wildcard
*a.star       300  A     192.0.2.18
\\042.escaped 300  A     192.0.2.19       ; an asterisk, written so
; CNAME
c1            60   CNAME c2
c2            60   CNAME c3
c3            60   CNAME www
self          60   CNAME self
loop1         60   CNAME loop2
loop2         60   CNAME loop3
loop3         60   CNAME loop1
cgone         60   CNAME gone.nothing
cent          60   CNAME b.c
cout          60   CNAME www.outside.test.
ccut          60   CNAME x.cut
cglue         60   CNAME ns.cut
cwild         60   CNAME any.wild
cchild        60   CNAME www.child
chidden       60   CNAME www.hidden
cdname        60   CNAME y.dn
capex         60   CNAME @
cds           60   CNAME cut
; DNAME
dn            300  DNAME target
y.target      300  A     192.0.2.30
c.target      300  CNAME www
*.w.target    300  A     192.0.2.31
dn2           300  DNAME dn
dnout         300  DNAME outside.test.
dncut         300  DNAME cut
dnwild        300  DNAME wild
dnchild       300  DNAME child
dnself        300  DNAME x.dnself
dnloop1       300  DNAME dnloop2
dnloop2       300  DNAME dnloop1
dngone        300  DNAME nothing.there
dn            300  TXT   "beside a DNAME"
dnlong        300  DNAME ${LONG_LABEL}.${LONG_LABEL}.${LONG_LABEL}
; cuts
cut           300  NS    ns.cut
cut           300  NS    ns.cut2
cut           300  NS    ns1
cut           300  NS    ns3.outside.test.
ns.cut        300  A     192.0.2.40
ns.cut        300  AAAA  2001:db8::40
hid.cut       300  TXT   "occluded"
*.cut         300  A     192.0.2.41       ; a wildcard below a cut
dn.cut        300  DNAME target           ; a DNAME below a cut
cut.cut       300  NS    ns.cut.cut       ; a cut below a cut
ns.cut.cut    300  A     192.0.2.42
cut2          300  NS    ns.cut2
cut2          300  NS    ns.cut
ns.cut2       300  A     192.0.2.43
cutds         300  NS    ns1
cutds         300  DS    4711 13 2 ${"ab".repeat(32)}
cutlone       300  NS    ns3.outside.test.
deep.x.cutent 300  NS    ns1              ; a cut below empty non-terminals
*.wcut        300  TXT   "a wildcard beside a cut"
real.wcut     300  NS    ns1
cutself       300  NS    cutself          ; the name server is the cut
cutself       300  A     192.0.2.44
cutwide       300  NS    ns1.cutwide
cutwide       300  NS    ns2.cutwide
${
  Array.from({ length: 24 }, (_, i) =>
    `ns1.cutwide 300 A 198.51.100.${i}\nns2.cutwide 300 AAAA 2001:db8:1::${i + 1}`).join("\n")
}
; zones served here too
child         300  NS    ns.child
child         300  NS    ns1
ns.child      300  A     192.0.2.50
child         300  DS    4712 13 2 ${"cd".repeat(32)}
; additional records
svc           300  HTTPS 1 . alpn=h2
svc           300  A     192.0.2.70
svc           300  AAAA  2001:db8::70
alias         300  HTTPS 0 svc
alias2        300  SVCB  0 alias3
alias3        300  SVCB  1 mail port=25
mxout         300  MX    10 mx.outside.test.
mxcut         300  MX    10 ns.cut
mxgone        300  MX    10 nothing
mxcname       300  MX    10 c1
_sip._tcp     300  SRV   0 0 5060 sip
_sip._udp     300  SRV   0 0 0 .
; sizes
${Array.from({ length: 40 }, (_, i) => `many 300 A 203.0.113.${i}`).join("\n")}
${Array.from({ length: 9 }, (_, i) => `bigtxt 300 TXT "${i}${"t".repeat(200)}"`).join("\n")}
edge          300  TXT   "${"e".repeat(250)}" "${"e".repeat(170)}"
`;

const CHILD = `
@             1800 SOA   ns hostmaster 7 7200 3600 1209600 3600
@             1800 NS    ns
@             1800 NS    ns1.nasty.test.
ns            1800 A     192.0.2.51
www           1800 A     192.0.2.52
*             1800 TXT   "a wildcard at the apex"
up            1800 CNAME www.nasty.test.
cut           1800 NS    ns.cut
ns.cut        1800 A     192.0.2.53
`;

/** A zone its parent has no cut for. */
const HIDDEN = `
@             900  SOA   ns hostmaster 9 7200 3600 1209600 60
@             900  NS    ns
ns            900  A     192.0.2.61
www           900  A     192.0.2.62
`;

const ODD = `
@             300  SOA   ns hostmaster 3 7200 3600 1209600 300
@             300  NS    ns1.nasty.test.
@             300  DNAME nasty.test.        ; a DNAME at the apex
`;
/** What RFC 4592 §4.2 and §4.4 leave undefined: wildcards with NS and DNAME. */
const UNDEFINED = `
@             300  SOA   ns hostmaster 4 7200 3600 1209600 300
@             300  NS    ns
ns            300  A     192.0.2.98
*.ns          300  NS    ns
*.dn          300  DNAME ns
`;

/** Zone name to master file, names relative to it. */
export const NASTY_ZONES: Readonly<Record<string, string>> = {
  "nasty.test.": PARENT,
  "child.nasty.test.": CHILD,
  "hidden.nasty.test.": HIDDEN,
  [SIGNED_APEX]: SIGNED_ZONE,
  "odd.test.": ODD,
  "undefined.test.": UNDEFINED,
};
