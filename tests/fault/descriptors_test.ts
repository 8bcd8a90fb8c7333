/** No file descriptors left: accepting pauses and goes on, what runs runs on. */
import { assert, assertEquals } from "@std/assert";
import { connectFrom, type PlainConn } from "../support/connect_from.ts";
import { axfr, query, type Server, tcpMessages } from "../support/dns_client.ts";
import { interopTest } from "../support/interop.ts";
import { decodeMessage, encodeQuery } from "../support/oracle.ts";
import { pidOf, processFigures } from "../support/process_figures.ts";
import { mustRun } from "../support/processes.ts";
import { until } from "../support/wait.ts";
import { serveAbused, ZONE } from "./abuse.ts";

const LIMIT = 64;

/** A transfer is held while other things are done, however long they take on a busy machine. */
const HELD = ["--tcp-stall-timeout", "10m"];

/** The rest of a transfer of which one message has been read. */
async function finish(messages: AsyncGenerator<Uint8Array>): Promise<number> {
  let records = 0;
  for await (const message of messages) {
    records += decodeMessage(message).answers?.length ?? 0;
    if (records >= 200) break;
  }
  return records;
}

/** Connections of strangers who say nothing, each from an address of its own. */
async function silent(server: Server, count: number): Promise<PlainConn[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, i) => connectFrom(server, `127.0.1.${i + 1}`)),
  );
}

/** The highest of a process' descriptors that is a socket: none below it is free for long. */
function lastSocket(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  let last = -1;
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      if (Deno.readLinkSync(`${folder}/${name}`).startsWith("socket:")) {
        last = Math.max(last, Number(name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // closed meanwhile
    }
  }
  return last;
}

async function asksAll(server: Server): Promise<void> {
  for (const tcp of [false, true]) {
    assertEquals((await query(server, ZONE, "SOA", { tcp, timeoutMs: 10_000 })).rcode, "NOERROR");
  }
}

const transferQuery = () => encodeQuery({ questions: [{ type: "AXFR", name: ZONE }] });

interopTest(
  `with ${LIMIT} descriptors: connections leave the server its own, transfers come whole`,
  {},
  async () => {
    await using server = await serveAbused(["127.0.0.1"], HELD, LIMIT);
    const { zonecast } = server;
    const pid = pidOf("zonecast");
    assert(/fewer TCP connections than set/.test(zonecast.log()), zonecast.log());
    const before = processFigures(pid).descriptors;
    const running = tcpMessages(zonecast, transferQuery(), 10_000);
    await running.next();
    const conns = await silent(zonecast, 200);
    try {
      await asksAll(zonecast);
      const figures = processFigures(pid);
      console.log(
        `${LIMIT} descriptors: ${before} of its own, ${figures.descriptors} under 200 connections`,
      );
      assert(figures.descriptors < LIMIT, `${figures.descriptors} descriptors`);
      // A change needs descriptors too: it is read, made durable and told.
      await zonecast.mustCli(["set", ZONE, "new", "A", "192.0.2.7"]);
      await until(
        async () => (await query(zonecast, `new.${ZONE}`, "A")).rcode === "NOERROR",
        { what: "the change is served" },
      );
      assert(await finish(running) >= 200);
      assertEquals((await axfr(zonecast, ZONE)).rcode, "NOERROR");
    } finally {
      for (const conn of conns) conn.close();
    }
    await until(() => processFigures(pid).descriptors <= before + 2, { what: "all given back" });
  },
);

interopTest("with no descriptor left at all accepting pauses, and goes on when there are some", {
  needs: ["prlimit"],
}, async () => {
  await using server = await serveAbused(["127.0.0.1"], HELD);
  const { zonecast } = server;
  const pid = pidOf("zonecast");
  const limit = (descriptors: number) =>
    mustRun("prlimit", ["--pid", `${pid}`, `--nofile=${descriptors}:`]);
  const running = tcpMessages(zonecast, transferQuery(), 10_000);
  await running.next();
  await limit(lastSocket(pid) + 1);
  const conns = await silent(zonecast, 20); // the kernel takes them; the server cannot
  try {
    await until(() => /cannot accept connections/.test(zonecast.log()), { what: "it says so" });
    assertEquals((await query(zonecast, ZONE, "SOA")).rcode, "NOERROR");
    // Its end gives one descriptor back: those who wait get it in turn, each long enough to ask.
    assert(await finish(running) >= 200);
    await asksAll(zonecast);
    await limit(1_024);
    assertEquals((await axfr(zonecast, ZONE)).rcode, "NOERROR");
    await asksAll(zonecast);
  } finally {
    for (const conn of conns) conn.close();
  }
});
