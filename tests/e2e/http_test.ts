/** `--http` of a real server with Postgres and NSD: metrics, readiness, status. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { serveFollowed } from "../support/followed.ts";
import { interopTest } from "../support/interop.ts";
import { HTTP, httpOf, metricsOf, metricsText, promtoolComplaints } from "../support/metrics.ts";
import { run } from "../support/processes.ts";
import { startPostgres } from "../support/postgres.ts";
import { untilServed } from "../support/served.ts";
import { sourceDatabase } from "../support/setup.ts";
import { statusOf } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { startZonecast } from "../support/zonecast.ts";

const ZONE = "shown.example.";

interopTest("http: metrics follow a commit to the secondary, and what they say is well formed", {
  needs: ["nsd", "promtool"],
}, async (t) => {
  await using postgres = await startPostgres();
  const source = await sourceDatabase(postgres, [ZONE]);
  await using followed = await serveFollowed(["nsd"], {
    source: source.url,
    zones: [ZONE],
    args: HTTP,
  });
  const { zonecast, secondaries: [nsd] } = followed;
  const http = await httpOf(zonecast);

  await t.step("a commit is timed until NSD shows it", async () => {
    await source.sql`insert into zonecast.records (zone, name, type, content)
      values ('shown.example', 'www', 'A', '192.0.2.1')`;
    await untilServed(nsd, `www.${ZONE}`, "A", ["192.0.2.1"]);
    const live = 'zonecast_commit_to_live_seconds_count{secondary="secondary0"}';
    const metrics = await until(async () => {
      const metrics = await metricsOf(http);
      const isLive = 'zonecast_secondary_zones{secondary="secondary0",state="live"}';
      return metrics.get(live)! > 0 && metrics.get(isLive) === 1 && metrics;
    }, { what: `${live} counts` });
    const sum = (name: string) => metrics.get(`zonecast_commit_to_${name}`)!;
    const secondary = '{secondary="secondary0"}';
    assert(metrics.get("zonecast_commit_to_publish_seconds_count")! >= 1);
    assert(metrics.get(`zonecast_commit_to_notify_seconds_count${secondary}`)! >= 1);
    assert(sum("publish_seconds_sum") <= sum(`live_seconds_sum${secondary}`));
    assert(sum(`live_seconds_sum${secondary}`) < 60, "a minute from commit to live");
    const transfers = ["axfr", "ixfr"].map((kind) =>
      metrics.get(`zonecast_transfers_total{kind="${kind}",result="sent"}`)!
    );
    assert(transfers[0] + transfers[1] >= 1);
    assert(metrics.get('zonecast_responses_total{rcode="NOERROR"}')! >= 1);
    assertEquals(metrics.get("zonecast_zones"), 1);
    const { zones } = await statusOf(zonecast);
    assertEquals(metrics.get(`zonecast_zone_serial{zone="${ZONE}"}`), zones[0].serial);
    assertEquals(metrics.get("zonecast_source_up"), 1);
    assertEquals(metrics.get("zonecast_ready"), 1);
  });

  await t.step("promtool has nothing to say against them", async () => {
    const answer = await fetch(`${http}/metrics`);
    assertMatch(answer.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    assertEquals(await promtoolComplaints(await answer.text()), "");
  });

  await t.step(
    "dashboard and alerts name only metrics there are; promtool takes the rules",
    async () => {
      const known = new Set(
        Array.from((await metricsText(http)).matchAll(/^# TYPE (\S+)/gm), ([, name]) => name),
      );
      const dashboard = await zonecast.mustCli(["dashboards", "grafana"]);
      const alerts = await zonecast.mustCli(["dashboards", "alerts"]);
      assert(JSON.parse(dashboard).panels.length > 10);
      const named = `${dashboard}${alerts}`.matchAll(/\b((?:zonecast|process)_[a-z_]+)\b/g);
      const unknown = Array.from(named, ([, name]) => name.replace(/_bucket$/, ""))
        .filter((name) => !known.has(name));
      assertEquals(unknown, []);
      await using dir = await tempDir();
      await zonecast.mustCli(["dashboards", "--out", dir.path]);
      const { code, stderr, stdout } = await run("promtool", [
        "check",
        "rules",
        `${dir.path}/zonecast-alerts.yml`,
      ]);
      assertEquals(code, 0, stdout + stderr);
    },
  );

  await t.step("/status.json has the shape of `status --json`", async () => {
    const shown = await (await fetch(`${http}/status.json`)).json();
    const report = await statusOf(zonecast);
    assertEquals(Object.keys(shown), Object.keys(report));
    assertEquals(shown.zones, report.zones);
    assertEquals(Object.keys(shown.server), Object.keys(report.server!));
    assertEquals(Object.keys(shown.secondaries[0]), Object.keys(report.secondaries[0]));
  });

  await t.step("healthy and ready; without its source it is ready still, and says so", async () => {
    assertEquals(await (await fetch(`${http}/healthz`)).text(), "healthy\n");
    assertEquals(await (await fetch(`${http}/readyz`)).text(), "ready\n");
    await postgres.stop("immediate");
    const answer = await until(async () => {
      const answer = await (await fetch(`${http}/readyz`)).text();
      return answer !== "ready\n" && answer;
    }, { what: "/readyz tells of the source" });
    assertMatch(answer, /^ready\n- the source is away/);
  });
});

interopTest("http: without a zone it is not ready, and says why", {}, async () => {
  await using postgres = await startPostgres();
  const source = await sourceDatabase(postgres, []);
  await using zonecast = await startZonecast({ source: source.url, args: HTTP });
  const http = await httpOf(zonecast);
  const ask = () => fetch(`${http}/readyz`, { headers: { accept: "application/json" } });
  const { ready, reasons } = await until(async () => {
    const answer = await ask();
    assertEquals(answer.status, 503);
    const state = await answer.json();
    return state.reasons[0].hint.includes("zone add") && state;
  }, { what: "/readyz says what to do" });
  assertEquals(ready, false);
  assertEquals(reasons[0].code, "no-zone");
});
