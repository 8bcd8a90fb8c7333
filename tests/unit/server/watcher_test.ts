/** The watch on the secondaries, on a clock and a network turned by hand. */
import { assert, assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { createLogger, nullLogger } from "../../../lib/ops/mod.ts";
import {
  DnsServer,
  type DnsServerOptions,
  parseSecondaries,
  type SecondaryEvent,
} from "../../../lib/server/mod.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { HandClock } from "../../support/clock.ts";
import { Network } from "../../support/network_fake.ts";
import { zoneVersion } from "../../support/zone_version.ts";

/** A server of no listeners, its secondaries simulated. */
async function rig(texts: readonly string[], over: Partial<DnsServerOptions> = {}) {
  const clock = new HandClock();
  const network = new Network(clock);
  const zones = new ZoneTable();
  const events: SecondaryEvent[] = [];
  const lines: string[] = [];
  const server = new DnsServer({
    zones,
    listen: [],
    secondaries: parseSecondaries(texts),
    allowTransfer: [],
    log: createLogger({
      format: "logfmt",
      level: "info",
      write: (line) => lines.push(line),
      now: () => clock.now(),
    }),
    clock,
    openUdpSocket: network.open,
    onSecondary: (event) => events.push(event),
    ...over,
  });
  const publish = (serial: number, zone = "example.org.") => {
    const version = zoneVersion(zone, serial);
    zones.set(version);
    server.announce(version);
  };
  await server.start();
  const states = () => events.map(({ state, serial }) => serial ? `${state} ${serial}` : state);
  return {
    clock,
    network,
    server,
    events,
    lines,
    publish,
    states,
    /** What was told since the last call. */
    told: () => {
      const told = states();
      events.length = 0;
      return told;
    },
    warnings: () => lines.filter((line) => line.includes("level=warn")),
    watch: (i = 0) => server.status().secondaries[i].zones[0]?.watch,
    [Symbol.asyncDispose]: async () => {
      await server.close({ drainMs: 0 });
      assertEquals(clock.pending, 0);
    },
  };
}

const NS1 = "192.0.2.1";

Deno.test("acknowledged, then live as soon as the SOA shows it; each change told once", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  let serial = 6;
  ns1.shows = () => serial;
  run.publish(7);
  run.clock.advance(100);
  assertEquals(run.told(), ["unknown", "notified", "notified 6"]);
  serial = 7;
  run.clock.advance(200);
  assertEquals(run.told(), ["live 7"]);
  run.publish(8);
  serial = 8;
  run.clock.advance(100);
  assertEquals(run.told(), ["unknown 7", "notified 7", "live 8"]);
  assertEquals(run.warnings(), []);
});

Deno.test("an event has the zone, the secondary, and when it was told and seen", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  run.network.at(NS1).shows = () => 7;
  const start = run.clock.now();
  run.publish(7);
  run.clock.advance(1000);
  assertEquals(run.events.at(-1), {
    zone: parseName("example.org."),
    secondary: "ns1",
    serial: 7,
    state: "live",
    ahead: undefined,
    seenAt: start + 2 + 20 + 2,
    lastNotifyAt: start,
    lastTransferAt: undefined,
    kind: undefined,
  });
  const { state, serial, lagSince } = run.watch()!;
  assertEquals([state, serial, lagSince], ["live", 7, undefined]);
});

Deno.test("the SOA is asked for 20 ms after the acknowledgement, then after twice as long, up to 5 s", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.rttMs = 0;
  ns1.shows = () => 6;
  run.publish(7);
  run.clock.advance(25_000);
  const times = ns1.arrived.filter(({ kind }) => kind === "soa").map(({ at }) => at);
  const gaps = times.slice(1).map((at, i) => at - times[i]);
  // The NOTIFY sent again after 5 s asks for one look more, out of turn.
  assertEquals(gaps.slice(0, 8), [20, 40, 80, 160, 320, 640, 1280, 2560]);
  assertEquals(times.length, 14);
});

Deno.test("a secondary is live only when all it has watched show the serial", async () => {
  await using run = await rig([`ns1=${NS1},watch=192.0.2.7+192.0.2.8:54`]);
  let eight = 6;
  run.network.at(NS1);
  run.network.at("192.0.2.7").shows = () => 7;
  run.network.at("192.0.2.8", 54).shows = () => eight;
  run.publish(7);
  run.clock.advance(1_000);
  assertEquals(run.told(), ["unknown", "notified", "notified 6"]);
  const asked = run.network.at("192.0.2.7").count("soa");
  eight = 7;
  run.clock.advance(5_000);
  assertEquals(run.told(), ["live 7"]);
  assertEquals(run.network.at("192.0.2.7").count("soa"), asked);
  assertEquals(run.network.at(NS1).count("soa"), 0);
});

