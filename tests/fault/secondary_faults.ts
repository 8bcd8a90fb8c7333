/** Secondaries that are ahead or go back, and a way to them that loses and cuts: all end equal. */
import { assert, assertEquals } from "@std/assert";
import { type DnsProxy, startDnsProxy } from "../support/dns_proxy.ts";
import type { DnsServer, SecondaryKind } from "../support/dns_server.ts";
import { freePort } from "../support/ports.ts";
import { assertSameZone } from "../support/same_zone.ts";
import { startSecondary } from "../support/secondaries.ts";
import { until } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import { seconds } from "./told.ts";
import { type Change, NAME, type Night, type ServeOptions, ZONE } from "./night.ts";

const OPCODE_NOTIFY = 4;
/** Of NOTIFY messages that are lost. */
const LOSS = 0.9;

function isNotify(message: Uint8Array): boolean {
  return (message[2] >> 3 & 0xf) === OPCODE_NOTIFY;
}

/** Whether the next is lost: nine of ten are, in no order. */
function isLost(message: Uint8Array): boolean {
  return isNotify(message) && Math.random() < LOSS;
}

/** A real secondary, and the ways to and from it. */
interface Real {
  readonly kind: SecondaryKind;
  readonly server: DnsServer;
  /** From it to zonecast. */
  readonly out: DnsProxy;
  /** From zonecast to it. */
  readonly in: DnsProxy;
}

/** A fault with real secondaries beside the night's own. */
function withReal(
  kinds: readonly SecondaryKind[],
  { run, ...fault }: Omit<Fault, "run" | "night" | "needs"> & {
    run(night: Night, real: readonly Real[]): Promise<void>;
  },
): Fault {
  let real: Real[] = [];
  return {
    ...fault,
    needs: [...kinds.filter((kind) => kind !== "pdns"), "dig", "compilezone"],
    night: {
      async serve({ running, sql }): Promise<ServeOptions> {
        // They ask by themselves, too, if not so soon.
        await sql`update zonecast.zones set refresh = 5, retry = 1`;
        real = [];
        for (const kind of kinds) {
          const out = running.use(startDnsProxy());
          const port = freePort();
          const way = running.use(startDnsProxy({ addr: "127.0.0.1", port }));
          const options = { zones: [ZONE], primary: out, port };
          const server = running.use(await startSecondary(kind, options));
          real.push({ kind, server, out, in: way });
        }
        const args = real.flatMap((each) => [
          "--secondary",
          `${each.kind}=${each.in.addr}:${each.in.port}`,
        ]);
        return {
          args,
          between: {
            toPrimary(primary) {
              for (const { out } of real) out.target = primary;
              return primary;
            },
            toSecondary: (secondary) => secondary,
          },
        };
      },
    },
    async run(night) {
      for (const { server } of real) await server.reaches(ZONE, night.secondary.serial!);
      await run(night, real);
      for (const { kind, server } of real) {
        await until(async () => await server.serial(ZONE) === await night.zonecast.serial(ZONE), {
          what: `${kind} has the last version`,
          timeoutMs: 120_000,
          seen: () => server.log().slice(-2000),
        });
        await assertSameZone(night.zonecast, server, ZONE);
      }
    },
  };
}

/** The version a real secondary has, as its zone file: put in its place while it is stopped. */
async function giveZoneFile(nsd: DnsServer, text: string): Promise<void> {
  await nsd.stop();
  await Deno.writeTextFile(`${nsd.dir}/${ZONE}zone`, text);
  await Deno.remove(`${nsd.dir}/xfrd.state`).catch(() => {}); // what it knew of its own serial
  await nsd.start();
}

