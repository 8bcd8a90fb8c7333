import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { nullLogger, type SocketAddress } from "../../../lib/ops/mod.ts";
import { NotifySender } from "../../../lib/server/notify_sender.ts";
import { openUdpSocket } from "../../../lib/server/udp_socket.ts";
import { parseSecondary } from "../../../lib/server/secondary.ts";
import { SecondaryStates } from "../../../lib/server/secondary_state.ts";
import { ServerError } from "../../../lib/server/server_error.ts";
import { FAST_TRIES, SLOW_RETRY_MS } from "../../../lib/transfer/mod.ts";
import { RCODE } from "../../../lib/wire/mod.ts";
import { HandClock } from "../../support/clock.ts";
import { decodeMessage } from "../../support/oracle.ts";
import { startFakeSecondary } from "../../support/secondary_fake.ts";
import { until } from "../../support/wait.ts";
import { zoneVersion } from "../../support/zone_version.ts";

interface Sent {
  readonly local: string;
  readonly to: SocketAddress;
  readonly message: Uint8Array;
}

/** A sender on a clock and a network in the test's hands. */
function rig(...texts: string[]) {
  return rigOf(texts, () => 0);
}

function rigOf(texts: readonly string[], random: () => number) {
  const secondaries = texts.map(parseSecondary);
  const states = new SecondaryStates(secondaries);
  const clock = new HandClock();
  const sent: Sent[] = [];
  const receivers: ((message: Uint8Array, from: SocketAddress) => void)[] = [];
  const sender = new NotifySender({
    states,
    log: nullLogger,
    clock,
    random,
    open: (local, received) => {
      receivers.push(received);
      return {
        send: (message, to) => sent.push({ local, to, message }),
        close: () => {},
      };
    },
  });
  sender.start();
  const state = (i = 0) => states.list(secondaries[i])[0]?.notify;
  /** Replies to a message sent, as its addressee or from elsewhere. */
  const reply = (to: Sent, over: { rcode?: number; from?: SocketAddress; id?: number } = {}) => {
    const message = to.message.slice();
    message[2] |= 0x80;
    message[3] |= over.rcode ?? 0;
    if (over.id !== undefined) new DataView(message.buffer).setUint16(0, over.id);
    receivers[0](message, over.from ?? to.to);
  };
  return { sender, clock, sent, state, reply, states, secondaries };
}

const version = (serial: number, apex = "example.org.") => zoneVersion(apex, serial);
const serialOf = ({ message }: Sent) => {
  const answer = decodeMessage(message).answers?.[0];
  return answer?.type === "SOA" ? answer.data.serial : undefined;
};

Deno.test("NOTIFY goes at once to every secondary but those with notify=off", () => {
  const { sender, sent } = rig("192.0.2.1", "192.0.2.2:5353", "192.0.2.3,notify=off");
  sender.announce(version(7));
  assertEquals(sent.map(({ to }) => `${to.ip}:${to.port}`), ["192.0.2.1:53", "192.0.2.2:5353"]);
  assertEquals(sent.map(serialOf), [7, 7]);
  sender.close();
});

Deno.test("NOTIFY leaves from `via`, else from any address of the family", () => {
  const { sender, sent } = rig("192.0.2.1", "192.0.2.2,via=10.0.0.1", "[2001:db8::1]:53");
  sender.announce(version(7));
  assertEquals(sent.map(({ local }) => local), ["0.0.0.0", "10.0.0.1", "::"]);
  sender.close();
});

Deno.test("without a reply NOTIFY is sent again after 1, 2, 4 s …, then every 5 minutes", () => {
  const { sender, sent, clock, state } = rig("192.0.2.1");
  sender.announce(version(7));
  const gaps: number[] = [];
  for (let last = clock.now(), count = 1; count < FAST_TRIES + 2;) {
    clock.advance(1000);
    if (sent.length > count) {
      gaps.push((clock.now() - last) / 1000);
      last = clock.now();
      count = sent.length;
    }
  }
  assertEquals(gaps, [1, 2, 4, 8, 16, 32, 60, 60, 60, 300, 300]);
  assertEquals(new Set(sent.map(({ message }) => message[0] << 8 | message[1])).size, 1);
  assertEquals(state()?.attempts, FAST_TRIES + 2);
  assertEquals(state()?.acknowledgedAt, undefined);
  sender.close();
});

