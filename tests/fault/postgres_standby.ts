/** A standby: as the source, promoted, or taking over from a primary that was ahead of it. */
import { assertEquals } from "@std/assert";
import { passNumbers } from "../support/postgres.ts";
import { startStandby, untilReplayed } from "../support/postgres_standby.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import { until } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import { type Ground, type Night, ZONE } from "./night.ts";

/** The night's database on its standby. */
function onStandby({ url, postgres, standby }: Ground): string {
  return url.replace(`:${postgres.port}/`, `:${standby!.port}/`);
}

/** Waits until the database has been told of the version that is served. */
async function writtenBack(night: Night): Promise<void> {
  const serial = await night.zonecast.serial(ZONE);
  await until(async () => {
    const rows = await night.sql`select from zonecast.published where serial = ${serial!}`;
    return rows.length === 1;
  }, { what: `serial ${serial} is written back` });
}

export const POSTGRES_STANDBY: readonly Fault[] = [
  {
    name: "postgres-standby",
    what: "the source is a read-only standby, and is promoted",
    also: "test",
    night: {
      isBroken: true,
      async source(ground) {
        ground.standby = ground.running.use(await startStandby(ground.postgres));
        return onStandby(ground);
      },
    },
    async run(night) {
      const { ground, zonecast } = night;
      await night.says("source cannot notify", /standby/);
      await night.changeIsLive();
      await night.says("cannot write back to the source", /standby/);
      await untilReplayed(ground.postgres, ground.standby!);
      await ground.postgres.stop();
      await night.mends(() => ground.standby!.promote());
      night.sql = ground.standby!.connect(onStandby(ground));
      await night.changeIsLive();
      await night.says("source notifies again");
      await writtenBack(night);
      const written = await night
        .sql`select from zonecast.published where serial <= ${(await zonecast.serial(ZONE))!}`;
      assertEquals(written.length, 3, "versions written back: the first, and both changes");
    },
  },
  {
    name: "postgres-failover",
    what: "failover to a standby that lags: the newest change is lost there",
    also: "test",
    night: {
      async source(ground) {
        const { postgres, running, url } = ground;
        ground.stream = running.use(startTcpProxy({ addr: "127.0.0.1", port: postgres.port }));
        ground.standby = running.use(
          await startStandby(postgres, {
            settings: {
              primary_conninfo: `host=127.0.0.1 port=${ground.stream.port} user=postgres`,
            },
          }),
        );
        const hosts = `127.0.0.1:${postgres.port},127.0.0.1:${ground.standby.port}`;
        return `${
          url.replace(`127.0.0.1:${postgres.port}`, hosts)
        }?target_session_attrs=read-write`;
      },
    },
    async run(night) {
      const { ground } = night;
      await untilReplayed(ground.postgres, ground.standby!);
      await night.breaks(() => ground.stream!.cut());
      await night.changeIsLive(); // only the primary has it
      await ground.postgres.kill9();
      await night.says("source down");
      await ground.standby!.promote();
      await night.mends(() => passNumbers(ground.standby!, 1_000));
      night.sql = ground.standby!.connect(onStandby(ground));
      await night.changeIsLive();
      await writtenBack(night);
    },
  },
];