Deno.test("notify=off: watched from the announcement on", async () => {
  await using run = await rig([`ns1=${NS1},notify=off`]);
  const ns1 = run.network.at(NS1);
  ns1.shows = () => 7;
  run.publish(7);
  run.clock.advance(100);
  assertEquals(run.told(), ["unknown", "live 7"]);
  assertEquals(ns1.count("notify"), 0);
});

Deno.test("one that never acknowledges is live when it shows the serial, and told no more", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.acknowledges = false;
  ns1.shows = () => 7;
  run.publish(7);
  run.clock.advance(20_000);
  assertEquals(run.told(), ["unknown", "live 7"]);
  assert(ns1.count("notify") <= 2, `${ns1.count("notify")} NOTIFY`);
  assertEquals(run.server.status().notifyOutstanding, 0);
});

Deno.test("NOTIFY lost again and again to one that shows its SOA: sent until one comes through", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.acknowledges = false;
  let serial = 6;
  ns1.shows = () => serial;
  run.publish(7);
  run.clock.advance(20_000);
  const lost = ns1.count("notify");
  assert(lost >= 20 && lost <= 41, `${lost} NOTIFY in 20 s`);
  ns1.acknowledges = true;
  serial = 7; // it asks for the zone once one comes
  run.clock.advance(800);
  assertEquals(ns1.count("notify"), lost + 1);
  assertEquals(run.told(), ["unknown", "unknown 6", "notified 6", "live 7"]);
});

Deno.test("one that acknowledges and never transfers: notified again with backoff, an alarm, few messages", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.shows = () => 6;
  run.publish(7);
  run.clock.advance(59_000);
  assertEquals(run.told(), ["unknown", "notified", "notified 6"]);
  run.clock.advance(2_000);
  assertEquals(run.told(), ["behind 6"]);
  assertEquals(run.warnings().length, 1);
  assert(/secondary is behind/.test(run.warnings()[0]), run.warnings()[0]);
  assert(/answer="serial 6"/.test(run.warnings()[0]), run.warnings()[0]);
  run.clock.advance(3_600_000 - 61_000);
  const [notifies, queries] = [ns1.count("notify"), ns1.count("soa")];
  assert(notifies >= 8 && notifies <= 24, `${notifies} NOTIFY in an hour`);
  // Twice a minute, and a handful after each NOTIFY.
  assert(queries > 100 && queries <= 400, `${queries} SOA queries in an hour`);
  assertEquals(run.warnings().length, 1);
  ns1.shows = () => 7;
  run.clock.advance(31_000);
  assertEquals(run.told(), ["live 7"]);
  assert(run.lines.at(-1)!.includes("caught up"), run.lines.at(-1));
});

Deno.test("one that acknowledges late is told until then, and watched at once", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.rttMs = 900;
  ns1.shows = () => 7;
  run.publish(7);
  run.clock.advance(5_000);
  assertEquals(run.told(), ["unknown", "notified", "live 7"]);
  assertEquals(ns1.count("notify"), 1);
});

Deno.test("answers from another port count for nothing", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.shows = () => 7;
  ns1.answersFrom = { ip: NS1, port: 1053 };
  run.publish(7);
  run.clock.advance(61_000);
  assertEquals(run.told(), ["unknown", "behind"]);
  assert(/answer=none/.test(run.warnings()[0]), run.warnings()[0]);
  const messages = ns1.arrived.length;
  assert(messages < 40, `${messages} messages in a minute`);
  ns1.answersFrom = undefined;
  run.clock.advance(60_000);
  assert(run.told().includes("live 7"));
});

Deno.test("one that flaps: every message bounded, each change told", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  let answers = 0;
  ns1.shows = () => ++answers % 2 ? 7 : 6;
  run.publish(7);
  run.clock.advance(3_600_000);
  assert(ns1.arrived.length < 300, `${ns1.arrived.length} messages in an hour`);
  assert(run.warnings().length <= 60, `${run.warnings().length} warnings`);
  const told = run.told();
  assert(told.includes("behind 6") && told.includes("live 7"));
});