/** The gaps between NOTIFY messages, s, while the secondary shows an old SOA each few seconds. */
function gapsWhileLagging(seconds: number, every: number, random = () => 0): number[] {
  const { sender, sent, clock, secondaries } = rigOf(["192.0.2.1"], random);
  const { apex } = version(7);
  sender.announce(version(7));
  const times = [clock.now()];
  for (let at = 1; at <= seconds * 100; at++) {
    clock.advance(10);
    while (times.length < sent.length) times.push(clock.now());
    if (at % (every * 100) === 0) sender.lags(secondaries[0], apex);
  }
  sender.close();
  return times.slice(1).map((time, i) => Math.round((time - times[i]) / 100) / 10);
}

Deno.test("one that shows its SOA and does not acknowledge is sent NOTIFY twice a second, for 20 s", () => {
  const gaps = gapsWhileLagging(600, 5);
  // Silent until its SOA is first seen, after 5 s.
  assertEquals(gaps.slice(0, 3), [1, 2, 2]);
  assertEquals(new Set(gaps.slice(3, 39)), new Set([0.5]));
  assertEquals(gaps.slice(39), [8, 16, 32, 60, 60, 60, 300]);
});

Deno.test("a newer version goes to one that does not acknowledge, and is alive, twice a second at once", () => {
  const { sender, sent, clock, secondaries } = rig("192.0.2.1");
  sender.announce(version(7));
  clock.advance(1_000);
  sender.lags(secondaries[0], version(7).apex);
  sender.announce(version(8));
  clock.advance(1_900);
  assertEquals(sent.map(serialOf), [7, 7, 8, 8, 8, 8]);
  sender.close();
});

Deno.test("how soon it is sent again differs by half", () => {
  let last = 0;
  const gaps = gapsWhileLagging(20, 5, () => last = (last + 0.37) % 1).slice(3);
  assert(gaps.every((gap) => gap >= 0.5 && gap <= 0.8), gaps.join(" "));
  assert(new Set(gaps).size > 2, gaps.join(" "));
});

Deno.test("one that is silent again, or refuses, is sent NOTIFY with growing waits", () => {
  const { sender, sent, clock, secondaries, reply } = rig("192.0.2.1");
  const { apex } = version(7);
  sender.announce(version(7));
  clock.advance(900);
  sender.lags(secondaries[0], apex);
  clock.advance(7_000); // for six of them it counts as alive
  const count = sent.length;
  assert(count >= 12 && count <= 15, `${count} NOTIFY`);
  clock.advance(3_000);
  assert(sent.length - count <= 2, `${sent.length - count} NOTIFY`);
  reply(sent[0], { rcode: RCODE.REFUSED });
  const refused = sent.length;
  for (let i = 0; i < 50; i++) {
    sender.lags(secondaries[0], apex);
    clock.advance(5_000);
  }
  assertEquals(sent.length, refused);
  sender.close();
});

Deno.test("a late acknowledgement, to the first of several tries, ends the tries", () => {
  const { sender, sent, clock, state, reply } = rig("192.0.2.1");
  sender.announce(version(7));
  clock.advance(10_000);
  assertEquals(sent.length, 4);
  reply(sent[0]);
  assertEquals(state()?.acknowledgedAt, clock.now());
  assertEquals([state()?.rcode, sender.outstanding], [RCODE.NOERROR, 0]);
  clock.advance(SLOW_RETRY_MS);
  assertEquals(sent.length, 4);
  assertEquals(clock.pending, 0);
});

Deno.test("a reply from another port or address, or with another ID, counts for nothing", () => {
  const { sender, sent, clock, state, reply } = rig("192.0.2.1");
  sender.announce(version(7));
  reply(sent[0], { from: { ip: "192.0.2.1", port: 54 } });
  reply(sent[0], { from: { ip: "192.0.2.9", port: 53 } });
  reply(sent[0], { id: (sent[0].message[0] << 8 | sent[0].message[1]) ^ 1 });
  assertEquals([state()?.acknowledgedAt, sender.outstanding], [undefined, 1]);
  clock.advance(1000);
  assertEquals(sent.length, 2);
  sender.close();
});

Deno.test("a newer version takes the place of the one not yet acknowledged", () => {
  const { sender, sent, clock, state, reply } = rig("192.0.2.1");
  sender.announce(version(7));
  clock.advance(500);
  sender.announce(version(8));
  assertEquals(sender.outstanding, 1);
  clock.advance(5_000);
  assertEquals(sent.map(serialOf), [7, 8, 8, 8]);
  reply(sent[0]); // to the old one: it says nothing of the new
  assertEquals(state()?.acknowledgedAt, undefined);
  reply(sent[1]);
  assertEquals([state()?.serial, state()?.attempts, sender.outstanding], [8, 3, 0]);
});

