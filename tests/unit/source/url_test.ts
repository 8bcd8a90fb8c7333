/** What a source's URL may look like. */
import { assertEquals, assertThrows } from "@std/assert";
import { nullLogger } from "../../../lib/ops/mod.ts";
import { openSource, SourceError } from "../../../lib/source/mod.ts";
import { parsePostgresUrl } from "../../../lib/source/postgres_url.ts";

Deno.test("Postgres URLs as libpq takes them", async (t) => {
  const table: [url: string, description: string, options: Record<string, unknown>][] = [
    ["postgres://h/db", "postgres h:5432/db", { host: ["h"], port: [5432], database: "db" }],
    ["postgresql://u:p%40w@h:99/db", "postgres h:99/db", { host: ["h"], port: [99] }],
    ["postgres://a,b:7/db", "postgres a:5432,b:7/db", { host: ["a", "b"], port: [5432, 7] }],
    ["postgres://[::1]:7/db", "postgres [::1]:7/db", { host: ["::1"], port: [7] }],
    ["postgres:///db", "postgres localhost:5432/db", { host: ["localhost"] }],
    ["postgres:///db?host=/run/pg", "postgres /run/pg:5432/db", { host: "/run/pg", port: 5432 }],
    ["postgres://u@%2Frun%2Fpg/db", "postgres /run/pg:5432/db", { host: "/run/pg" }],
    ["postgres://h/?dbname=x&user=u&password=p", "postgres h:5432/x", { user: "u", password: "p" }],
  ];
  for (const [url, description, options] of table) {
    await t.step(url, () => {
      const parsed = parsePostgresUrl(url);
      assertEquals(parsed.description, description);
      assertEquals({ ...parsed.options, ...options }, parsed.options);
    });
  }
  await t.step("what only a client of libpq needs is not sent to the server", () => {
    const { url } = parsePostgresUrl("postgres://u@h/d?channel_binding=require&sslmode=require");
    assertEquals(url, "postgres://u@localhost/?sslmode=require");
  });
});

Deno.test("URLs of no source are refused, unquoted", async (t) => {
  const urls = [
    "",
    "example.com",
    "mysql://u:geheim@h/d",
    "sqlite:",
    "sqlite::memory:",
    "sqlite://file.db",
    "postgres://h:99999/d",
    "postgres://h:x/d",
    "postgres://u:geheim@h@h/d",
    "postgres://u:ge%heim@h/d",
    "postgres://u:12/geheim@h/d",
    "postgres://h/d?sslrootcert=/no/such/file",
  ];
  for (const url of urls) {
    await t.step(url || "(empty)", () => {
      const error = assertThrows(() => openSource(url, { log: nullLogger }), SourceError);
      assertEquals(error.code, "source-url");
      assertEquals(/geheim/.test(Deno.inspect(error)), false);
    });
  }
});

Deno.test("a channel's name fits in 63 octets", () => {
  const error = assertThrows(
    () => openSource("postgres://h/d", { log: nullLogger, channel: "ü".repeat(32) }),
    SourceError,
  );
  assertEquals(error.code, "source-url");
});
