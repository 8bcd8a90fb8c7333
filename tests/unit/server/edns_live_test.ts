/** EDNS options over real sockets: what a cookie is good for, and what a transfer begins with. */
import { assert, assertEquals } from "@std/assert";
import { nullLogger, parseCidr } from "../../../lib/ops/mod.ts";
import { DnsServer, type DnsServerOptions } from "../../../lib/server/mod.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { comparable } from "../../support/comparable.ts";
import { type AskEdns, askMessage } from "../../support/conformance.ts";
import { exchange, type Server, tcpMessages } from "../../support/dns_client.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const [NSID, EXPIRE, COOKIE] = [3, 9, 10];
const TIMEOUT_MS = 20_000;

async function start(over: Partial<DnsServerOptions>): Promise<
  Server & AsyncDisposable & {
    readonly server: DnsServer;
  }
> {
  const zones = new ZoneTable();
  zones.set(zoneVersion("example.org.", 7, "@ 300 NS ns1\nns1 300 A 192.0.2.1"));
  const server = new DnsServer({
    zones,
    listen: [{ ip: "127.0.0.1", port: 0 }],
    secondaries: [],
    allowTransfer: [],
    log: nullLogger,
    ...over,
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  return { server, addr, port, [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }) };
}

/** The octets of the one option of a response. */
function soleOption(message: Uint8Array, octets: number): number[] {
  assertEquals(comparable(message).opt?.options.length, 1);
  return [...message.slice(-octets)];
}

Deno.test("who shows a good cookie is not limited over UDP; a limited answer brings one (RFC 7873 §5.2)", async () => {
  const limits = { answersPerSecond: 1, slip: 1 };
  await using server = await start({ rateExempt: [], limits });
  const ask = (cookie: readonly number[]) => {
    const edns: AskEdns = { options: [[COOKIE, cookie]] };
    const message = askMessage({ name: "ns1.example.org.", type: "A", edns });
    return exchange(server, message, { timeoutMs: TIMEOUT_MS });
  };
  const client = [1, 2, 3, 4, 5, 6, 7, 8];
  let limited: Uint8Array | undefined;
  // Of answers on each other's heels not all are within one a second.
  for (let i = 0; i < 1_000 && !limited; i++) {
    const answer = await ask(client);
    if (comparable(answer).tc) limited = answer;
  }
  assert(limited, "never limited");
  const cookie = soleOption(limited, 24);
  assertEquals(cookie.slice(0, 8), client);
  for (let i = 0; i < 20; i++) assertEquals(comparable(await ask(cookie)).tc, false);
});

Deno.test("the first message of a transfer has the options asked for (RFC 5936 §2.2.5)", async () => {
  const allowTransfer = [{ cidr: parseCidr("127.0.0.1"), keys: [] }];
  await using server = await start({ allowTransfer, serverId: "x" });
  const edns: AskEdns = { options: [[NSID, []], [EXPIRE, []]] };
  const message = askMessage({ name: "example.org.", type: "AXFR", edns });
  for await (const first of tcpMessages(server, message, TIMEOUT_MS)) {
    const { answer, opt } = comparable(first);
    assertEquals([answer.length, opt?.options], [4, [NSID, EXPIRE]]);
    assertEquals([...first.slice(-4)], [0, 0x12, 0x75, 0]); // 1,209,600 s
    break;
  }
});
