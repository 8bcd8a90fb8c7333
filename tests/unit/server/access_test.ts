import { assert, assertEquals } from "@std/assert";
import { parseName } from "../../../lib/dns/mod.ts";
import { parseCidr } from "../../../lib/ops/mod.ts";
import { Access, type Asker } from "../../../lib/server/access.ts";
import { ConnectionTable } from "../../../lib/server/connection_table.ts";
import { DEFAULT_LIMITS, LOG_INTERVAL_MS, LOG_KEYS } from "../../../lib/server/limits.ts";
import { LogLimiter } from "../../../lib/server/log_limiter.ts";
import { parseSecondary } from "../../../lib/server/secondary.ts";

const rules = {
  secondaries: [
    parseSecondary("a=192.0.2.1"),
    parseSecondary("b=192.0.2.2,from=198.51.100.0/24+2001:db8::/32"),
    parseSecondary("c=192.0.2.1:5300"),
    parseSecondary("k=192.0.2.7,key=new.k+old.k,from=192.0.2.7+2001:db8:7::7"),
    parseSecondary("l=192.0.2.8,key=l"),
    parseSecondary("m=192.0.2.8:54,key=m,no-ixfr"),
  ],
  allowTransfer: [
    { cidr: parseCidr("203.0.113.5"), keys: [] },
    { cidr: parseCidr("203.0.113.128/25"), keys: [parseName("guest")] },
    { cidr: parseCidr("2001:db8:ffff::/48"), keys: [parseName("guest")] },
  ],
  allowQuery: [parseCidr("10.0.0.0/8"), parseCidr("2001:db8:10::/48")],
};

const UNSIGNED = "the request is not signed";
const OTHER_KEY = "signed with a key of another";
const STRANGER = "client may not transfer";

/** Who asks, with which key, and why not; undefined: it may. */
const TRANSFERS: readonly [ip: string, key: string | undefined, denial: string | undefined][] = [
  ["192.0.2.1", undefined, undefined],
  ["192.0.2.1", "l", undefined], // none is asked for
  ["::ffff:192.0.2.1", undefined, undefined],
  ["::ffff:c000:201", undefined, undefined],
  ["::FFFF:192.0.2.1", undefined, undefined],
  ["::192.0.2.1", undefined, STRANGER], // compatible is not mapped
  ["64:ff9b::192.0.2.1", undefined, STRANGER],
  ["192.0.2.2", undefined, STRANGER], // `from` takes the place of the address
  ["192.0.2.2", "l", STRANGER], // a key is no address
  ["198.51.100.0", undefined, undefined],
  ["198.51.100.255", undefined, undefined],
  ["198.51.101.0", undefined, STRANGER],
  ["198.51.99.255", undefined, STRANGER],
  ["::ffff:198.51.100.77", undefined, undefined],
  ["2001:db8:1::1", undefined, undefined],
  ["2001:db9::1", undefined, STRANGER],
  ["2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", undefined, STRANGER],
  // With a key: both must hold.
  ["192.0.2.7", undefined, UNSIGNED],
  ["192.0.2.7", "new.k", undefined],
  ["192.0.2.7", "NEW.K", undefined],
  ["192.0.2.7", "old.k", undefined],
  ["192.0.2.7", "k", OTHER_KEY],
  ["192.0.2.7", "l", OTHER_KEY],
  ["::ffff:192.0.2.7", "old.k", undefined],
  ["::ffff:192.0.2.7", undefined, UNSIGNED],
  ["192.0.2.6", "new.k", STRANGER],
  ["2001:db8:7::7", "new.k", undefined],
  // Two secondaries of one address, told apart by their keys.
  ["192.0.2.8", "l", undefined],
  ["192.0.2.8", "m", undefined],
  ["192.0.2.8", undefined, UNSIGNED],
  ["192.0.2.8", "new.k", OTHER_KEY],
  // --allow-transfer
  ["203.0.113.5", undefined, undefined],
  ["203.0.113.6", undefined, STRANGER],
  ["203.0.113.6", "guest", STRANGER],
  ["203.0.113.127", "guest", STRANGER],
  ["203.0.113.128", "guest", undefined],
  ["203.0.113.128", undefined, UNSIGNED],
  ["203.0.113.255", "l", OTHER_KEY],
  ["203.0.114.0", "guest", STRANGER],
  // May ask, which is less.
  ["10.0.0.1", undefined, STRANGER],
  ["10.0.0.1", "guest", STRANGER],
  // What is no address is nobody's.
  ["no address", undefined, STRANGER],
  ["", "guest", STRANGER],
  ["192.0.2.01", undefined, STRANGER],
  ["192.0.2.1%eth0", undefined, STRANGER],
];

const asker = (ip: string, key?: string): Asker => ({
  ip,
  keyName: key && parseName(key) || undefined,
});

