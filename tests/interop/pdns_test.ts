/**
 * PowerDNS as a real secondary of zonecast.
 *
 * It keeps records as text, and cannot keep all: a zone with NSEC or RRSIG records counts as
 * signed, and gets NSEC records of PowerDNS' own; key types it shows only when it signs; and the
 * records of {@link SPOILT} it prints as others.
 */
import { followTest } from "./follow.ts";

const OWN = ["CDNSKEY", "CDS", "DNSKEY", "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG"];

const SPOILT = [
  "KEY 49152 3 0",
  'CAA 0 issue ""',
  "LOC 90 0 0.000 N 180 0 0.000 W 42849672.95m 0.00m 90000000.00m 0.01m",
];

followTest("pdns", {
  isLeftOut: (type, content) => OWN.includes(type) || SPOILT.includes(`${type} ${content}`),
});
