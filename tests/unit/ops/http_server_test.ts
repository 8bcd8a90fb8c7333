import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createLogger } from "../../../lib/ops/mod.ts";
import { HTTP_LIMITS, type HttpLimits, HttpServer } from "../../../lib/ops/http_server.ts";
import { type HttpRoute, WorkPace } from "../../../lib/ops/mod.ts";
import { until } from "../../support/wait.ts";

const QUIET = createLogger({ level: "error", format: "logfmt", write: () => {} });
const ANYWHERE = { ip: "127.0.0.1", port: 0 };

const hello: HttpRoute = () => ({ status: 200, type: "text/plain", body: "hello\n" });

/** A server for one test, closed behind it. */
async function serving(
  routes: Record<string, HttpRoute>,
  test: (server: HttpServer) => Promise<void>,
  limits: Partial<HttpLimits> = {},
): Promise<void> {
  // A pace of 1: nothing waits for what came before.
  const pace = new WorkPace(1);
  const server = new HttpServer(ANYWHERE, routes, QUIET, pace, { ...HTTP_LIMITS, ...limits });
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

function connect({ address }: HttpServer): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: address.ip, port: address.port });
}

/** All that comes until the server closes. */
async function readAll(conn: Deno.Conn): Promise<string> {
  const pieces: string[] = [];
  const buffer = new Uint8Array(64 * 1024);
  const text = new TextDecoder();
  try {
    for (let read; (read = await conn.read(buffer)) !== null;) {
      pieces.push(text.decode(buffer.subarray(0, read)));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error; // closed at once
  }
  return pieces.join("");
}

/** What comes for these octets. */
async function ask(server: HttpServer, request: string): Promise<string> {
  using conn = await connect(server);
  await conn.write(new TextEncoder().encode(request));
  return await readAll(conn);
}

Deno.test("HTTP: GET and HEAD are answered, with headers that keep browsers from guessing", async () => {
  await serving({ "/": hello }, async (server) => {
    const got = await ask(server, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assertMatch(got, /^HTTP\/1\.1 200 OK\r\n/);
    assertStringIncludes(got, "x-content-type-options: nosniff\r\n");
    assertStringIncludes(got, "content-length: 6\r\n");
    assert(got.endsWith("\r\n\r\nhello\n"));
    const head = await ask(server, "HEAD /?a=b HTTP/1.0\r\n\r\n");
    assert(head.endsWith("connection: close\r\n\r\n"));
    assertEquals(server.counts.answered.get(200), 2);
  });
});

Deno.test("HTTP: what is no good is answered with why, and changes nothing", async (t) => {
  const requests: [status: number, request: string][] = [
    [400, "nonsense\r\n\r\n"],
    [400, "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"],
    [400, "GET / HTTP/1.1\r\n\r\n"],
    [400, "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n"],
    [404, "GET /nowhere HTTP/1.1\r\nHost: localhost:80\r\n\r\n"],
    [404, "GET /constructor HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"],
    [405, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"],
    [405, "DELETE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    [421, "GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n"],
    [431, `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"x".repeat(8192)}`],
    [501, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ];
  await serving({ "/": hello }, async (server) => {
    for (const [status, request] of requests) {
      await t.step(`${status}: ${request.slice(0, 40).trimEnd()}`, async () => {
        assertMatch(await ask(server, request), new RegExp(`^HTTP/1.1 ${status} `));
      });
    }
  });
});

Deno.test("HTTP: a head comes octet by octet, or not in time", async () => {
  await serving({ "/": hello }, async (server) => {
    using slow = await connect(server);
    for (const octet of new TextEncoder().encode("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n")) {
      await slow.write(Uint8Array.of(octet));
    }
    assertMatch(await readAll(slow), /hello/);
  });
  await serving({ "/": hello }, async (server) => {
    using silent = await connect(server);
    await silent.write(new TextEncoder().encode("GET / HT"));
    assertEquals(await readAll(silent), "");
    await until(() => server.connections === 0, { what: "its place given back" });
  }, { headMs: 50 });
});

Deno.test("HTTP: so many connections at once, and so many of one address", async () => {
  for (const limits of [{ connections: 2 }, { connectionsPerAddress: 2 }]) {
    await serving({ "/": hello }, async (server) => {
      using _first = await connect(server);
      using _second = await connect(server);
      await until(() => server.connections === 2, { what: "two connections" });
      using third = await connect(server);
      assertEquals(await readAll(third), "");
      assertEquals(server.counts.refused, 1);
    }, limits);
  }
});

Deno.test("HTTP: a client that stops reading keeps its own place only, until it goes", async () => {
  const endless: HttpRoute = () => ({
    status: 200,
    type: "text/plain",
    endless: true,
    body: (async function* () {
      while (true) yield "x".repeat(1 << 20);
    })(),
  });
  await serving({ "/": hello, "/endless": endless }, async (server) => {
    {
      using stuck = await connect(server);
      await stuck.write(new TextEncoder().encode("GET /endless HTTP/1.0\r\n\r\n"));
      await until(() => server.counts.answered.get(200) === 1, { what: "its answer begun" });
      assertMatch(await ask(server, "GET / HTTP/1.0\r\n\r\n"), /hello/);
    }
    await until(() => server.connections === 0, { what: "its place given back" });
  }, { writeMs: 50 });
});

Deno.test("HTTP: pieces are chunks for HTTP/1.1, and what fails half way shows", async () => {
  async function* pieces() {
    yield "one ";
    yield "two";
  }
  async function* broken() {
    yield "one ";
    await Promise.resolve();
    throw new Error("the rest cannot be had");
  }
  const stream = (body: () => AsyncIterable<string>): HttpRoute => () => ({
    status: 200,
    type: "text/plain",
    body: body(),
  });
  const routes = { "/pieces": stream(pieces), "/broken": stream(broken) };
  await serving(routes, async (server) => {
    const chunked = await ask(server, "GET /pieces HTTP/1.1\r\nHost: [::1]\r\n\r\n");
    assert(chunked.endsWith("4\r\none \r\n3\r\ntwo\r\n0\r\n\r\n"));
    assert((await ask(server, "GET /pieces HTTP/1.0\r\n\r\n")).endsWith("\r\n\r\none two"));
    const cut = await ask(server, "GET /broken HTTP/1.1\r\nHost: [::1]\r\n\r\n");
    assert(cut.endsWith("4\r\none \r\n"));
  });
});

Deno.test("HTTP: only so many answers without an end, and closing ends them", async () => {
  const watch: HttpRoute = (_request, { signal }) => ({
    status: 200,
    type: "text/event-stream",
    endless: true,
    body: (async function* () {
      yield "data: first\n\n";
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    })(),
  });
  await serving({ "/watch": watch }, async (server) => {
    using first = await connect(server);
    await first.write(new TextEncoder().encode("GET /watch HTTP/1.0\r\n\r\n"));
    await first.read(new Uint8Array(1024));
    assertMatch(await ask(server, "GET /watch HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 503 /);
    const rest = readAll(first);
    await server.close();
    await rest;
  }, { endless: 1 });
});

Deno.test("WorkPace: work has its share of the time, and waiting is not work", async () => {
  const pace = new WorkPace(0.25);
  const busy = () => {
    const ends = performance.now() + 5;
    while (performance.now() < ends);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: 5 }, () => pace.run(busy)));
  await pace.run(() => {});
  assert(performance.now() - began >= 5 * 20 - 1, "five pieces of 5 ms in less than 100 ms");
  const forever = Promise.withResolvers<void>();
  const waiting = pace.run(() => forever.promise);
  assertEquals(await pace.run(() => "at once"), "at once");
  forever.resolve();
  await waiting;
});

Deno.test("WorkPace: long work goes in slices, and ends when nobody wants it any more", async () => {
  const pace = new WorkPace(1);
  function* steps() {
    for (let i = 0; i < 1000; i++) yield i;
    return "done";
  }
  const gone = new AbortController();
  let last = -1;
  assertEquals(await pace.runSliced(steps(), gone.signal, (i) => last = i), "done");
  assertEquals(last, 999);
  gone.abort(new Error("gone"));
  let error: unknown;
  await pace.runSliced(steps(), gone.signal).catch((reason) => error = reason);
  assertEquals((error as Error).message, "gone");
});