Deno.test("one that goes back, or expires, is seen by the slow look", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.shows = () => 7;
  run.publish(7);
  run.clock.advance(600_000);
  assertEquals(run.told(), ["unknown", "notified", "live 7"]);
  const looks = ns1.count("soa");
  assert(looks >= 8 && looks <= 11, `${looks} looks in ten minutes`);
  ns1.shows = () => 6;
  run.clock.advance(61_000);
  assertEquals(run.told(), ["behind 6"]);
  assert(/secondary went back/.test(run.warnings()[0]), run.warnings()[0]);
  ns1.shows = () => 7;
  run.clock.advance(61_000);
  assertEquals(run.told(), ["live 7"]);
  ns1.shows = () => "SERVFAIL";
  run.clock.advance(125_000);
  assertEquals(run.told(), ["live", "behind"]);
  assert(/answer=SERVFAIL/.test(run.warnings().at(-1)!), run.warnings().at(-1));
});

Deno.test("an answer that is lost is no reason to doubt a live secondary", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.shows = () => 7;
  run.publish(7);
  run.clock.advance(30_000);
  ns1.up = false;
  run.clock.advance(45_000);
  ns1.up = true;
  run.clock.advance(60_000);
  assertEquals(run.told(), ["unknown", "notified", "live 7"]);
  assertEquals(run.watch()?.lagSince, undefined);
});

Deno.test("a zone that changes all the time: no alarm while its secondary follows, one when it stops", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  let serial = 100;
  ns1.shows = () => serial - 2; // always two versions behind
  const change = () => {
    run.publish(++serial);
    run.clock.advance(1_000);
  };
  for (let i = 0; i < 300; i++) change();
  assertEquals(run.warnings(), []);
  const stuck = serial - 2;
  ns1.shows = () => stuck;
  for (let i = 0; i < 65; i++) change();
  assertEquals(run.events.at(-1)?.state, "behind");
  assertEquals(run.warnings().length, 1);
  ns1.shows = () => serial - 2;
  for (let i = 0; i < 40; i++) change();
  assertEquals(run.warnings().length, 1);
  assert(run.events.at(-1)?.state !== "behind", run.events.at(-1)?.state);
});

Deno.test("serials across the wrap (RFC 1982)", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const last = 2 ** 32 - 1;
  let serial = last;
  run.network.at(NS1).shows = () => serial;
  run.publish(5);
  run.clock.advance(100);
  assertEquals(run.told(), ["unknown", "notified", `notified ${last}`]);
  serial = 5;
  run.clock.advance(500);
  assertEquals(run.told(), ["live 5"]);
});

Deno.test("a serial ahead of ours is told and warned of at once, and is not live", async () => {
  await using run = await rig([`ns1=${NS1},watch=${NS1}+192.0.2.9`]);
  run.network.at(NS1).shows = () => 7;
  const ahead = run.network.at("192.0.2.9");
  ahead.shows = () => 900;
  run.publish(7);
  run.clock.advance(100);
  const told = run.events.at(-1)!;
  assertEquals([told.state, told.serial, told.ahead], ["behind", 7, 900]);
  assert(/secondary is ahead.*shown=900/.test(run.warnings()[0]), run.warnings()[0]);
  run.network.at(NS1).shows = () => 901;
  ahead.shows = () => 901;
  run.publish(901);
  run.clock.advance(1_100);
  assertEquals(run.events.at(-1)?.state, "live");
  assertEquals(run.events.at(-1)?.ahead, undefined);
});

