/** What a connection over TLS takes for its own. */
import { assertEquals } from "@std/assert";
import { isSame } from "../../../lib/server/tls_relay.ts";

Deno.test("only our own connection is taken for the client's: address and port, not the port alone", () => {
  const at = (hostname: string, port: number): Deno.NetAddr => ({
    transport: "tcp",
    hostname,
    port,
  });
  const ours = at("127.0.0.1", 40_000);
  const rows = [at("127.0.0.1", 40_000), at("127.0.0.2", 40_000), at("127.0.0.1", 40_001)];
  assertEquals(rows.map((each) => isSame(each, ours)), [true, false, false]);
});