Deno.test("transfers: by address, and by key where one is set; both must hold", async (t) => {
  const access = new Access(rules);
  for (const [ip, key, denial] of TRANSFERS) {
    await t.step(
      `${ip || "(nothing)"} ${key ? `with ${key}` : "unsigned"}: ${denial ?? "may"}`,
      () => {
        assertEquals(access.transferDenial(asker(ip, key)), denial);
        assertEquals(access.isListed(ip), denial !== STRANGER);
      },
    );
  }
});

Deno.test("transfers: with nobody listed nobody may, whatever the key", () => {
  const access = new Access({ secondaries: [], allowTransfer: [], allowQuery: undefined });
  for (const ip of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "192.0.2.1"]) {
    assertEquals(access.transferDenial({ ip }), STRANGER);
    assertEquals(access.transferDenial(asker(ip, "guest")), STRANGER);
  }
});

Deno.test("transfers: all of IPv4 is not IPv6, and the other way round", () => {
  const of = (cidr: string) =>
    new Access({
      secondaries: [],
      allowTransfer: [{ cidr: parseCidr(cidr), keys: [] }],
      allowQuery: undefined,
    });
  const may = (cidr: string, ip: string) => of(cidr).transferDenial({ ip }) === undefined;
  assertEquals(
    [
      may("0.0.0.0/0", "192.0.2.1"),
      may("0.0.0.0/0", "::ffff:192.0.2.1"),
      may("0.0.0.0/0", "::1"),
      may("::/0", "::1"),
      may("::/0", "192.0.2.1"),
      may("::/0", "::ffff:192.0.2.1"),
    ],
    [true, true, false, true, false, false],
  );
});

/** Who may ask; and whether it may when everybody does. */
const QUERIES: readonly [ip: string, may: boolean][] = [
  ["10.0.0.0", true],
  ["10.255.255.255", true],
  ["::ffff:10.1.2.3", true],
  ["9.255.255.255", false],
  ["11.0.0.0", false],
  ["2001:db8:10::1", true],
  ["2001:db8:10:ffff::1", true],
  ["2001:dba:10::1", false],
  ["192.0.2.1", true], // who may have the zone may ask
  ["192.0.2.7", true], // also without its key
  ["203.0.113.200", true],
  ["192.0.2.2", false],
  ["no address", false],
];

Deno.test("queries: everybody, or --allow-query and those who may transfer", async (t) => {
  const access = new Access(rules);
  const open = new Access({ ...rules, allowQuery: undefined });
  for (const [ip, may] of QUERIES) {
    await t.step(`${ip}: ${may ? "may" : "may not"}`, () => {
      assertEquals(access.mayQuery({ ip }), may);
      assert(open.mayQuery({ ip }));
    });
  }
});

Deno.test("a request is of every secondary whose address it has, and whose key", () => {
  const access = new Access(rules);
  const names = (ip: string, key?: string) =>
    access.secondariesAt(asker(ip, key)).map(({ name }) => name);
  assertEquals(names("192.0.2.1"), ["a", "c"]);
  assertEquals(names("203.0.113.5"), []);
  assertEquals(names("192.0.2.8"), []);
  assertEquals(names("192.0.2.8", "m"), ["m"]);
  assertEquals(names("2001:db8:7::7", "new.k"), ["b", "k"]);
  assertEquals(names("2001:db8:7::7"), ["b"]);
  assertEquals(access.takesIxfr(asker("192.0.2.8", "m")), false);
  assertEquals(access.takesIxfr(asker("192.0.2.8", "l")), true);
});

Deno.test("UDP answers are limited for all but those who may transfer and those exempt", () => {
  const access = new Access({ ...rules, rateExempt: [parseCidr("127.0.0.0/8")] });
  const limited = ["192.0.2.1", "203.0.113.5", "127.0.0.1", "10.0.0.1", "203.0.113.6", "none"]
    .map((ip) => access.isRateLimited(ip));
  assertEquals(limited, [false, false, false, true, true, true]);
});

Deno.test("verdicts stay right when more addresses come than are remembered", () => {
  const access = new Access(rules);
  for (let i = 0; i < 10_000; i++) access.isListed(`10.0.${i >> 8}.${i & 255}`);
  assert(access.isListed("192.0.2.1"));
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

Deno.test("ConnectionTable: for want of a descriptor nobody goes who has just come", () => {
  let now = 0;
  const closed: string[] = [];
  const table = new ConnectionTable(DEFAULT_LIMITS, () => now);
  const wait = (ip: string, trusted: boolean) =>
    table.enter(ip, trusted)!.waits(() => closed.push(ip));
  assertEquals(table.evict(100), false);
  wait("secondary", true);
  now = 1_000;
  wait("stranger", false);
  now = 1_099;
  // Not the secondary in the place of a stranger whose time is not up.
  assertEquals([table.evict(100), closed], [false, []]);
  now = 1_100;
  assertEquals([table.evict(100), closed], [true, ["stranger"]]);
  assertEquals([table.evict(100), closed], [true, ["stranger", "secondary"]]);
  assertEquals(table.connections, 0);
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