Deno.test("1,000 zones change in a second: at most 1,000 messages a second to each, none doubled, others not delayed", async () => {
  const zones = Array.from({ length: 1000 }, (_, i) => `zone${i}.example.`);
  const good = "192.0.2.2";
  await using run = await rig([`dead=${NS1}`, `good=${good}`], { log: nullLogger });
  run.network.at(NS1).up = false;
  const serials = new Map<string, number>();
  run.network.at(good).shows = (zone) => serials.get(zone) ?? 1;
  const started = run.clock.now();
  for (const zone of zones) {
    run.publish(2, zone);
    // It fetches a second after it was told, as those that pace themselves do.
    run.clock.after(1_000, () => serials.set(zone.slice(0, -1), 2));
    run.clock.advance(1);
  }
  run.clock.advance(4_000);
  const { arrived } = run.network.at(good);
  const live = run.events.filter(({ secondary, state }) =>
    secondary === "good" && state === "live"
  );
  assertEquals(live.length, 1000);
  assertEquals(arrived.filter(({ kind }) => kind === "notify").length, 1000);
  const perSecond = (list: typeof arrived, kind: string, second: number) =>
    list.filter((one) => one.kind === kind && Math.floor((one.at - started) / 1000) === second)
      .length;
  for (let second = 0; second < 5; second++) {
    assert(perSecond(arrived, "soa", second) <= 1_100);
    assert(perSecond(run.network.at(NS1).arrived, "soa", second) <= 1_100);
  }
  const dead = run.network.at(NS1);
  run.clock.advance(300_000);
  const [notifies, queries] = [dead.count("notify"), dead.count("soa")];
  console.log(
    `five minutes, 1,000 zones: to a live one ${arrived.length} messages, ` +
      `to a dead one ${notifies} NOTIFY and ${queries} SOA queries`,
  );
  assert(notifies <= 11_000, `${notifies} NOTIFY`);
  assert(queries <= 10 * 310 + 1_000, `${queries} SOA queries`);
});

Deno.test("one zone changes 1,000 times in a second: NOTIFY at most 20 times, SOA queries no more than 200", async () => {
  await using run = await rig([`ns1=${NS1}`], { log: nullLogger });
  const ns1 = run.network.at(NS1);
  let serial = 0;
  ns1.shows = () => Math.max(1, serial - 300); // three tenths of a second behind
  for (let i = 0; i < 1_000; i++) {
    run.publish(++serial);
    run.clock.advance(1);
  }
  const [notifies, queries] = [ns1.count("notify"), ns1.count("soa")];
  console.log(`one second, one zone: ${notifies} NOTIFY, ${queries} SOA queries`);
  assert(notifies <= 21 && notifies > 10, `${notifies} NOTIFY`);
  assert(queries <= 200, `${queries} SOA queries`);
  ns1.shows = () => 1_000;
  run.clock.advance(2_000);
  assertEquals(run.events.at(-1)?.state, "live");
});

Deno.test("a server back from silence is found, and all its zones at once", async () => {
  await using run = await rig([`ns1=${NS1},notify=off`], { log: nullLogger });
  const ns1 = run.network.at(NS1);
  ns1.up = false;
  ns1.shows = () => 7;
  for (let i = 0; i < 300; i++) run.publish(7, `zone${i}.example.`);
  run.clock.advance(600_000);
  assert(ns1.arrived.length < 10 * 600 + 1_000, `${ns1.arrived.length} in ten minutes`);
  ns1.up = true;
  run.clock.advance(32_000);
  const live = run.events.filter(({ state }) => state === "live");
  assertEquals(live.length, 300);
});

Deno.test("10,000 live zones cost at most 50 queries a second", async () => {
  await using run = await rig([`ns1=${NS1},notify=off`], { log: nullLogger });
  const ns1 = run.network.at(NS1);
  ns1.rttMs = 0;
  ns1.shows = () => 7;
  for (let i = 0; i < 10_000; i++) {
    run.publish(7, `zone${i}.example.`);
    if (i % 10 === 0) run.clock.advance(20); // few timers at once: the clock looks at all of them
  }
  run.clock.advance(2_000);
  assertEquals(run.events.filter(({ state }) => state === "live").length, 10_000);
  const before = ns1.arrived.length;
  run.clock.advance(300_000);
  const asked = ns1.arrived.slice(before);
  assert(asked.length <= 50 * 300 + 1 && asked.length > 40 * 240, `${asked.length} queries`);
  assertEquals(new Set(asked.map(({ zone }) => zone)).size, 10_000);
});

Deno.test("a retired zone is watched no more, and its events end", async () => {
  await using run = await rig([`ns1=${NS1}`]);
  const ns1 = run.network.at(NS1);
  ns1.shows = () => 6;
  run.publish(7);
  run.clock.advance(1_000);
  run.server.retire(parseName("example.org."));
  const messages = ns1.arrived.length;
  run.told();
  run.clock.advance(600_000);
  assertEquals([ns1.arrived.length, run.told()], [messages, []]);
  assertEquals(run.watch(), undefined);
});

