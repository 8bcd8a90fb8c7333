/** dns-packet as a second opinion on the octets of RDATA. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import dnsPacket from "dns-packet";
import { parseRdata, ROOT, typeCode } from "../../../lib/dns/mod.ts";
import { fromHex, toHex } from "../../support/octets.ts";

/** Octets before the RDATA of the one answer: header, root name, type, class, TTL, length. */
const RDATA_AT = 12 + 1 + 10;

const buffer = (hex: string) => Buffer.from(fromHex(hex));

/** Type, text, dns-packet's terms for the same. */
const SAME: readonly (readonly [string, string, unknown])[] = [
  ["A", "192.0.2.1", "192.0.2.1"],
  ["AAAA", "2001:db8::1:0:0:2", "2001:db8::1:0:0:2"],
  ["NS", "ns1.example.com.", "ns1.example.com"],
  ["CNAME", "Www.example.com.", "Www.example.com"],
  ["DNAME", "other.example.", "other.example"],
  ["PTR", "host.example.", "host.example"],
  ["SOA", "ns.example. hm.example. 4294967295 2 3 4 5", {
    mname: "ns.example",
    rname: "hm.example",
    serial: 4294967295,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  }],
  ["MX", "10 mail.example.", { preference: 10, exchange: "mail.example" }],
  ["TXT", '"a b" "c"', [Buffer.from("a b"), Buffer.from("c")]],
  ["HINFO", "cpu os", { cpu: "cpu", os: "os" }],
  ["RP", "m.example. t.example.", { mbox: "m.example", txt: "t.example" }],
  ["SRV", "1 2 443 s.example.", { priority: 1, weight: 2, port: 443, target: "s.example" }],
  ["CAA", '128 issue "ca.example"', { flags: 128, tag: "issue", value: "ca.example" }],
  ["NAPTR", '1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .', {
    order: 1,
    preference: 2,
    flags: "u",
    services: "E2U+sip",
    regexp: "!^.*$!sip:a@b!",
    replacement: ".",
  }],
  ["TLSA", "3 1 1 ABCD", {
    usage: 3,
    selector: 1,
    matchingType: 1,
    certificate: buffer("abcd"),
  }],
  ["SSHFP", `1 1 ${"0a".repeat(20)}`, { algorithm: 1, hash: 1, fingerprint: "0a".repeat(20) }],
  ["DS", `1 8 2 ${"0b".repeat(32)}`, {
    keyTag: 1,
    algorithm: 8,
    digestType: 2,
    digest: buffer("0b".repeat(32)),
  }],
  ["DNSKEY", "257 3 8 q83v", { flags: 257, algorithm: 8, key: buffer("abcdef") }],
  ["RRSIG", "A 8 2 60 20200102000000 20200101000000 7 example. q83v", {
    typeCovered: "A",
    algorithm: 8,
    labels: 2,
    originalTTL: 60,
    expiration: 1577923200,
    inception: 1577836800,
    keyTag: 7,
    signersName: "example",
    signature: buffer("abcdef"),
  }],
  ["NSEC", "b.example. A MX RRSIG CAA", {
    nextDomain: "b.example",
    rrtypes: ["A", "MX", "RRSIG", "CAA"],
  }],
  ["NSEC3", `1 0 5 ABCD ${"0".repeat(32)} A CAA`, {
    algorithm: 1,
    flags: 0,
    iterations: 5,
    salt: buffer("abcd"),
    nextDomain: buffer("00".repeat(20)),
    rrtypes: ["A", "CAA"],
  }],
];

Deno.test("dns-packet writes the same octets", async (t) => {
  for (const [type, text, data] of SAME) {
    await t.step(type, () => {
      const answers = [{ type, name: ".", ttl: 0, data }] as dnsPacket.Answer[];
      const message = dnsPacket.encode({ type: "response", answers });
      const rdata = toHex(parseRdata(typeCode(type), text, ROOT));
      assertEquals(rdata, toHex(new Uint8Array(message).subarray(RDATA_AT)));
    });
  }
});
