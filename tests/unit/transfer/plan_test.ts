import { assert, assertEquals } from "@std/assert";
import { TYPE } from "../../../lib/dns/mod.ts";
import {
  type DifferencesWanted,
  planTransfer,
  planWithDifferences,
  type TransferRequest,
} from "../../../lib/transfer/mod.ts";
import { RCODE } from "../../../lib/wire/mod.ts";
import { type Differences, NO_RECORDS, type ZoneDiff } from "../../../lib/zone/mod.ts";
import { soaOf, zoneVersion } from "../../support/zone_version.ts";

const OURS = 1000;
const version = zoneVersion("example.org.", OURS, "@ 300 NS ns1");

const AXFR: TransferRequest = {
  type: TYPE.AXFR,
  clientSerial: undefined,
  transport: "tcp",
  denial: undefined,
  noDifferences: undefined,
};
const ixfr = (clientSerial: number, over: Partial<TransferRequest> = {}): TransferRequest => ({
  ...AXFR,
  type: TYPE.IXFR,
  clientSerial,
  ...over,
});

const whole = { noDifferences: "no-ixfr is set" };

type Expected = "axfr" | "soa" | "differences-wanted" | number;
const CASES: readonly [criterion: string, request: TransferRequest, expected: Expected][] = [
  ["AXFR over TCP: the zone", AXFR, "axfr"],
  [
    "AXFR over UDP is not defined (RFC 5936 §4.2)",
    { ...AXFR, transport: "udp" },
    RCODE.FORMERR,
  ],
  [
    "a client the list does not name is refused",
    { ...AXFR, denial: "client may not transfer" },
    RCODE.REFUSED,
  ],
  ["so is its IXFR", ixfr(1, { denial: "client may not transfer" }), RCODE.REFUSED],
  ["IXFR up to date: SOA alone (RFC 1995 §2)", ixfr(OURS), "soa"],
  ["IXFR ahead of us: SOA alone", ixfr(OURS + 1), "soa"],
  ["IXFR ahead by the most there is: SOA alone", ixfr(OURS + 2 ** 31 - 1), "soa"],
  ["IXFR behind: the differences (RFC 1995 §4)", ixfr(OURS - 1), "differences-wanted"],
  ["IXFR behind by the most there is", ixfr(OURS + 2 ** 31 + 1), "differences-wanted"],
  ["IXFR behind across the wrap (RFC 1982)", ixfr(2 ** 32 - 5), "differences-wanted"],
  ["IXFR behind over UDP", ixfr(OURS - 1, { transport: "udp" }), "differences-wanted"],
  ["IXFR behind, differences off: the zone", ixfr(OURS - 1, whole), "axfr"],
  ["IXFR up to date, differences off: SOA alone", ixfr(OURS, whole), "soa"],
  ["IXFR incomparable: the zone", ixfr(OURS + 2 ** 31), "axfr"],
  [
    "IXFR behind over UDP, differences off: SOA alone",
    ixfr(OURS - 1, { ...whole, transport: "udp" }),
    "soa",
  ],
  ["IXFR incomparable over UDP: SOA alone", ixfr(OURS + 2 ** 31, { transport: "udp" }), "soa"],
  ["IXFR up to date over UDP: SOA alone", ixfr(OURS, { transport: "udp" }), "soa"],
];

Deno.test("planTransfer decides by client, serials and transport", async (t) => {
  for (const [criterion, request, expected] of CASES) {
    await t.step(criterion, () => {
      const plan = planTransfer(request, version);
      assertEquals(plan.kind === "refuse" ? plan.rcode : plan.kind, expected);
      if (plan.kind === "differences-wanted") assertEquals(plan.fromSerial, request.clientSerial);
      else assert(plan.reason.length > 0);
    });
  }
});

Deno.test("planTransfer: a zone that is not here is NOTAUTH for those who may ask (RFC 5936 §2.2.1)", () => {
  const plan = planTransfer(AXFR, undefined);
  assertEquals(plan, { kind: "refuse", rcode: RCODE.NOTAUTH, reason: "no such zone" });
  const stranger = planTransfer({ ...AXFR, denial: "client may not transfer" }, undefined);
  assertEquals(stranger.kind === "refuse" && stranger.rcode, RCODE.REFUSED);
});

const step = (from: number, to: number): ZoneDiff => ({
  fromSoa: soaOf("example.org.", from),
  toSoa: soaOf("example.org.", to),
  removed: NO_RECORDS,
  added: NO_RECORDS,
});
const kept = (...sequences: ZoneDiff[]): Differences => ({ kind: "kept", sequences });
const none = (reason: string): Differences => ({ kind: "none", reason });

const WITH_DIFFERENCES: readonly [
  criterion: string,
  transport: "tcp" | "udp",
  differences: Differences,
  kind: string,
  reason: string,
][] = [
  ["one difference", "tcp", kept(step(990, OURS)), "ixfr", "1 difference: client has 990"],
  [
    "several, end to end",
    "tcp",
    kept(step(990, 995), step(995, 996), step(996, OURS)),
    "ixfr",
    "3 differences: client has 990",
  ],
  ["purged: the zone, with the journal's reason", "tcp", none("purged"), "axfr", "purged: client"],
  ["purged, over UDP: SOA alone", "udp", none("purged"), "soa", "over TCP: purged: client"],
  ["from another serial: never sent", "tcp", kept(step(991, OURS)), "axfr", "do not lead there"],
  ["to another serial: never sent", "tcp", kept(step(990, 999)), "axfr", "do not lead there"],
  [
    "to the serial, but another SOA: never sent",
    "tcp",
    kept({ ...step(990, OURS), toSoa: soaOf("example.net.", OURS) }),
    "axfr",
    "do not lead there",
  ],
  [
    "a gap: never sent",
    "tcp",
    kept(step(990, 995), step(996, OURS)),
    "axfr",
    "do not lead there",
  ],
  ["no sequence at all: never sent", "tcp", kept(), "axfr", "do not lead there"],
  ["fits over UDP", "udp", kept(step(990, OURS)), "ixfr", "1 difference"],
  [
    "does not fit over UDP: SOA alone",
    "udp",
    kept(step(990, 995), step(995, OURS)),
    "soa",
    "over TCP: the differences do not fit",
  ],
];

Deno.test("planWithDifferences sends a whole chain to the version's own SOA, or the zone", async (t) => {
  for (const [criterion, transport, differences, kind, reason] of WITH_DIFFERENCES) {
    await t.step(`${transport}: ${criterion}`, () => {
      const wanted: DifferencesWanted = {
        kind: "differences-wanted",
        version,
        fromSerial: 990,
        transport,
      };
      const plan = planWithDifferences(wanted, differences, (sequences) => {
        assertEquals(transport, "udp");
        return sequences.length === 1;
      });
      assertEquals(plan.kind, kind);
      assert(plan.reason.includes(reason), plan.reason);
    });
  }
});
