import { assert, assertEquals, assertRejects } from "@std/assert";
import { BULK_MS, TURN_MS, WORK_SHARE_MS } from "../../../lib/server/limits.ts";
import { WorkShare } from "../../../lib/server/work_share.ts";
import { DEADLINE_MS } from "../../support/wait.ts";

function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

Deno.test("work that comes all at once is done in order, and leaves the event loop to others", async () => {
  const share = new WorkShare();
  const order: number[] = [];
  let turns = 0;
  const others = setInterval(() => turns++, 1);
  await Promise.all(Array.from({ length: 40 }, (_, i) =>
    share.run(0, () => {
      spin(WORK_SHARE_MS / 2);
      order.push(i);
    })));
  clearInterval(others);
  assertEquals(order, Array.from({ length: 40 }, (_, i) => i));
  assert(turns >= 10, `${turns} turns for others`);
});

Deno.test("little work never waits", async () => {
  const share = new WorkShare(() => 0);
  let done = 0;
  for (let i = 0; i < 50; i++) share.run(0, () => void done++);
  assertEquals(done, 50);
  await Promise.resolve();
});

Deno.test("work that throws takes its turn's time and gives the turn on", async () => {
  const share = new WorkShare();
  const failing = Array.from({ length: 4 }, () =>
    share.run(0, () => {
      spin(WORK_SHARE_MS);
      throw new Error("a fault");
    }));
  for (const work of failing) await assertRejects(() => work, Error, "a fault");
  await share.run(0, () => {});
});

Deno.test("what goes on without waiting lets a timer have its turn", async () => {
  const share = new WorkShare();
  let turns = 0;
  const others = setInterval(() => turns++, 1);
  for (let i = 0; i < 20; i++) {
    while (share.isLongTurn) await share.nextTurn();
    spin(TURN_MS / 2);
  }
  share.close();
  clearInterval(others);
  assert(turns >= 5, `${turns} turns for others`);
});

Deno.test("the first after a pause, and who comes with it, is not made to wait", async () => {
  const share = new WorkShare();
  for (let i = 0; i < 3; i++) {
    assertEquals([share.isLongTurn, share.isLongTurn], [false, false]);
    await new Promise((resolve) => setTimeout(resolve, 2 * TURN_MS));
  }
  share.close();
});

/** Whether octets wait at an IPv4 UDP socket, as the kernel tells; no turn of the event loop. */
function isWaiting({ port }: Deno.NetAddr): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const line = new RegExp(`^ *\\d+: \\w+:${hex} \\S+ \\S+ \\w+:(\\w+)`, "m");
  return Number(`0x${line.exec(Deno.readTextFileSync("/proc/net/udp"))?.[1] ?? 0}`) > 0;
}

Deno.test("a look brings what waits at a socket; who asks meanwhile has the same", async () => {
  const share = new WorkShare();
  const open = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const [socket, other] = [open(), open()];
  for (let i = 0; i < 50; i++) {
    let received = 0;
    const receiving = socket.receive().then(() => received++);
    await share.look(); // now it waits for what comes
    await other.send(new Uint8Array(1), socket.addr);
    // Where the machine is busy the kernel brings it a moment later.
    const deadline = performance.now() + DEADLINE_MS;
    while (received === 0 && !isWaiting(socket.addr as Deno.NetAddr)) {
      assert(performance.now() < deadline, `datagram ${i} did not come`);
    }
    const look = share.look();
    assert(share.look() === look);
    await look;
    assertEquals(received, 1, `not at look ${i}`);
    await receiving;
  }
  for (const one of [socket, other]) one.close();
  share.close();
});

Deno.test("bulk that goes on without waiting is long before other work is", () => {
  let now = 0;
  const share = new WorkShare(() => now);
  assertEquals([share.isLongBulk, share.isLongTurn], [false, false]); // the first begins it
  now = BULK_MS;
  assertEquals([share.isLongBulk, share.isLongTurn], [true, false]);
  now = TURN_MS;
  assertEquals([share.isLongBulk, share.isLongTurn], [true, true]);
  share.close();
});
