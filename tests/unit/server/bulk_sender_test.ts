/** Bulk handed to the kernel: every octet once and in order, and none to anybody else. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { takeSystemCalls } from "../../../lib/ops/mod.ts";
import { type BulkCalls, BulkSender, type BulkSocket } from "../../../lib/server/bulk_sender.ts";
import { BULK_OCTETS } from "../../../lib/server/limits.ts";
import { TcpWriter } from "../../../lib/server/tcp_writer.ts";
import { BulkRoom } from "../../../lib/transfer/mod.ts";
import { randomOf } from "../../support/random.ts";
import { until } from "../../support/wait.ts";

// Before anything else: who has them gives the permission back.
const systemCalls = takeSystemCalls();
assert(systemCalls, "there are no system calls: is this Linux with glibc, and --allow-ffi given?");
const calls: BulkCalls = systemCalls;

/** More than the kernel keeps for a connection that nobody reads. */
const MORE_THAN_KEPT = 48 * 1024 * 1024;

interface Pair extends Disposable {
  /** The server's end, and the client's. */
  readonly conn: Deno.TcpConn;
  readonly peer: Deno.TcpConn;
}

async function connected(at = "127.0.0.1", hostname = at): Promise<Pair> {
  using listener = Deno.listen({ hostname: at, port: 0 });
  return await accepted(listener, hostname);
}

