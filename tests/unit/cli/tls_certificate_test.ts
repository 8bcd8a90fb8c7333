/** The certificate TLS is served with: one that ends soon is warned of as long as it does. */
import { assertEquals } from "@std/assert";
import { CertificateSource } from "../../../lib/cli/tls_certificate.ts";
import { createLogger } from "../../../lib/ops/mod.ts";
import { certificates } from "../../support/certificates.ts";
import { tempDir } from "../../support/tempdir.ts";
import { until } from "../../support/wait.ts";

const DAY_MS = 86_400_000;

Deno.test("a certificate that ends soon is warned of once a day until it is renewed", async () => {
  await using dir = await tempDir();
  const { issue } = await certificates(dir.path); // for 30 days
  const files = await issue("server");
  let now = Date.now();
  let looks = 0;
  const warnings: string[] = [];
  const log = createLogger({
    format: "logfmt",
    level: "info",
    write: (line) =>
      void warnings.push(...line.match(/TLS certificate (?:soon expires|has expired)/g) ?? []),
  });
  const source = await CertificateSource.open(files, log, () => {
    looks++;
    return now;
  });
  try {
    source.watch(() => {}, 1);
    /** What is warned of at a time, seen at several looks. */
    const at = async (days: number) => {
      warnings.length = 0;
      now += days * DAY_MS;
      const before = looks;
      await until(() => looks >= before + 5, { what: "five looks" });
      return [...warnings];
    };
    assertEquals(await at(0), []);
    assertEquals(await at(22), []);
    assertEquals(await at(1.5), ["TLS certificate soon expires"]);
    assertEquals(await at(0.9), []);
    assertEquals(await at(0.2), ["TLS certificate soon expires"]);
    assertEquals(await at(6), ["TLS certificate has expired"]);
    await issue("server");
    now = Date.now();
    await source.reload(() => {});
    assertEquals(await at(2), []);
  } finally {
    source.close();
  }
});
