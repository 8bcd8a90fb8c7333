/** Transfers over TLS (RFC 9103) to real secondaries and tools, from the executable. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startBind } from "../support/bind.ts";
import { type Certificates, certificates } from "../support/certificates.ts";
import { query, type Server } from "../support/dns_client.ts";
import { interopTest } from "../support/interop.ts";
import { startNsd } from "../support/nsd.ts";
import { freePort } from "../support/ports.ts";
import { run } from "../support/processes.ts";
import { noteSecret } from "../support/secrets.ts";
import { mustZonecast, newSerial, serveZones } from "../support/setup.ts";
import { untilStatus } from "../support/status.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import type { Zonecast } from "../support/zonecast.ts";

const ZONE = "xot.example.";
const KEY = "xot.key";

interface Served extends AsyncDisposable {
  readonly zonecast: Zonecast;
  /** Where it speaks TLS. */
  readonly tls: Server;
  readonly authority: Certificates;
  /** Of the key {@link KEY}, in base64. */
  readonly secret: string;
}

/** zonecast on an embedded source with one zone, on TLS with a certificate for `ns.test`. */
async function serve(secondaries: readonly string[] = []): Promise<Served> {
  const dir = await tempDir();
  const authority = await certificates(dir.path);
  const { cert, key } = await authority.issue("server");
  const secret = noteSecret(crypto.getRandomValues(new Uint8Array(32)).toBase64());
  const keyFile = `${dir.path}/tsig.key`;
  const text = `key "${KEY}" { algorithm hmac-sha256; secret "${secret}"; };`;
  await Deno.writeTextFile(keyFile, text, { mode: 0o600 });
  const source = `sqlite:${dir.path}/zones.db`;
  await mustZonecast(source, ["zone", "add", ZONE, "--ns", "ns1.test.", "--ns", "ns2.test."]);
  const tls = { addr: "127.0.0.1", port: freePort() };
  const zonecast = await serveZones({
    source,
    zones: [ZONE],
    args: [
      ...["--listen-tls", `${tls.addr}:${tls.port}`, "--tls-cert", cert, "--tls-key", key],
      ...["--transfer-transport", "tls", "--tsig-key-file", keyFile],
      ...(secondaries.length === 0 ? ["--allow-transfer", "127.0.0.1"] : []),
      ...secondaries.flatMap((secondary) => ["--secondary", secondary]),
      ...["--tls-ca", authority.ca],
    ],
  });
  return {
    zonecast,
    tls,
    authority,
    secret,
    async [Symbol.asyncDispose]() {
      await zonecast[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

for (const [kind, startSecondary] of [["bind", startBind], ["nsd", startNsd]] as const) {
  interopTest(
    `${kind} is told over TLS of a zone and its changes, and takes them over TLS, all signed`,
    {
      needs: [kind, "openssl"],
    },
    async () => {
      const port = freePort();
      const tlsPort = freePort();
      const told = `${kind}=127.0.0.1:${tlsPort},tls=ns.test,key=${KEY},watch=127.0.0.1:${port}`;
      await using served = await serve([told]);
      const { zonecast, tls, authority, secret } = served;
      const secondary = await startSecondary({
        zones: [ZONE],
        primary: tls,
        port,
        tls: {
          hostname: "ns.test",
          ca: authority.ca,
          tsig: { name: KEY, secret },
          listen: { port: tlsPort, ...await authority.issue(kind) },
        },
      });
      await using _ = secondary;
      let serial = await newSerial(zonecast, ZONE, undefined);
      await secondary.reaches(ZONE, serial);
      for (let change = 1; change <= 3; change++) {
        await zonecast.mustCli(["set", ZONE, `www${change}`, "A", `192.0.2.${change}`]);
        serial = await newSerial(zonecast, ZONE, serial);
        await secondary.reaches(ZONE, serial);
      }
      assertEquals((await query(secondary, `www3.${ZONE}`, "A")).answers?.length, 1);
      const { secondaries } = await untilStatus(
        zonecast,
        "it was told",
        // NSD shows the new version before its answer to NOTIFY is there, which is then of no use.
        ({ secondaries: [{ zones: [{ notify, state }] }] }) =>
          notify?.acknowledgedAt !== undefined || kind === "nsd" && state === "live",
      );
      assertEquals(secondaries[0].zones[0].transfer?.transport, "tls");
      assertMatch(zonecast.log(), /transfer sent.*transport=tls/);
      const sent = zonecast.log().split("\n").filter((line) => line.includes("transfer sent"));
      assertEquals(sent.filter((line) => !/transport=tls .*key=xot\.key\./.test(line)), []);
      assert(!/not believed|disbelieved/.test(zonecast.log()), zonecast.log());
    },
  );
}

interopTest(
  "kdig transfers over TLS, padded; a certificate is replaced by its files and by SIGHUP",
  {
    needs: ["kdig", "openssl"],
  },
  async (t) => {
    await using served = await serve();
    const { zonecast, tls, authority } = served;
    const kdig = async (...args: string[]) => {
      const to = [`@${tls.addr}`, "-p", `${tls.port}`, `+tls-ca=${authority.ca}`];
      const { stdout } = await run("kdig", [...to, "+tls-hostname=ns.test", ...args]);
      return stdout;
    };
    const subject = async () => {
      const args = ["s_client", "-connect", `${tls.addr}:${tls.port}`, "-alpn", "dot"];
      const { stdout } = await run("openssl", args, { input: "" });
      return /^subject=CN = (.*)$/m.exec(stdout)?.[1];
    };

    await t.step("the zone, from a server it has verified", async () => {
      const text = await kdig(ZONE, "AXFR", "+tls");
      assertEquals(text.match(/\sNS\s/g)?.length, 2, text);
    });
    await t.step("an answer to a padded question is padded to 468 octets", async () => {
      assertMatch(await kdig(ZONE, "SOA", "+tls", "+padding=128"), /Received 468 B/);
    });
    await t.step("an AXFR over TCP is refused", async () => {
      const to = [`@${zonecast.addr}`, "-p", `${zonecast.port}`];
      const { stdout } = await run("kdig", [...to, ZONE, "AXFR", "+tcp"]);
      assertEquals(/\sSOA\s/.test(stdout), false, stdout);
      assertMatch(zonecast.log(), /transfer refused.*TLS alone/);
    });
    await t.step("files that change are read again, without a signal", async () => {
      assertEquals(await subject(), "server");
      // Over those in use, the key a moment after the certificate.
      await authority.issue("server", { names: ["DNS:ns.test", "DNS:new.test"] });
      await until(async () => /TLS certificate read/g.test(zonecast.log()) && await names() > 1, {
        what: "the new certificate",
      });
    });
    await t.step("SIGHUP reads them at once; a bad pair leaves the old one", async () => {
      const { cert } = await authority.issue("other");
      const [before, path] = [await names(), cert.replace("other.pem", "server.pem")];
      await Deno.copyFile(cert, path);
      zonecast.signal("SIGHUP");
      await until(() => /TLS certificate stays as it was/.test(zonecast.log()), {
        what: "the log",
      });
      assertEquals([await subject(), await names()], ["server", before]);
      await Deno.copyFile(path.replace("server.pem", "other.key"), path.replace(".pem", ".key"));
      zonecast.signal("SIGHUP");
      await until(async () => await subject() === "other", { what: "the other certificate" });
    });

    /** How many DNS names the certificate served has. */
    async function names(): Promise<number> {
      const args = ["s_client", "-connect", `${tls.addr}:${tls.port}`, "-alpn", "dot"];
      const { stdout } = await run("openssl", args, { input: "" });
      const pem = /-----BEGIN[^]*END CERTIFICATE-----/.exec(stdout)?.[0] ?? "";
      const { stdout: text } = await run("openssl", ["x509", "-noout", "-ext", "subjectAltName"], {
        input: pem,
      });
      return text.match(/DNS:/g)?.length ?? 0;
    }
  },
);
