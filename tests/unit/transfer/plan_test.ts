import { assert, assertEquals } from "@std/assert";
import { TYPE } from "../../../lib/dns/mod.ts";
import { planTransfer, type TransferRequest } from "../../../lib/transfer/mod.ts";
import { RCODE } from "../../../lib/wire/mod.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const OURS = 1000;
const version = zoneVersion("example.org.", OURS, "@ 300 NS ns1");

const AXFR: TransferRequest = {
  type: TYPE.AXFR,
  clientSerial: undefined,
  transport: "tcp",
  allowed: true,
};
const ixfr = (clientSerial: number, over: Partial<TransferRequest> = {}): TransferRequest => ({
  ...AXFR,
  type: TYPE.IXFR,
  clientSerial,
  ...over,
});

type Expected = "axfr" | "soa" | number;
const CASES: readonly [criterion: string, request: TransferRequest, expected: Expected][] = [
  ["AXFR over TCP: the zone", AXFR, "axfr"],
  [
    "AXFR over UDP is not defined (RFC 5936 §4.2)",
    { ...AXFR, transport: "udp" },
    RCODE.FORMERR,
  ],
  ["a client the list does not name is refused", { ...AXFR, allowed: false }, RCODE.REFUSED],
  ["so is its IXFR", ixfr(1, { allowed: false }), RCODE.REFUSED],
  ["IXFR up to date: SOA alone (RFC 1995 §2)", ixfr(OURS), "soa"],
  ["IXFR ahead of us: SOA alone", ixfr(OURS + 1), "soa"],
  ["IXFR ahead by the most there is: SOA alone", ixfr(OURS + 2 ** 31 - 1), "soa"],
  ["IXFR behind: the zone (RFC 1995 §4)", ixfr(OURS - 1), "axfr"],
  ["IXFR behind across the wrap: the zone (RFC 1982)", ixfr(2 ** 32 - 5), "axfr"],
  ["IXFR incomparable: the zone", ixfr(OURS + 2 ** 31), "axfr"],
  ["IXFR behind over UDP: SOA alone", ixfr(OURS - 1, { transport: "udp" }), "soa"],
  ["IXFR up to date over UDP: SOA alone", ixfr(OURS, { transport: "udp" }), "soa"],
];

Deno.test("planTransfer decides by client, serials and transport", async (t) => {
  for (const [criterion, request, expected] of CASES) {
    await t.step(criterion, () => {
      const plan = planTransfer(request, version);
      assertEquals(plan.kind === "refuse" ? plan.rcode : plan.kind, expected);
      assert(plan.reason.length > 0);
    });
  }
});

Deno.test("planTransfer: a zone that is not here is NOTAUTH for those who may ask (RFC 5936 §2.2.1)", () => {
  const plan = planTransfer(AXFR, undefined);
  assertEquals(plan, { kind: "refuse", rcode: RCODE.NOTAUTH, reason: "no such zone" });
  const stranger = planTransfer({ ...AXFR, allowed: false }, undefined);
  assertEquals(stranger.kind === "refuse" && stranger.rcode, RCODE.REFUSED);
});
