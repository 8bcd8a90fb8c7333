/** Which transfers run, which wait, and whose turn it is. */
import { assert, assertEquals } from "@std/assert";
import {
  SLOW_TRANSFERS,
  SLOW_WRITE_MS,
  SLOW_WRITE_OCTETS,
  TRANSFER_QUEUE_MS,
  TRANSFERS_QUEUED,
} from "../../../lib/server/limits.ts";
import {
  TransferQueue,
  type TransferSlot,
  type TransferWait,
} from "../../../lib/server/transfer_queue.ts";
import { HandClock } from "../../support/clock.ts";

function queueOf(transfers: number, transfersPerClient: number) {
  const clock = new HandClock();
  const queue = new TransferQueue({ transfers, transfersPerClient }, clock);
  const run = (client: string): TransferSlot => {
    const entered = queue.enter(client);
    assert(entered && !("cancel" in entered), `${client} must wait`);
    return entered;
  };
  const wait = (client: string): TransferWait => {
    const entered = queue.enter(client);
    assert(entered && "cancel" in entered, `${client} does not wait`);
    return entered;
  };
  return { clock, queue, run, wait };
}

Deno.test("so many run, so many of each client, the rest waits", async () => {
  const { queue, run, wait } = queueOf(3, 2);
  const first = run("a");
  run("a");
  const third = wait("a");
  run("b");
  const other = wait("c");
  assertEquals(queue.counts, { moving: 3, slow: 0, waiting: 2 });
  first.leave();
  assert(await other.slot); // the client with the fewest, though it came later
  assertEquals(queue.counts, { moving: 3, slow: 0, waiting: 1 });
  queue.close();
  assertEquals(await third.slot, undefined);
});

Deno.test("among clients with as many, who came first is next", async () => {
  const { run, wait } = queueOf(1, 1);
  let running = run("a");
  const order: string[] = [];
  const waits = ["b", "c", "a", "d"].map((client) => ({ client, slot: wait(client).slot }));
  for (const { client, slot } of waits) slot.then(() => order.push(client));
  for (let i = 0; i < waits.length; i++) {
    running.leave();
    running = (await Promise.race(waits.slice(i).map(({ slot }) => slot)))!;
  }
  running.leave();
  assertEquals(order, ["b", "c", "a", "d"]);
});

Deno.test("a transfer that hardly moves holds up others no longer; its own client it does", async () => {
  const { clock, queue, run, wait } = queueOf(2, 2);
  const slow = run("a");
  run("b").writing(); // between two looks it has just begun
  slow.writing();
  const other = wait("c");
  clock.advance(SLOW_WRITE_MS + 200);
  assert(await other.slot);
  assertEquals(queue.counts, { moving: 1, slow: 2, waiting: 0 });
  slow.leave();
  assertEquals(queue.counts, { moving: 1, slow: 1, waiting: 0 });
});

Deno.test("a larger write has longer, as its client may be as slow", () => {
  const { clock, queue, run, wait } = queueOf(1, 1);
  run("a").writing(4 * SLOW_WRITE_OCTETS);
  wait("b");
  clock.advance(3 * SLOW_WRITE_MS);
  assertEquals(queue.counts, { moving: 1, slow: 0, waiting: 1 });
  clock.advance(SLOW_WRITE_MS + 200);
  assertEquals(queue.counts, { moving: 1, slow: 1, waiting: 0 });
});

Deno.test("a socket that a stalled transfer left counts for its client until it goes", async () => {
  const { queue, run, wait } = queueOf(2, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  run("a").leave(promise);
  assertEquals(queue.counts, { moving: 0, slow: 1, waiting: 0 });
  const again = wait("a");
  resolve();
  assert(await again.slot);
  assertEquals(queue.counts, { moving: 1, slow: 0, waiting: 0 });
});

Deno.test("with many slow ones, only clients without any are let in", () => {
  const { queue, run, wait } = queueOf(64, 1_000);
  for (let i = 0; i < SLOW_TRANSFERS; i++) run("a").leave(new Promise(() => {}));
  wait("a");
  run("b");
  wait("b");
  assertEquals(queue.counts, { moving: 1, slow: SLOW_TRANSFERS, waiting: 2 });
  queue.close();
});

Deno.test("a wait has an end, and one that is cancelled leaves nothing behind", async () => {
  const { clock, queue, run, wait } = queueOf(1, 1);
  const running = run("a");
  const [late, cancelled] = [wait("b"), wait("c")];
  cancelled.cancel();
  assertEquals(await cancelled.slot, undefined);
  clock.advance(TRANSFER_QUEUE_MS + 200);
  assertEquals(await late.slot, undefined);
  late.cancel();
  running.leave();
  assertEquals([queue.counts, clock.pending], [{ moving: 0, slow: 0, waiting: 0 }, 0]);
});

Deno.test("the queue is bounded", () => {
  const { queue, run, wait } = queueOf(1, 1);
  run("a");
  for (let i = 0; i < TRANSFERS_QUEUED; i++) wait(`${i % 100}`);
  assertEquals(queue.enter("b"), undefined);
  queue.close();
  assertEquals(queue.counts.waiting, 0);
});

Deno.test("random comings and goings: the bounds hold, and in the end nothing is left", () => {
  const { clock, queue } = queueOf(5, 3);
  const running: { client: string; slot: TransferSlot; end?: () => void }[] = [];
  const held = new Map<string, number>();
  const note = (client: string, by: number) => held.set(client, (held.get(client) ?? 0) + by);
  let waiting = 0;
  let seed = 7;
  const random = (below: number) => (seed = seed * 48271 % 0x7fffffff) % below;
  for (let round = 0; round < 3_000; round++) {
    const client = `${random(6)}`;
    if (random(2) === 0) {
      const entered = queue.enter(client)!;
      if ("cancel" in entered) {
        waiting++;
        if (random(3) === 0) entered.cancel();
        entered.slot.then((slot) => {
          waiting--;
          slot?.leave();
        });
      } else {
        note(client, 1);
        running.push({ client, slot: entered });
        entered.writing();
      }
    } else if (running.length > 0) {
      const [{ client, slot }] = running.splice(random(running.length), 1);
      note(client, -1);
      slot.leave();
    }
    clock.advance(random(200));
    const { moving } = queue.counts;
    assert(moving <= 5, `${moving} move`);
    for (const [client, count] of held) assert(count <= 3, `${client} has ${count}`);
  }
  for (const { slot } of running) slot.leave();
  queue.close();
  assert(waiting >= 0);
});