export const SECONDARY_FAULTS: readonly Fault[] = [
  withReal(["nsd"], {
    name: "secondary-ahead",
    what: "NSD has a serial ahead of ours",
    async run(night, [{ server: nsd }]) {
      await until(async () => (await night.zonecast.mustCli(["status"])).includes("live"), {
        what: "it is live",
      });
      const serial = (await night.zonecast.serial(ZONE))!;
      const ahead = serial + 100_000;
      const text = await night.zonecast.mustCli(["export", NAME]);
      await night.breaks(() => giveZoneFile(nsd, text.replaceAll(String(serial), String(ahead))));
      assertEquals(await nsd.serial(ZONE), ahead);
      await night.changeIsLive(); // at the other one
      const { hint } = await night.says("a secondary is ahead of us and takes no changes", /nsd/);
      assertEquals(await nsd.serial(ZONE), ahead);
      await night.postgres.stop(); // the command does without
      await night.mends(() => night.zonecast.mustCli(String(hint).split(" ").slice(1)));
      assertEquals(await night.zonecast.serial(ZONE), ahead + 1);
      await nsd.reaches(ZONE, ahead + 1);
      await night.postgres.start();
      await night.changeIsLive();
    },
  }),
  withReal(["nsd"], {
    name: "secondary-back",
    what: "NSD goes back to an older version",
    async run(night, [{ server: nsd }]) {
      const text = await night.zonecast.mustCli(["export", NAME]);
      const old = (await night.zonecast.serial(ZONE))!;
      await night.changeIsLive();
      await night.breaks(() => giveZoneFile(nsd, text));
      const seen = await nsd.serial(ZONE);
      assert(seen !== undefined && seen >= old);
      await night.changeIsLive();
      await night.mends(() => {});
      night.shows("nothing: it fetches what it lacks at the next NOTIFY, or by itself");
    },
  }),
  {
    name: "secondary-notify-lost",
    what: "nine of ten NOTIFY messages lost, in no order",
    night: {
      serve: () => ({
        between: {
          toPrimary: (primary) => primary,
          toSecondary(secondary) {
            const way = startDnsProxy(secondary);
            ways.push(way);
            return way;
          },
        },
      }),
    },
    async run(night) {
      const way = night.running.use(ways.pop()!);
      const changes: Change[] = [];
      await night.breaks(() => way.loses = isLost);
      const end = performance.now() + (night.full ? 60_000 : 5_000);
      while (performance.now() < end) {
        changes.push(await night.change());
        await night.lasts({ full: 1, short: 0.5 });
      }
      await night.mends(() => way.loses = () => false);
      for (const change of changes) await night.live(change);
      const slowest = Math.max(
        ...changes.map(({ record, committedAt }) => night.secondary.cameAt(record)! - committedAt),
      );
      night.shows(
        `nothing: ${way.lost} NOTIFY lost under ${changes.length} changes, ` +
          `the slowest live after ${seconds(slowest)}`,
      );
      await night.changeIsLive();
    },
  },
  {
    name: "secondary-cut",
    what: "500 transfers cut at a random octet",
    also: "test",
    night: {
      serve: () => ({
        between: {
          toPrimary(primary) {
            const way = startDnsProxy(primary);
            ways.push(way);
            return way;
          },
          toSecondary: (secondary) => secondary,
        },
      }),
    },
    async run(night) {
      const way = night.running.use(ways.pop()!);
      const cuts = night.full ? 500 : 10;
      await night.breaks(() => {
        // Some are longer than the answer to a small change: those pass.
        way.cutAfter = () => way.cuts < cuts ? Math.floor(Math.random() * 350) : undefined;
      });
      const changes: Change[] = [];
      while (way.cuts < cuts) {
        const change = await night.change();
        changes.push(change);
        await night.live(change);
      }
      await night.mends(() => way.cutAfter = () => undefined);
      const { transfers } = night.secondary;
      night.shows(
        `${way.cuts} transfers cut under ${changes.length} changes, ` +
          `${transfers.ixfr} IXFR and ${transfers.axfr} AXFR came whole`,
      );
      await night.changeIsLive();
    },
  },
  withReal(["nsd", "knot", "bind"], {
    name: "secondaries-lossy",
    what: "NSD, Knot and BIND: nine of ten NOTIFY lost, transfers cut at a random octet",
    async run(night, real) {
      const cuts = night.full ? 20 : 3;
      await night.breaks(() => {
        for (const { in: way, out } of real) {
          way.loses = isLost;
          out.cutAfter = () => out.cuts < cuts ? Math.floor(Math.random() * 350) : undefined;
        }
      });
      await until(async () => {
        await night.changeIsLive();
        return real.every(({ out }) => out.cuts >= cuts);
      }, {
        what: `${cuts} transfers of each are cut`,
        timeoutMs: 180_000,
        intervalMs: 1_000,
        seen: () => real.map(({ kind, out }) => `${kind} ${out.cuts}`),
      });
      await night.mends(() => {
        for (const { in: way } of real) way.loses = () => false;
      });
      await night.changeIsLive();
      night.shows(
        real.map(({ kind, in: way, out }) =>
          `${kind}: ${out.cuts} transfers cut, ${way.lost} NOTIFY lost`
        ).join("; "),
      );
    },
  }),
];

/** The ways of the night that begins, until its run takes them. */
const ways: DnsProxy[] = [];
