/** What an asker believes, and what it says when there is nothing to believe. */
import { assertEquals, assertRejects } from "@std/assert";
import { parseName, TYPE } from "../../../lib/dns/mod.ts";
import {
  answerSource,
  Asker,
  AskError,
  type AskErrorCode,
  fetchZone,
} from "../../../lib/server/mod.ts";
import { TransferError } from "../../../lib/transfer/mod.ts";
import { FLAG, frame, FrameReader, MessageWriter, SECTION } from "../../../lib/wire/mod.ts";
import { freePort } from "../../support/ports.ts";
import { DEADLINE_MS } from "../../support/wait.ts";
import { recordOf, soaOf } from "../../support/zone_version.ts";

const APEX = parseName("example.org.");
const QUESTION = { name: APEX, type: TYPE.A };
/** Where no answer comes. */
const FAST = { triesMs: [250, 250], streamMs: 500 };
/** Where one comes, on a machine that does other things too. */
const PATIENT = { triesMs: [DEADLINE_MS], streamMs: DEADLINE_MS };

/** An answer to a query, by default the right one. */
function answer(query: Uint8Array, more: { id?: number; name?: string; flags?: number } = {}) {
  const writer = new MessageWriter(1232);
  writer.header((query[0] << 8 | query[1]) ^ (more.id ?? 0), FLAG.QR | (more.flags ?? FLAG.AA));
  writer.question({ name: parseName(more.name ?? "example.org."), type: TYPE.A, class: 1 });
  writer.record(SECTION.ANSWER, recordOf("@ 60 A 192.0.2.1", APEX));
  return writer.finish();
}

/** A server over UDP that answers each query with these messages. */
function udpServer(react: (query: Uint8Array) => readonly Uint8Array[], port = 0) {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
  (async () => {
    for await (const [query, from] of socket) {
      for (const message of react(query)) await socket.send(message, from);
    }
  })().catch(() => {}); // closed
  return {
    port: (socket.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => socket.close(),
  };
}

/** A server over TCP that answers each query with these octets, then closes. */
function tcpServer(react: (query: Uint8Array) => readonly Uint8Array[], port = 0) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const serving = (async () => {
    for await (const conn of listener) {
      const buffer = new Uint8Array(4096);
      const [query] = new FrameReader().feed(buffer.subarray(0, await conn.read(buffer) ?? 0));
      if (query) { for (const octets of react(query.slice())) await conn.write(octets); }
      conn.close();
    }
  })().catch(() => {});
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

async function code(work: Promise<unknown>): Promise<AskErrorCode> {
  return (await assertRejects(() => work, AskError)).code;
}

Deno.test("Asker: the right answer is believed among wrong ones", async () => {
  using server = udpServer((query) => [
    answer(query, { id: 1 }),
    answer(query, { name: "example.net." }),
    query, // no response at all
    query.subarray(0, 5),
    answer(query),
  ]);
  using asker = new Asker(PATIENT);
  const { response, transport } = await asker.ask({ ip: "127.0.0.1", port: server.port }, QUESTION);
  assertEquals([transport, response.answer.length], ["udp", 1]);
});

Deno.test("Asker: what is cut short is asked for again over TCP", async () => {
  const port = freePort(); // over UDP and TCP
  using udp = udpServer((query) => [answer(query, { flags: FLAG.TC })], port);
  await using _ = tcpServer((query) => [frame(answer(query))], port);
  using asker = new Asker(PATIENT);
  const { transport } = await asker.ask({ ip: "127.0.0.1", port: udp.port }, QUESTION);
  assertEquals(transport, "tcp");
});

Deno.test("Asker: why there was no answer", async (t) => {
  using asker = new Asker(PATIENT);
  const at = (port: number) => ({ ip: "127.0.0.1", port });
  await t.step("silence", async () => {
    using silent = udpServer(() => []);
    using hasty = new Asker(FAST);
    assertEquals(await code(hasty.ask(at(silent.port), QUESTION)), "ask-silent");
  });
  await t.step("what cannot be read", async () => {
    using broken = udpServer((query) => [answer(query).subarray(0, 40)]);
    assertEquals(await code(asker.ask(at(broken.port), QUESTION)), "ask-malformed");
  });
  await t.step("no connection, one that is closed, another answer", async () => {
    assertEquals(await code(asker.askStream(at(freePort()), QUESTION)), "ask-unreachable");
    await using closing = tcpServer(() => []);
    assertEquals(await code(asker.askStream(at(closing.port), QUESTION)), "ask-silent");
    await using other = tcpServer((query) => [frame(answer(query, { id: 1 }))]);
    assertEquals(await code(asker.askStream(at(other.port), QUESTION)), "ask-malformed");
  });
});

Deno.test("fetchZone: a transfer in any pieces, one that is cut, one that is refused", async (t) => {
  using asker = new Asker(PATIENT);
  const records = [soaOf("example.org.", 7), recordOf("www 60 A 192.0.2.1", APEX)];
  const transfer = (query: Uint8Array, last = true, rcode = 0) => {
    const writer = new MessageWriter(1232);
    writer.header(query[0] << 8 | query[1], FLAG.QR | rcode);
    for (const record of rcode ? [] : [...records, ...last ? [records[0]] : []]) {
      writer.record(SECTION.ANSWER, record);
    }
    return frame(writer.finish());
  };
  const fetch = async (react: (query: Uint8Array) => readonly Uint8Array[]) => {
    await using server = tcpServer(react);
    const parts = fetchZone(asker, { ip: "127.0.0.1", port: server.port }, APEX);
    return (await Array.fromAsync(parts)).flatMap(({ records }) => records);
  };
  await t.step("octet by octet", async () => {
    const found = await fetch((query) =>
      Array.from(transfer(query), (octet) => Uint8Array.of(octet))
    );
    assertEquals(found, [records[1]]);
  });
  await t.step("cut", async () => {
    const error = await assertRejects(
      () => fetch((query) => [transfer(query, false)]),
      TransferError,
    );
    assertEquals(error.code, "transfer-cut");
  });
  await t.step("refused", async () => {
    const error = await assertRejects(
      () => fetch((query) => [transfer(query, true, 5)]),
      TransferError,
    );
    assertEquals([error.code, error.rcode], ["transfer-refused", 5]);
  });
});

Deno.test("answerSource: where the answer came from; undefined where none comes", async () => {
  using server = udpServer((query) => [answer(query)]);
  const address = { ip: "127.0.0.1", port: server.port };
  assertEquals(await answerSource(address, QUESTION), address);
  using silent = udpServer(() => []);
  assertEquals(await answerSource({ ip: "127.0.0.1", port: silent.port }, QUESTION), undefined);
});
