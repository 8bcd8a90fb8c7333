/**
 * Signed messages against the running server: forged, replayed, late, unsigned, wrongly
 * signed, cut and reordered; what each is answered and what the log says of it.
 *
 * Spec: RFC 8945 §5.2 (the order of checks, and how each failure is answered).
 */
import { assert, assertEquals } from "@std/assert";
import { createLogger, parseCidr, parseSocketAddress } from "../../../lib/ops/mod.ts";
import { TYPE } from "../../../lib/dns/mod.ts";
import { DnsServer, KeyRing, parseSecondary } from "../../../lib/server/mod.ts";
import {
  findKeyIn,
  findTsig,
  frame,
  FrameReader,
  OPTION,
  rcodeName,
  timeSeconds,
  type TsigKey,
  TsigSequenceVerifier,
  verifyTsig,
} from "../../../lib/wire/mod.ts";
import { type DifferenceReader, ZoneTable } from "../../../lib/zone/mod.ts";
import { connectFrom } from "../../support/connect_from.ts";
import { exchange } from "../../support/dns_client.ts";
import { decodeMessage } from "../../support/oracle.ts";
import {
  altered,
  key,
  KEYS,
  NOW,
  OTHER,
  OWN,
  request,
  ROWS,
  signed,
  SOA_QUERY,
} from "../../support/signed_requests.ts";
import { zoneVersion } from "../../support/zone_version.ts";

