/** The clock is wrong where it matters to others: signatures and certificates are of a time. */
import { assert, assertEquals } from "@std/assert";
import { certificates } from "../support/certificates.ts";
import { startDnsProxy } from "../support/dns_proxy.ts";
import type { DnsServer } from "../support/dns_server.ts";
import { type Interpose, startInterpose } from "../support/interpose.ts";
import { freePort } from "../support/ports.ts";
import { noteSecret } from "../support/secrets.ts";
import { readKeyLines, startSignedSecondary } from "../support/signed_secondaries.ts";
import { tempDir } from "../support/tempdir.ts";
import { startTlsNotified, type TlsNotified } from "../support/tls_notified.ts";
import { until } from "../support/wait.ts";
import { zonecastCli } from "../support/zonecast.ts";
import type { Fault } from "./fault.ts";
import { ZONE } from "./night.ts";

const KEY = "clock.example";
const DAY = 86_400;

/** What the night that runs has, beside what each has. */
let overTls: { interpose: Interpose; notified: TlsNotified } | undefined;
let signed: { interpose: Interpose; knot: DnsServer } | undefined;

export const CLOCK_KEYS: readonly Fault[] = [
  {
    name: "clock-tsig",
    what: "the clock goes back a day; Knot signs, and is sent, TSIG",
    needs: ["gcc", "knot"],
    night: {
      async serve({ running, sql }) {
        await sql`update zonecast.zones set refresh = 2, retry = 1`;
        const { path } = running.use(await tempDir());
        const interpose = running.use(await startInterpose(path));
        const file = `${path}/${KEY}.key`;
        const made = await zonecastCli(["keygen", KEY, "--out", file]);
        assertEquals(made.code, 0, made.stderr);
        noteSecret(/secret "(.*)"/.exec(await Deno.readTextFile(file))![1]);
        const way = running.use(startDnsProxy());
        const port = freePort();
        const zone = {
          addr: way.addr,
          port: way.port,
          zone: ZONE,
          lines: readKeyLines(made.stdout),
        };
        const knot = running.use(await startSignedSecondary("knot", port, [zone]));
        signed = { interpose, knot };
        return {
          env: interpose.env,
          args: ["--tsig-key-file", file, "--secondary", `knot=127.0.0.1:${port},key=${KEY}`],
          between: {
            toPrimary: (primary) => way.target = primary,
            toSecondary: (secondary) => secondary,
          },
        };
      },
    },
    async run(night) {
      const { interpose, knot } = signed!;
      await knot.reaches(ZONE, night.secondary.serial!);
      const before = await knot.serial(ZONE);
      await night.breaks(() => interpose.shiftClock(-DAY));
      await night.changeIsLive(); // at the one without a key
      await night.says("the answer to a NOTIFY is not believed", /BADTIME/);
      await night.says("a signed request is refused", /BADTIME/);
      assertEquals(await knot.serial(ZONE), before);
      await night.mends(() => interpose.shiftClock(0));
      await night.changeIsLive();
      await until(async () => await knot.serial(ZONE) === await night.zonecast.serial(ZONE), {
        what: "Knot has the last version",
        seen: () => knot.log().slice(-2000),
      });
      assert(night.secondary.serial !== before);
    },
  },
  {
    name: "clock-tls",
    what: "the clock goes forward a year, beyond the certificates of 30 days",
    isAway: true,
    needs: ["gcc", "openssl"],
    night: {
      async serve({ running }) {
        const { path } = running.use(await tempDir());
        const interpose = running.use(await startInterpose(path));
        const authority = await certificates(path);
        const { cert, key } = await authority.issue("ns");
        const notified = running.use(await startTlsNotified({ cert, key }));
        overTls = { interpose, notified };
        return {
          env: interpose.env,
          args: [
            ...["--listen-tls", `127.0.0.1:${freePort()}`, "--tls-cert", cert, "--tls-key", key],
            ...["--tls-ca", authority.ca],
            ...["--secondary", `tls=127.0.0.1:${notified.port},tls=ns.test,watch=off`],
          ],
        };
      },
    },
    async run(night) {
      const { interpose, notified } = overTls!;
      await until(() => notified.notifies > 0, { what: "NOTIFY over TLS" });
      await night.breaks(() => interpose.shiftClock(365 * DAY));
      await night.changeIsLive();
      await night.zonecast.stop(); // an open connection is as good as it was
      const before = notified.notifies;
      await night.zonecast.start();
      await night.says("the TLS certificate has expired");
      await night.changeIsLive(); // at the one without TLS
      await night.says("NOTIFY could not be sent", /[Ee]xpired/);
      assertEquals(notified.notifies, before);
      await night.mends(() => interpose.shiftClock(0));
      await night.changeIsLive();
      await until(() => notified.notifies > before, { what: "NOTIFY over TLS again" });
    },
  },
];