Deno.test("NOTIMP ends the tries; REFUSED slows them; SERVFAIL does not", () => {
  const tries = (rcode: number, ms: number) => {
    const { sender, sent, clock, reply, state } = rig("192.0.2.1");
    sender.announce(version(7));
    reply(sent[0], { rcode });
    assertEquals(state()?.rcode, rcode);
    clock.advance(ms);
    sender.close();
    return sent.length;
  };
  assertEquals(tries(RCODE.NOTIMP, SLOW_RETRY_MS), 1);
  assertEquals(tries(RCODE.REFUSED, SLOW_RETRY_MS - 1), 1);
  assertEquals(tries(RCODE.REFUSED, SLOW_RETRY_MS), 2);
  assertEquals(tries(RCODE.SERVFAIL, 1_000), 2);
});

Deno.test("a thousand zones go to a secondary at 2,000 a second, in small bursts, each once", () => {
  const { sender, sent, clock, reply } = rig("192.0.2.1");
  for (let i = 0; i < 1000; i++) sender.announce(version(7, `zone${i}.example.`));
  assertEquals(sent.length, 40);
  clock.advance(240);
  assertEquals(sent.length, 520);
  clock.advance(240);
  assertEquals(sent.length, 1000);
  assertEquals(
    new Set(sent.map(({ message }) => decodeMessage(message).questions![0].name)).size,
    1000,
  );
  for (const one of sent.slice()) reply(one);
  assertEquals(sender.outstanding, 0);
});

Deno.test("a secondary that is away delays no other", () => {
  const { sender, sent, clock, reply } = rig("192.0.2.1", "192.0.2.2");
  for (let i = 0; i < 300; i++) sender.announce(version(7, `zone${i}.example.`));
  const answered = new Set<Sent>();
  for (let ms = 0; ms < 2_000; ms += 10) {
    for (const one of sent) {
      if (one.to.ip !== "192.0.2.2" || answered.has(one)) continue;
      answered.add(one);
      reply(one);
    }
    clock.advance(10);
  }
  assertEquals(answered.size, 300);
  assertEquals(sender.outstanding, 300);
  sender.close();
});

Deno.test("a retired zone is told no more, and close leaves no timer", () => {
  const { sender, sent, clock } = rig("192.0.2.1");
  const gone = version(7);
  sender.announce(gone);
  sender.announce(version(7, "example.net."));
  sender.retire(gone.apex);
  assertEquals(sender.outstanding, 1);
  clock.advance(3_000);
  assertEquals(sent.map(({ message }) => decodeMessage(message).questions![0].name), [
    "example.org",
    "example.net",
    "example.net",
    "example.net",
  ]);
  sender.close();
  assertEquals([clock.pending, sender.outstanding], [0, 0]);
});

Deno.test("IDs differ between zones", () => {
  const { sender, sent } = rig("192.0.2.1");
  sender.announce(version(7));
  sender.announce(version(7, "example.net."));
  assertNotEquals(sent[0].message.subarray(0, 2), sent[1].message.subarray(0, 2));
  sender.close();
});

Deno.test("a `via` that is not this machine's address is named at the start", () => {
  const secondary = parseSecondary("192.0.2.1,via=192.0.2.77");
  const sender = new NotifySender({ states: new SecondaryStates([secondary]), log: nullLogger });
  const error = assertThrows(() => sender.start(), ServerError);
  assertEquals(error.code, "address-not-here");
  assert(error.message.includes("192.0.2.77"));
});

Deno.test("over real sockets: ignored first, acknowledged later", async () => {
  await using peer = startFakeSecondary({ reaction: "ignore" });
  const secondary = parseSecondary(`127.0.0.1:${peer.port}`);
  const states = new SecondaryStates([secondary]);
  const clock = new HandClock();
  const sender = new NotifySender({ states, log: nullLogger, clock, open: openUdpSocket });
  sender.start();
  try {
    sender.announce(version(7));
    await peer.received(1);
    peer.reaction = "wrong-id";
    clock.advance(1_000);
    await peer.received(2);
    peer.reaction = "wrong-name";
    clock.advance(2_000);
    await peer.received(3);
    assertEquals(sender.outstanding, 1);
    peer.reaction = "acknowledge";
    clock.advance(4_000);
    await until(() => sender.outstanding === 0, { what: "acknowledgement" });
    assertEquals(peer.notifies.map(({ serial }) => serial), [7, 7, 7, 7]);
    assertEquals(states.list(secondary)[0].notify?.attempts, 4);
  } finally {
    sender.close();
  }
});
