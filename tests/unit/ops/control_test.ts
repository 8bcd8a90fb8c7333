import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ZonecastError } from "../../../lib/dns/mod.ts";
import {
  askServer,
  askServerOnce,
  type ControlCommand,
  ControlError,
  ControlServer,
  createLogger,
  type JsonValue,
  nullLogger,
} from "../../../lib/ops/mod.ts";

const COMMANDS: Record<string, ControlCommand> = {
  status: () => [{ zones: 2 }],
  count: function* (request) {
    for (let i = 0; i < Number(request.to); i++) yield i;
  },
  fail: () => {
    throw new ZonecastError("no-such-zone", "There is no zone x.", "add it");
  },
  bug: () => {
    throw new TypeError("x is not a function");
  },
};

async function withServer(
  test: (path: string, server: ControlServer, dir: string) => Promise<void>,
  commands: Record<string, ControlCommand> = COMMANDS,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/control.sock`;
  const server = await ControlServer.start(path, commands, nullLogger);
  try {
    await test(path, server, dir);
  } finally {
    await server.close();
    await Deno.remove(dir, { recursive: true });
  }
}

async function all(answers: AsyncIterable<JsonValue>): Promise<JsonValue[]> {
  const list: JsonValue[] = [];
  for await (const answer of answers) list.push(answer);
  return list;
}

/** Sends raw octets and reads until the server ends the connection. */
async function raw(path: string, octets: string): Promise<string> {
  const conn = await Deno.connect({ transport: "unix", path });
  try {
    await conn.write(new TextEncoder().encode(octets));
    await conn.closeWrite();
    return await new Response(conn.readable).text();
  } catch {
    return "";
  } finally {
    try {
      conn.close();
    } catch { /* the stream closed it */ }
  }
}

Deno.test("control socket: answers one or many, in order", async () => {
  await withServer(async (path) => {
    assertEquals(await askServerOnce(path, { command: "status" }), { zones: 2 });
    assertEquals(
      await all(askServer(path, { command: "count", to: 1000 })),
      Array.from({ length: 1000 }, (_, i) => i),
    );
  });
});

Deno.test("control socket: its file has mode 0660 and goes when the server closes", async () => {
  await withServer(async (path, server) => {
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o660);
    await server.close();
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("control socket: the server's error comes with code, message and hint", async () => {
  await withServer(async (path) => {
    const error = await assertRejects(
      () => askServerOnce(path, { command: "fail" }),
      ControlError,
      "There is no zone x.",
    );
    assertEquals([error.code, error.hint], ["no-such-zone", "add it"]);
  });
});

Deno.test("control socket: a bug in a command is answered and does not end the server", async () => {
  await withServer(async (path) => {
    const error = await assertRejects(() => askServerOnce(path, { command: "bug" }), ControlError);
    assertEquals(error.code, "internal");
    assertEquals(await askServerOnce(path, { command: "status" }), { zones: 2 });
  });
});

Deno.test("control socket: commands not known, inherited names included, are refused", async (t) => {
  await withServer(async (path) => {
    for (const command of ["statuss", "toString", "__proto__", ""]) {
      await t.step(`"${command}"`, async () => {
        const error = await assertRejects(() => askServerOnce(path, { command }), ControlError);
        assertEquals(error.code, "control-unknown-command");
      });
    }
  });
});

Deno.test("control socket: malformed requests are refused with a reason", async (t) => {
  await withServer(async (path) => {
    const wrong: [string, string][] = [
      ["hello\n", "control-malformed"],
      ["[]\n", "control-malformed"],
      ["null\n", "control-malformed"],
      [`{"command":1}\n`, "control-malformed"],
      [`{"command":"status"}`, "control-cut"],
      [`{"command":"${"x".repeat(70_000)}"}\n`, "control-too-long"],
    ];
    for (const [request, code] of wrong) {
      await t.step(request.slice(0, 40), async () => {
        assertStringIncludes(await raw(path, request), `"code":"${code}"`);
      });
    }
    assertEquals(await askServerOnce(path, { command: "status" }), { zones: 2 });
  });
});

Deno.test("control socket: with no server the error says so and what to do", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/control.sock`;
    const error = await assertRejects(
      () => askServerOnce(path, { command: "status" }),
      ControlError,
      `No server is running at ${path}`,
    );
    assertEquals(error.code, "no-server");
    assert(error.hint?.includes("--control"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("control socket: a file left by a dead server is replaced", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/control.sock`;
  try {
    await leaveStaleSocket(path);
    const server = await ControlServer.start(path, COMMANDS, nullLogger);
    try {
      assertEquals(await askServerOnce(path, { command: "status" }), { zones: 2 });
    } finally {
      await server.close();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** A socket file nobody listens on: a listener under a name it does not know any more. */
async function leaveStaleSocket(path: string): Promise<void> {
  const listener = Deno.listen({ transport: "unix", path: `${path}.0` });
  await Deno.rename(`${path}.0`, path);
  listener.close();
}

Deno.test("control socket: a server that answers is left alone", async () => {
  await withServer(async (path) => {
    const error = await assertRejects(
      () => ControlServer.start(path, COMMANDS, nullLogger),
      ControlError,
    );
    assertEquals(error.code, "control-in-use");
    assertEquals(await askServerOnce(path, { command: "status" }), { zones: 2 });
  });
});

Deno.test("control socket: a path that cannot be used is refused with the reason", async (t) => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(`${dir}/file`, "mine");
  const wrong: [string, string, string][] = [
    ["a file lies there", `${dir}/file`, "control-path-taken"],
    ["no directory", `${dir}/none/control.sock`, "control-bind"],
    ["too long", `${dir}/${"x".repeat(120)}`, "control-path-too-long"],
  ];
  try {
    for (const [what, path, code] of wrong) {
      await t.step(what, async () => {
        const error = await assertRejects(
          () => ControlServer.start(path, COMMANDS, nullLogger),
          ControlError,
        );
        assertEquals(error.code, code);
      });
    }
    assertEquals(await Deno.readTextFile(`${dir}/file`), "mine");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("control socket: a command learns that its client is gone", async () => {
  const ended = Promise.withResolvers<void>();
  const commands: Record<string, ControlCommand> = {
    follow: async function* (_request, signal) {
      yield 1;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.resolve();
    },
  };
  await withServer(async (path) => {
    for await (const _ of askServer(path, { command: "follow" })) break;
    await ended.promise;
  }, commands);
});

Deno.test("control socket: a client that leaves amid many answers is no error in the log", async () => {
  const dir = await Deno.makeTempDir();
  const lines: string[] = [];
  const log = createLogger({ format: "json", level: "info", write: (line) => lines.push(line) });
  const ended = Promise.withResolvers<void>();
  const commands: Record<string, ControlCommand> = {
    flood: function* () {
      try {
        while (true) yield "x".repeat(10_000);
      } finally {
        ended.resolve();
      }
    },
  };
  const server = await ControlServer.start(`${dir}/control.sock`, commands, log);
  try {
    for await (const _ of askServer(server.path, { command: "flood" })) break;
    await ended.promise;
    assertEquals(lines, []);
  } finally {
    await server.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("control socket: a server that stops mid-answer is told from a whole answer", async () => {
  const commands: Record<string, ControlCommand> = {
    follow: async function* (_request, signal) {
      yield 1;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  await withServer(async (path, server) => {
    const error = await assertRejects(async () => {
      for await (const _ of askServer(path, { command: "follow" })) await server.close();
    }, ControlError);
    assertEquals(error.code, "control-cut");
  }, commands);
});

Deno.test("control socket: a server that says nothing is given up on", async () => {
  const commands: Record<string, ControlCommand> = {
    hang: async function* (_request, signal) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield 1;
    },
  };
  await withServer(async (path) => {
    const error = await assertRejects(
      () => all(askServer(path, { command: "hang" }, 20)),
      ControlError,
    );
    assertEquals(error.code, "control-timeout");
  }, commands);
});
