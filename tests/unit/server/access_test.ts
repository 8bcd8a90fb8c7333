import { assert, assertEquals } from "@std/assert";
import { parseCidr } from "../../../lib/ops/mod.ts";
import { Access } from "../../../lib/server/access.ts";
import { ConnectionTable } from "../../../lib/server/connection_table.ts";
import { DEFAULT_LIMITS, LOG_INTERVAL_MS, LOG_KEYS } from "../../../lib/server/limits.ts";
import { LogLimiter } from "../../../lib/server/log_limiter.ts";
import { parseSecondary } from "../../../lib/server/secondary.ts";

const rules = {
  secondaries: [
    parseSecondary("a=192.0.2.1"),
    parseSecondary("b=192.0.2.2,from=198.51.100.0/24+2001:db8::/32"),
    parseSecondary("c=192.0.2.1:5300"),
  ],
  allowTransfer: [parseCidr("203.0.113.5")],
  allowQuery: [parseCidr("10.0.0.0/8")],
};

Deno.test("transfers: secondaries by `from`, and --allow-transfer; mapped IPv4 is IPv4", () => {
  const access = new Access(rules);
  const verdicts: [string, boolean][] = [
    ["192.0.2.1", true],
    ["::ffff:192.0.2.1", true],
    ["::ffff:c000:201", true],
    ["192.0.2.2", false], // `from` takes the place of the address
    ["198.51.100.77", true],
    ["2001:db8:1::1", true],
    ["2001:db9::1", false],
    ["203.0.113.5", true],
    ["203.0.113.6", false],
    ["10.0.0.1", false],
    ["no address", false],
  ];
  for (const [ip, expected] of verdicts) assertEquals(access.mayTransfer(ip), expected, ip);
});

Deno.test("queries: everybody, or --allow-query and those who may transfer", () => {
  const access = new Access(rules);
  assertEquals(["10.1.2.3", "192.0.2.1", "192.0.2.2"].map((ip) => access.mayQuery(ip)), [
    true,
    true,
    false,
  ]);
  const open = new Access({ ...rules, allowQuery: undefined });
  assert(open.mayQuery("192.0.2.99"));
});

Deno.test("an address belongs to every secondary that names it", () => {
  const access = new Access(rules);
  const names = (ip: string) => access.secondariesAt(ip).map(({ name }) => name);
  assertEquals(names("192.0.2.1"), ["a", "c"]);
  assertEquals(names("203.0.113.5"), []);
});

Deno.test("UDP answers are limited for all but those who may transfer and those exempt", () => {
  const access = new Access({ ...rules, rateExempt: [parseCidr("127.0.0.0/8")] });
  const limited = ["192.0.2.1", "203.0.113.5", "127.0.0.1", "10.0.0.1", "203.0.113.6", "none"]
    .map((ip) => access.isRateLimited(ip));
  assertEquals(limited, [false, false, false, true, true, true]);
});

Deno.test("verdicts stay right when more addresses come than are remembered", () => {
  const access = new Access(rules);
  for (let i = 0; i < 10_000; i++) access.mayTransfer(`10.0.${i >> 8}.${i & 255}`);
  assert(access.mayTransfer("192.0.2.1"));
});

Deno.test("ConnectionTable: strangers have a share, secondaries the rest", () => {
  const table = new ConnectionTable({
    ...DEFAULT_LIMITS,
    connections: 5,
    strangerConnections: 3,
    connectionsPerSecondary: 2,
    connectionsPerStranger: 2,
  });
  const first = table.enter("1", false)!;
  assert(table.enter("1", false));
  assertEquals(table.enter("1", false), undefined); // its own cap
  assert(table.enter("2", false));
  assertEquals(table.enter("3", false), undefined); // the strangers' share
  const trusted = table.enter("s", true)!;
  assert(table.enter("s", true));
  assertEquals(table.enter("t", true), undefined); // the whole
  trusted.becameZombie();
  assertEquals([table.connections, table.zombies], [5, 1]); // a zombie keeps its place
  trusted.leave();
  first.leave();
  assertEquals([table.connections, table.zombies], [3, 0]);
  assert(table.enter("1", false));
});

Deno.test("ConnectionTable: the one that has waited longest makes room, a stranger's first", () => {
  const table = new ConnectionTable({
    ...DEFAULT_LIMITS,
    connections: 3,
    strangerConnections: 2,
    connectionsPerSecondary: 2,
    connectionsPerStranger: 1,
  });
  const closed: string[] = [];
  const enter = (ip: string, isTrusted: boolean, waits = true) => {
    const place = table.enter(ip, isTrusted);
    if (waits) place?.waits(() => closed.push(ip));
    return place;
  };
  enter("1", false);
  const second = enter("2", false)!;
  assertEquals(enter("1", false), undefined); // its own cap is its own to keep
  enter("3", false);
  assertEquals(closed, ["1"]);
  second.works();
  enter("4", false);
  assertEquals(closed, ["1", "3"]); // the second has waited longer, but is busy now
  second.waits(() => closed.push("2 again"));
  enter("s", true);
  enter("s", true, false);
  assertEquals(closed, ["1", "3", "4"]); // the whole was full: a stranger goes
  enter("t", true, false);
  assertEquals(closed, ["1", "3", "4", "2 again"]);
  enter("u", true, false);
  assertEquals(closed, ["1", "3", "4", "2 again", "s"]);
  assertEquals(table.enter("v", true), undefined); // none of them waits
  assertEquals([table.connections, table.evicted], [3, 5]);
  second.leave(); // closed before: nothing is given back twice
  assertEquals(table.connections, 3);
});

Deno.test("ConnectionTable: strangers of one IPv6 /64 count as one", () => {
  const table = new ConnectionTable({ ...DEFAULT_LIMITS, connectionsPerStranger: 1 });
  assert(table.enter("2001:db8::1", false));
  assertEquals(table.enter("2001:db8::2", false), undefined);
  assert(table.enter("2001:db8:0:1::2", false));
});

Deno.test("LogLimiter lets one event of a key through in its interval, and counts the rest", () => {
  let now = 0;
  const limiter = new LogLimiter(() => now);
  assertEquals([limiter.pass("a"), limiter.pass("a"), limiter.pass("a")], [
    0,
    undefined,
    undefined,
  ]);
  assertEquals(limiter.pass("b"), 0);
  now += LOG_INTERVAL_MS;
  assertEquals([limiter.pass("a"), limiter.pass("a")], [2, undefined]);
  for (let i = 0; i < 3 * LOG_KEYS; i++) limiter.pass(`key ${i}`);
  assertEquals(limiter.pass("fresh"), 0);
});