async function accepted(listener: Deno.TcpListener, hostname = "127.0.0.1"): Promise<Pair> {
  const { port } = listener.addr;
  const [conn, peer] = await Promise.all([listener.accept(), Deno.connect({ hostname, port })]);
  const closed = (one: Deno.TcpConn) => {
    try {
      one.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
  return {
    conn,
    peer,
    [Symbol.dispose]() {
      closed(conn);
      closed(peer);
    },
  };
}

/** The octet at a place in the stream: nothing that is left out or doubled stays unseen. */
function octetAt(at: number): number {
  return at ^ at >>> 8 ^ at >>> 16;
}

/** Puts the stream from `at` on into the room. */
function fill(room: Uint8Array, at: number): void {
  for (let i = 0; i < room.length; i++) room[i] = octetAt(at + i);
}

/** Reads the stream to its end. Returns its length. @throws {Error} an octet is not the stream's */
async function readStream(conn: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(256 * 1024);
  for (let at = 0;;) {
    const length = await conn.read(buffer);
    if (length === null) return at;
    for (let i = 0; i < length; i++, at++) {
      if (buffer[i] !== (octetAt(at) & 0xff)) throw new Error(`octet ${at} is not the stream's`);
    }
  }
}

/** The end of a writer as a session has it. */
function end(writer: TcpWriter, conn: Deno.TcpConn): void {
  writer.close();
  conn.close();
}

for (const [at, from] of [["127.0.0.1", "127.0.0.1"], ["::1", "::1"], ["::", "127.0.0.1"]]) {
  Deno.test(`bulk reaches whom the connection is with, and no other (${from} to ${at})`, async () => {
    const sender = new BulkSender(calls);
    using one = await connected(at, from);
    using two = await connected(at, from);
    using three = await connected(at, from);
    const pairs = [one, two, three];
    for (const [index, { conn }] of pairs.entries()) {
      const socket = sender.socketOf(conn);
      assert(socket, "its descriptor is not found");
      const octets = socket.room.take().subarray(0, 100).fill(index);
      assertEquals(socket.send(octets), 100);
      conn.close();
    }
    for (const [index, { peer }] of pairs.entries()) {
      const got = new Uint8Array(await new Response(peer.readable).arrayBuffer());
      assertEquals(got, new Uint8Array(100).fill(index));
    }
  });
}

Deno.test("a connection that is closed, or was never one, has no bulk", async () => {
  const sender = new BulkSender(calls);
  using pair = await connected();
  const { localAddr, remoteAddr } = pair.conn;
  pair.conn.close();
  assertEquals(sender.socketOf({ localAddr, remoteAddr }), undefined);
});

Deno.test("what the kernel has no room for goes on at the exact octet; the room is free at once", async () => {
  using pair = await connected();
  const { conn, peer } = pair;
  const sender = new BulkSender(calls);
  const writer = new TcpWriter(conn, 60_000, () => sender.socketOf(conn));
  const room = writer.bulkRoom?.take();
  assert(room);
  let waits = 0;
  const writing = (async () => {
    for (let at = 0; at < MORE_THAN_KEPT; at += room.length) {
      fill(room, at);
      const writing = writer.writeBulk(room);
      room.fill(0xaa); // as another transfer would
      if (writer.pending) waits++;
      await writing;
    }
    end(writer, conn);
  })();
  await until(() => waits > 0, { what: "a full socket" });
  assertEquals(await readStream(peer), MORE_THAN_KEPT);
  await writing;
});

Deno.test("bulk waits for what is on its way, and what is written later for bulk", async () => {
  using pair = await connected();
  const { conn, peer } = pair;
  const sender = new BulkSender(calls);
  const writer = new TcpWriter(conn, 60_000, () => sender.socketOf(conn));
  const room = writer.bulkRoom!.take();
  const first = new Uint8Array(MORE_THAN_KEPT);
  fill(first, 0);
  const writes = [writer.write(first)];
  assert(writer.pending, "a socket took it all");
  fill(room, first.length);
  writes.push(writer.writeBulk(room));
  const last = new Uint8Array(1_000);
  fill(last, first.length + room.length);
  writes.push(writer.write(last));
  const reading = readStream(peer);
  await Promise.all(writes);
  end(writer, conn);
  assertEquals(await reading, first.length + room.length + last.length);
});

Deno.test("a peer that resets the connection ends the transfer with the reason, and nothing else", async () => {
  using pair = await connected();
  const { conn, peer } = pair;
  const sender = new BulkSender(calls);
  const writer = new TcpWriter(conn, 60_000, () => sender.socketOf(conn));
  const room = writer.bulkRoom!.take();
  await writer.writeBulk(room);
  peer.close(); // with octets unread: a reset
  const error = await assertRejects(async () => {
    for (;;) await writer.writeBulk(room);
  }, Error);
  assert(/reset|pipe/i.test(error.message), error.message);
  await assertRejects(() => writer.writeBulk(room), Error); // and so does what comes behind
  end(writer, conn);
});

Deno.test("a descriptor that has become another connection's gets nothing", async () => {
  const sender = new BulkSender(calls);
  const used: number[] = [];
  const spied = new BulkSender({
    ...calls,
    send: (fd, octets, length, flags) => {
      used.push(fd);
      return calls.send(fd, octets, length, flags);
    },
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using first = await accepted(listener);
  const writer = new TcpWriter(first.conn, 60_000, () => spied.socketOf(first.conn));
  const room = writer.bulkRoom!.take();
  await writer.writeBulk(room.subarray(0, 10));
  end(writer, first.conn);
  // The lowest free descriptor is taken: one of these has the closed connection's.
  const others: Pair[] = [];
  try {
    for (let i = 0; i < 3; i++) others.push(await accepted(listener));
    const fds: number[] = [];
    const listed = new BulkSender({
      ...calls,
      send: (fd) => {
        fds.push(fd);
        return 0n;
      },
    });
    for (const { conn, peer } of others) {
      for (const one of [conn, peer]) listed.socketOf(one)?.send(room);
    }
    assert(fds.includes(used[0]), `descriptor ${used[0]} is not used again: ${fds}`);
    await assertRejects(() => writer.writeBulk(room), Error, "closed");
    assertEquals(writer.bulkRoom, undefined);
    assertEquals(used.length, 1);
    assert(sender.socketOf(others[0].conn));
  } finally {
    for (const pair of others) pair[Symbol.dispose]();
  }
});

Deno.test("however the kernel takes it, in parts or not at all, the stream is the same", async () => {
  const random = randomOf(4);
  for (let round = 0; round < 200; round++) {
    const sent: number[] = [];
    const bulk = new BulkRoom(300_000);
    const room = bulk.take();
    const take = (octets: Uint8Array, most: number) => {
      const taken = Math.min(octets.length, most);
      for (let i = 0; i < taken; i++) sent.push(octets[i]);
      return taken;
    };
    const parts = [0, 1, 7, 65_535, 65_536, 65_537, 262_144, Infinity];
    const some = () => parts[Math.floor(random() * parts.length)];
    const socket: BulkSocket = { room: bulk, send: (octets) => take(octets, some()) };
    const conn = {
      write: async (octets: Uint8Array) => {
        if (random() < 0.5) await Promise.resolve();
        return take(octets, Math.max(1, some()));
      },
    };
    const writer = new TcpWriter(conn, 60_000, () => socket);
    assertEquals(writer.bulkRoom, bulk);
    let at = 0;
    for (let i = 0; i < 3; i++) {
      const octets = room.subarray(0, 1 + Math.floor(random() * BULK_OCTETS / 4));
      fill(octets, at);
      at += octets.length;
      const writing = writer.writeBulk(octets);
      room.fill(0xaa);
      if (random() < 0.5) await writing;
    }
    await writer.write(new Uint8Array([1, 2, 3]));
    writer.close();
    assertEquals(sent.length, at + 3);
    assert(sent.slice(0, at).every((octet, i) => octet === (octetAt(i) & 0xff)), `round ${round}`);
  }
});
