/** Each reaction of the fake secondary has the effect it names. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import * as dnsPacket from "dns-packet";
import { Buffer } from "node:buffer";
import { exchange } from "./dns_client.ts";
import { type NotifyReaction, startFakeSecondary } from "./secondary_fake.ts";

const NOTIFY_AA = 0x2400;
const REFUSED = 5;

function notify(id: number, serial: number): Uint8Array {
  return dnsPacket.encode({
    type: "query",
    id,
    flags: NOTIFY_AA,
    questions: [{ type: "SOA", name: "fake.example" }],
    answers: [{
      type: "SOA",
      name: "fake.example",
      data: { mname: "ns1.fake.example", rname: "hostmaster.fake.example", serial },
    }],
  });
}

Deno.test("a NOTIFY is received with its zone and serial, and acknowledged", async () => {
  await using secondary = startFakeSecondary();
  const reply = dnsPacket.decode(Buffer.from(await exchange(secondary, notify(7, 42))));
  assertEquals([reply.id, reply.type, reply.questions?.[0]?.name, reply.answers?.length], [
    7,
    "response",
    "fake.example",
    0,
  ]);
  const { id, zone, serial, from } = await secondary.received(1);
  assertEquals([id, zone, serial, from.addr], [7, "fake.example", 42, "127.0.0.1"]);
});

Deno.test("a NOTIFY is left unanswered, or answered with another ID", async () => {
  await using secondary = startFakeSecondary();
  for (const reaction of ["ignore", "wrong-id"] satisfies NotifyReaction[]) {
    secondary.reaction = reaction;
    await assertRejects(() => exchange(secondary, notify(7, 1), { timeoutMs: 100 }));
  }
  await secondary.received(2);
});

Deno.test("a NOTIFY is refused, or answered for another zone", async () => {
  await using secondary = startFakeSecondary({ reaction: "refuse" });
  const refusal = await exchange(secondary, notify(7, 1));
  assertEquals(refusal[3] & 0xf, REFUSED);
  secondary.reaction = "wrong-name";
  const other = dnsPacket.decode(Buffer.from(await exchange(secondary, notify(8, 1))));
  assert(other.questions?.[0]?.name !== "fake.example");
});