Deno.test("an event's receiver that throws does no harm", async () => {
  let calls = 0;
  await using run = await rig([`ns1=${NS1}`], {
    onSecondary: () => {
      calls++;
      throw new Error("a bug");
    },
  });
  run.network.at(NS1).shows = () => 7;
  run.publish(7);
  run.clock.advance(1_000);
  assertEquals([calls, run.watch()?.state], [3, "live"]);
});

Deno.test("questions leave from `via` where it is of the server's family", async () => {
  await using run = await rig([`ns1=${NS1},via=10.0.0.1,watch=192.0.2.7+[2001:db8::7]:53`]);
  const seven = run.network.at("192.0.2.7");
  const six = run.network.at("2001:db8::7");
  for (const server of [seven, six]) server.shows = () => 7;
  run.publish(7);
  run.clock.advance(2_000);
  assertEquals([seven.arrived[0].local, six.arrived[0].local], ["10.0.0.1", "::"]);
});

Deno.test("serials: every watched server asked, three times at most, within 5 s", async () => {
  await using run = await rig([
    "a=192.0.2.1,watch=192.0.2.1+192.0.2.2+192.0.2.3+192.0.2.4",
    "b=192.0.2.9,watch=192.0.2.4",
    "c=192.0.2.10,watch=off",
  ]);
  run.network.at("192.0.2.1").shows = () => 70;
  run.network.at("192.0.2.2").shows = () => "REFUSED";
  run.network.at("192.0.2.3").up = false;
  const slow = run.network.at("192.0.2.4");
  slow.shows = () => 80;
  slow.up = false;
  const survey = run.server.serials(parseName("example.org."));
  run.clock.advance(2_000);
  slow.up = true;
  run.clock.advance(3_000);
  assertEquals(await survey, { asked: 4, answered: 3, serials: [70, 80] });
  assertEquals(run.network.at("192.0.2.3").count("soa"), 3);
});

Deno.test("serials of 8,000 zones at once: a server that answers is waited for, a silent one is not", async () => {
  await using run = await rig(["a=192.0.2.1", "b=192.0.2.2"]);
  run.network.at("192.0.2.1").shows = () => 70;
  run.network.at("192.0.2.2").up = false;
  const zones = Array.from({ length: 8_000 }, (_, i) => parseName(`zone${i}.example.`));
  const surveys = Promise.all(zones.map((zone) => run.server.serials(zone)));
  for (let second = 0; second < 20; second++) run.clock.advance(1_000);
  const found = await surveys;
  assertEquals(found.filter(({ answered }) => answered === 1).length, zones.length);
  assertEquals(new Set(found.flatMap(({ serials }) => serials)), new Set([70]));
});

Deno.test("serials of thousands of zones: 2,000 are asked for in a second, the rest ends with the server", async () => {
  const run = await rig([`ns1=${NS1}`], { log: nullLogger });
  run.network.at(NS1).shows = () => 7;
  const zones = Array.from({ length: 8_000 }, (_, i) => parseName(`zone${i}.example.`));
  const surveys = Promise.all(zones.map((zone) => run.server.serials(zone)));
  run.clock.advance(1_000);
  const asked = run.network.at(NS1).count("soa");
  assert(asked >= 1_800 && asked <= 2_100, `${asked} questions`);
  await run.server.close({ drainMs: 0 });
  const found = await surveys;
  assertEquals(new Set(found.map(({ asked, answered }) => `${answered} of ${asked}`)).size, 2);
  assert(found.filter(({ answered }) => answered === 0).length >= 8_000 - asked);
});

Deno.test("serials is urgent, ends with the server, and has nobody to ask without a watch", async () => {
  const run = await rig([`ns1=${NS1},notify=off`], { log: nullLogger });
  run.network.at(NS1).shows = () => 7;
  for (let i = 0; i < 3_000; i++) run.publish(7, `zone${i}.example.`);
  run.clock.advance(50);
  const survey = run.server.serials(parseName("other.example."));
  run.clock.advance(200);
  assertEquals(await survey, { asked: 1, answered: 1, serials: [7] });
  run.network.at(NS1).up = false;
  const cut = run.server.serials(parseName("other.example."));
  await run.server.close({ drainMs: 0 });
  assertEquals(await cut, { asked: 1, answered: 0, serials: [] });
  assertEquals(run.clock.pending, 0);
  await using none = await rig([`ns1=${NS1},watch=off`]);
  assertEquals(await none.server.serials(parseName("example.org.")), {
    asked: 0,
    answered: 0,
    serials: [],
  });
});
