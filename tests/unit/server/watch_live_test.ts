/** The watch on the secondaries over loopback sockets. */
import { assert, assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { nullLogger, parseSocketAddress } from "../../../lib/ops/mod.ts";
import { DnsServer, parseSecondaries, type SecondaryEvent } from "../../../lib/server/mod.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { axfr, exchange, type Server } from "../../support/dns_client.ts";
import { encodeQuery } from "../../support/oracle.ts";
import { startFakeSecondary } from "../../support/secondary_fake.ts";
import { until } from "../../support/wait.ts";
import { zoneVersion } from "../../support/zone_version.ts";

interface Running extends Server, AsyncDisposable {
  readonly server: DnsServer;
  readonly events: SecondaryEvent[];
  publish(serial: number): void;
  /** Waits for an event of a state. */
  told(state: string): Promise<SecondaryEvent>;
}

async function start(...texts: string[]): Promise<Running> {
  const zones = new ZoneTable();
  const events: SecondaryEvent[] = [];
  const server = new DnsServer({
    zones,
    listen: [parseSocketAddress("127.0.0.1:0")],
    secondaries: parseSecondaries(texts),
    allowTransfer: [],
    log: nullLogger,
    onSecondary: (event) => events.push(event),
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  return {
    server,
    events,
    addr,
    port,
    publish: (serial) => {
      const version = zoneVersion("example.org.", serial, "@ 300 NS ns1");
      zones.set(version);
      server.announce(version);
    },
    told: (state) =>
      until(() => events.find((event) => event.state === state), {
        what: `an event of state ${state}`,
        seen: () => events,
      }),
    [Symbol.asyncDispose]: () => server.close({ drainMs: 0 }),
  };
}

const ixfrQuery = (serial: number) =>
  encodeQuery({
    questions: [{ type: "IXFR", name: "example.org" }],
    authorities: [{ type: "SOA", name: "example.org", data: { mname: ".", rname: ".", serial } }],
  });

Deno.test("notified, transferred, live: over real sockets", async () => {
  await using peer = startFakeSecondary();
  await using running = await start(`near=127.0.0.1:${peer.port}`);
  peer.serials.set("example.org", 6);
  running.publish(7);
  await until(() => running.events.at(-1)?.serial === 6, { what: "serial 6 seen" });
  await axfr(running, "example.org");
  const transferred = await running.told("transferred");
  assertEquals([transferred.kind, transferred.serial], ["axfr", 6]);
  assert(transferred.lastTransferAt && transferred.lastNotifyAt);
  peer.serials.set("example.org", 7);
  const live = await running.told("live");
  assertEquals([live.serial, live.secondary], [7, "near"]);
  assertEquals(running.server.status().secondaries[0].zones[0].watch?.state, "live");
  assert(peer.soaQueries < 30, `${peer.soaQueries} SOA queries`);
});

Deno.test("watch=off: a finished transfer of the serial is transferred, never live", async () => {
  await using peer = startFakeSecondary();
  await using running = await start(`near=127.0.0.1:${peer.port},watch=off`);
  peer.serials.set("example.org", 7);
  running.publish(7);
  await running.told("notified");
  await axfr(running, "example.org");
  const { serial, kind, seenAt, lastTransferAt } = await running.told("transferred");
  assertEquals([serial, kind, seenAt], [7, "axfr", lastTransferAt]);
  running.publish(8);
  await axfr(running, "example.org");
  await until(() => running.events.at(-1)?.serial === 8, { what: "serial 8" });
  assertEquals(running.events.at(-1)?.state, "transferred");
  assert(running.events.every(({ state }) => state !== "live"));
  assertEquals(peer.soaQueries, 0);
});

Deno.test("watch=off: an IXFR query that shows our serial counts, without a transfer", async () => {
  await using running = await start("near=127.0.0.1,notify=off,watch=off");
  running.publish(7);
  await exchange(running, ixfrQuery(6)); // over UDP: it has not fetched it
  assertEquals(running.events.at(-1)?.state, "unknown");
  await exchange(running, ixfrQuery(7));
  const { serial, kind } = await running.told("transferred");
  assertEquals([serial, kind], [7, undefined]);
});

Deno.test("an answer from another port is not believed", async () => {
  await using peer = startFakeSecondary();
  await using running = await start(`near=127.0.0.1:${peer.port},notify=off`);
  peer.answersFromElsewhere = true;
  peer.serials.set("example.org", 7);
  running.publish(7);
  await until(() => peer.soaQueries >= 2, { what: "a second query" });
  assertEquals(running.events.map(({ state }) => state), ["unknown"]);
  peer.answersFromElsewhere = false;
  await running.told("live");
});

Deno.test("serials of any zone, over real sockets", async () => {
  await using first = startFakeSecondary();
  await using second = startFakeSecondary();
  await using running = await start(
    `a=127.0.0.1:${first.port}`,
    `b=127.0.0.1:${second.port}`,
  );
  first.serials.set("example.net", 4_000_000_000);
  const survey = await running.server.serials(parseName("example.net."));
  assertEquals(survey, { asked: 2, answered: 2, serials: [4_000_000_000] });
});