async function startServer(
  listen = "127.0.0.1:0",
  from = "127.0.0.1",
  differences?: DifferenceReader,
) {
  const log: string[] = [];
  const zones = new ZoneTable();
  const hosts = Array.from({ length: 3_000 }, (_, i) => `h${i} 300 A 192.0.2.${i % 256}`);
  zones.set(zoneVersion("example.org.", 7, ["@ 300 NS ns1", ...hosts].join("\n")));
  const server = new DnsServer({
    zones,
    listen: [parseSocketAddress(listen)],
    secondaries: [
      parseSecondary(`s=127.0.0.1,key=own.key+short.key,from=${from},notify=off,watch=off`),
    ],
    allowTransfer: [{ cidr: parseCidr("127.0.0.2"), keys: [OTHER.name] }],
    differences,
    keys: new KeyRing(KEYS, { timeOfDay: () => NOW * 1_000 }),
    log: createLogger({
      format: "logfmt",
      level: "info",
      journal: false,
      write: (line) => log.push(line),
    }),
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  return { addr, port, server, log, [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }) };
}
type Running = Awaited<ReturnType<typeof startServer>>;

const askUdp = (server: Running, message: Uint8Array) => exchange(server, message);

/** The messages that come until the connection is closed by us after a pause in them. */
async function askTcp(server: Running, messages: readonly Uint8Array[], from = "127.0.0.1") {
  using conn = await connectFrom(server, from);
  for (const message of messages) await conn.write(frame(message));
  const answers: Uint8Array[] = [];
  const reader = new FrameReader();
  const buffer = new Uint8Array(65_536);
  const isEnd = () => answers.length >= messages.length && isWhole(answers);
  while (!isEnd()) {
    const length = await conn.read(buffer);
    if (length === null) break;
    for (const answer of reader.feed(buffer.subarray(0, length))) answers.push(answer.slice());
  }
  return answers;
}

/** Whether the last message ends what it belongs to: an error, one answer, or an AXFR. */
function isWhole(answers: readonly Uint8Array[]): boolean {
  const all = answers.map(decodeMessage);
  const isTransfer = all[0].questions?.[0]?.type === "AXFR" && (answers[0][3] & 0xf) === 0;
  return !isTransfer || all.at(-1)?.answers?.at(-1)?.type === "SOA" && all.length > 1;
}

/** The answer's TSIG record as a row has it; what is signed must verify. */
function tsigState(answer: Uint8Array, message: Uint8Array, by: TsigKey): string {
  const tsig = findTsig(answer);
  if (!tsig) return "none";
  if (tsig.mac.length === 0) return `unsigned ${tsig.error}`;
  const { mac } = findTsig(message)!;
  const at = timeSeconds(tsig.timeSigned);
  const verdict = verifyTsig(answer, tsig, findKeyIn([by]), at, mac);
  assertEquals(verdict.kind, "valid", "the answer's signature");
  if (tsig.error === 18) assertEquals(timeSeconds(tsig.other), NOW, "BADTIME brings our time");
  else assertEquals(at, NOW);
  return `signed ${tsig.error}`;
}

function extendedError(answer: Uint8Array): number | undefined {
  for (const record of decodeMessage(answer).additionals ?? []) {
    if (record.type !== "OPT") continue;
    for (const option of record.options) {
      if (Number(option.code) !== OPTION.EDE || !("data" in option) || !option.data) continue;
      return option.data[0] << 8 | option.data[1];
    }
  }
  return undefined;
}

Deno.test("signed requests: each is answered and logged as RFC 8945 has it", async (t) => {
  for (const row of ROWS) {
    await t.step(`${row.what}: ${row.rcode}, TSIG ${row.tsig}`, async () => {
      await using server = await startServer();
      let answer: Uint8Array | undefined;
      for (let i = 0; i < (row.times ?? 1); i++) {
        answer = row.over === "udp"
          ? await askUdp(server, row.message)
          : (await askTcp(server, [row.message], row.from))[0];
      }
      assert(answer, "no answer");
      assertEquals(rcodeName(answer[3] & 0xf), row.rcode);
      assertEquals(tsigState(answer, row.message, row.by ?? OWN), row.tsig);
      assertEquals(extendedError(answer), row.ede);
      // A transfer is logged when all of it has been written.
      await server.server.close({ drainMs: 5_000 });
      const lines = server.log.filter((line) => !line.includes("event=listening")).join("\n");
      if (row.log) assert(row.log.test(lines), lines || "nothing was logged");
      else assertEquals(lines, "");
    });
  }
});

Deno.test("signed requests in another order on one connection are each answered", async () => {
  await using server = await startServer();
  const messages = [3, 1, 2].map((id) => signed(OWN, { ...SOA_QUERY, id }));
  const answers = await askTcp(server, messages);
  assertEquals(answers.map((answer) => answer[1]), [3, 1, 2]);
  for (const [i, answer] of answers.entries()) {
    assertEquals(tsigState(answer, messages[i], OWN), "signed 0");
  }
});

Deno.test("a signed IXFR that fails is answered SERVFAIL, signed", async () => {
  // What the journal gives cannot be read: a bug of ours, or a damaged page.
  const damaged: DifferenceReader = {
    differences: () =>
      Promise.resolve({
        kind: "kept",
        get sequences(): never {
          throw new RangeError("damaged");
        },
      }),
  };
  await using server = await startServer(undefined, undefined, damaged);
  const message = signed(OWN, { type: TYPE.IXFR, ixfrSerial: 3 });
  const [answer] = await askTcp(server, [message]);
  assertEquals(rcodeName(answer[3] & 0xf), "SERVFAIL");
  assertEquals(tsigState(answer, message, OWN), "signed 0");
});

Deno.test("a signed transfer: every message signed; reordered, cut, altered or left out, it does not verify", async (t) => {
  await using server = await startServer();
  const message = signed();
  const messages = await askTcp(server, [message]);
  assert(messages.length > 2, `${messages.length} messages`);
  assert(messages.every((each) => (findTsig(each)?.mac.length ?? 0) === 32));
  const { mac } = findTsig(message)!;
  /** The first fault, or that the end is missing. */
  const faultOf = (sequence: readonly Uint8Array[], requestMac = mac): string | undefined => {
    const verifier = new TsigSequenceVerifier(OWN, requestMac);
    for (const each of sequence) {
      const fault = verifier.take(each, findTsig(each), NOW);
      if (fault) return fault;
    }
    return verifier.isComplete ? undefined : "it does not end";
  };
  const swapped = [...messages];
  [swapped[1], swapped[2]] = [swapped[2], swapped[1]];
  const stripped = (each: Uint8Array) => {
    const out = each.slice(0, findTsig(each)!.offset);
    out[11]--;
    return out;
  };
  const rows: [what: string, sequence: Uint8Array[], fault: string | undefined][] = [
    ["as it came", messages, undefined],
    ["two messages swapped", swapped, "its MAC is wrong"],
    ["one left out", messages.filter((_, i) => i !== 1), "its MAC is wrong"],
    ["one twice", [messages[0], ...messages], "its MAC is wrong"],
    [
      "an octet altered",
      messages.map((each, i) => i === 1 ? altered(each, findTsig(each)!.offset - 1) : each),
      "its MAC is wrong",
    ],
    [
      "the first not signed",
      [stripped(messages[0]), ...messages.slice(1)],
      "the first message is not signed",
    ],
    [
      "the last not signed",
      [...messages.slice(0, -1), stripped(messages.at(-1)!)],
      "it does not end",
    ],
  ];
  for (const [what, sequence, fault] of rows) {
    await t.step(`${what}: ${fault ?? "verifies"}`, () => assertEquals(faultOf(sequence), fault));
  }
  await t.step("the answer to another request: its MAC is wrong", () => {
    assertEquals(faultOf(messages, findTsig(signed(OWN, { id: 2 }))!.mac), "its MAC is wrong");
  });
});

Deno.test("what is wrong with signatures is logged once in a while for each client, and counted", async () => {
  await using server = await startServer();
  for (let i = 0; i < 50; i++) await askUdp(server, signed(key("own.key.", 9), SOA_QUERY));
  assertEquals(server.log.filter((line) => line.includes("BADSIG")).length, 1);
  assertEquals(server.server.status().counts.signatureFaults, 50);
});

/** Whether this machine has IPv6 at all. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test({
  name: "address and key hold over IPv6, and for IPv4 that comes mapped into it",
  ignore: !hasIpv6(),
  fn: expectAddressesHold,
});

async function expectAddressesHold(t: Deno.TestContext): Promise<void> {
  // Who is listed, who asks, and whether that is one and the same.
  const rows: readonly [from: string, client: string, isListed: boolean][] = [
    ["::1", "::1", true],
    ["127.0.0.1", "127.0.0.1", true],
    ["127.0.0.0/8", "127.0.0.1", true],
    ["127.0.0.1", "::1", false],
    ["::1", "127.0.0.1", false],
    ["::/0", "127.0.0.1", false],
  ];
  for (const [from, client, isListed] of rows) {
    await t.step(`from=${from}, asked by ${client}: ${isListed ? "may" : "may not"}`, async () => {
      await using server = await startServer("[::]:0", from);
      const ask = async (message: Uint8Array) => {
        const [answer] = await askTcp({ ...server, addr: client }, [message], client);
        return rcodeName(answer[3] & 0xf);
      };
      assertEquals(await ask(signed(OWN, { id: 1 })), isListed ? "NOERROR" : "REFUSED");
      assertEquals(await ask(signed(OTHER, { id: 2 })), "REFUSED");
      assertEquals(await ask(request({ id: 3 })), "REFUSED");
      await server.server.close({ drainMs: 5_000 });
      const said = server.log.filter((line) => line.includes("transfer refused")).join("\n");
      assert(isListed || said.includes("client may not transfer"), said);
      // The log has the client's address as it is known, not mapped.
      assert(!said.includes("::ffff:"), said);
    });
  }
}
