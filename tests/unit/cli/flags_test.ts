import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { COMMANDS } from "../../../lib/cli/commands.ts";
import { strayVariables } from "../../../lib/cli/environment.ts";
import { UsageError } from "../../../lib/cli/errors.ts";
import {
  type FlagTable,
  optional,
  readArguments,
  repeated,
  toggle,
  withDefault,
} from "../../../lib/cli/flags.ts";
import { CHANNEL, CIDR, LISTEN_ADDRESS, oneOf, SERIAL, TTL } from "../../../lib/cli/forms.ts";
import { DURATION, INTERVAL, SIZE } from "../../../lib/cli/number_forms.ts";
import { SERVE_FLAGS } from "../../../lib/cli/serve_flags.ts";

const TABLE = {
  verbose: toggle({ help: "say more" }),
  "poll-interval": withDefault(INTERVAL, "2s", { help: "pause" }),
  wait: optional(DURATION, { help: "wait" }),
  size: optional(SIZE, { help: "size" }),
  listen: repeated(LISTEN_ADDRESS, { help: "listen", defaults: ["127.0.0.1:53"] }),
  "allow-query": repeated(CIDR, { help: "who" }),
  ttl: optional(TTL, { help: "ttl", env: false }),
  "serial-floor": optional(SERIAL, { help: "floor" }),
  serial: withDefault(oneOf(["unixtime", "increment", "date"]), "unixtime", { help: "serial" }),
  channel: withDefault(CHANNEL, "dns_zone_changed", { help: "channel" }),
} satisfies FlagTable;

function read(args: readonly string[], env: Record<string, string> = {}) {
  return readArguments("serve", TABLE, args, (name) => env[name]);
}

Deno.test("flags: defaults stand where nothing is given", () => {
  const { flags, positionals } = read([]);
  assertEquals(flags, {
    verbose: false,
    "poll-interval": 2000,
    wait: undefined,
    size: undefined,
    listen: [{ ip: "127.0.0.1", port: 53 }],
    "allow-query": [],
    ttl: undefined,
    "serial-floor": undefined,
    serial: "unixtime",
    channel: "dns_zone_changed",
  });
  assertEquals(positionals, []);
});

Deno.test("flags: every form of a good value is read", async (t) => {
  const forms: [string[], keyof typeof TABLE, unknown][] = [
    [["--verbose"], "verbose", true],
    [["--poll-interval", "100ms"], "poll-interval", 100],
    [["--poll-interval=1h30m"], "poll-interval", 5_400_000],
    [["--size", "10MiB"], "size", 10_485_760],
    [["--listen", "[::1]:5300", "--listen=127.0.0.1:1"], "listen", [
      { ip: "::1", port: 5300 },
      { ip: "127.0.0.1", port: 1 },
    ]],
    [["--ttl", "1h30m"], "ttl", 5400],
    [["--ttl", "0"], "ttl", 0],
    [["--serial-floor", "4294967295"], "serial-floor", 4294967295],
    [["--serial", "date"], "serial", "date"],
    [["--channel", "007"], "channel", "007"],
    [["--channel=--odd"], "channel", "--odd"],
    [["--channel=a=b"], "channel", "a=b"],
  ];
  for (const [args, name, value] of forms) {
    await t.step(args.join(" "), () => assertEquals(read(args).flags[name], value));
  }
});

Deno.test("flags: the environment's twin is read, the command line wins", () => {
  const env = {
    ZONECAST_POLL_INTERVAL: "5s",
    ZONECAST_LISTEN: " 127.0.0.1:1  [::1]:2 ",
    ZONECAST_VERBOSE: "yes",
    ZONECAST_CHANNEL: "",
    ZONECAST_TTL: "9",
  };
  const { flags } = read([], env);
  assertEquals(flags["poll-interval"], 5000);
  assertEquals(flags.listen.map(({ port }) => port), [1, 2]);
  assertEquals(flags.verbose, true);
  assertEquals(flags.channel, "dns_zone_changed");
  assertEquals(flags.ttl, undefined, "a flag without a twin");
  assertEquals(read(["--poll-interval", "1s"], env).flags["poll-interval"], 1000);
  assertEquals(read([], { ZONECAST_VERBOSE: "0" }).flags.verbose, false);
});

Deno.test("flags: positional arguments stay text, and -- ends the flags", () => {
  assertEquals(read(["a", "1", "--verbose", "-", "007"]).positionals, ["a", "1", "-", "007"]);
  assertEquals(read(["a", "--", "--verbose", "-1"]).positionals, ["a", "--verbose", "-1"]);
});

/** Every way a flag can be wrong, with the one line said about it. */
const WRONG: [args: string[], env: Record<string, string>, line: string][] = [
  [
    ["--pol-interval", "2s"],
    {},
    `serve: unknown flag "--pol-interval"; did you mean --poll-interval?`,
  ],
  [["--interval=2s"], {}, `serve: unknown flag "--interval"; did you mean --poll-interval?`],
  [["--xyzzy"], {}, 'serve: unknown flag "--xyzzy"; `zonecast serve --help` lists the flags'],
  [["--__proto__=1"], {}, 'serve: unknown flag "--__proto__"; `zonecast serve --help` lists'],
  [["--constructor"], {}, 'serve: unknown flag "--constructor"; `zonecast serve --help` lists'],
  [["--no-verbose"], {}, `serve: unknown flag "--no-verbose"; did you mean --verbose?`],
  [["--listen.x=1"], {}, `serve: unknown flag "--listen.x"; did you mean --listen?`],
  [["-v"], {}, `serve: "-v" is no flag; a value that begins with "-" stands after "--"`],
  [["-1"], {}, `serve: "-1" is no flag; a value that begins with "-" stands after "--"`],
  [["--verbose=yes"], {}, `--verbose takes no value, but was given "yes"`],
  [[], { ZONECAST_VERBOSE: "maybe" }, `ZONECAST_VERBOSE "maybe": it is neither yes nor no`],
  [["--wait"], {}, "--wait has no value; it takes a duration with its unit"],
  [["--wait="], {}, "--wait has no value; it takes a duration with its unit"],
  [["--wait", "--verbose"], {}, "--wait has no value; it takes a duration with its unit"],
  [["--wait", "-1s"], {}, "--wait has no value; it takes a duration with its unit"],
  [["--wait=-1s"], {}, `--wait "-1s": it is no duration; it takes a duration with its unit`],
  [["--wait", "1s", "--wait", "2s"], {}, "--wait is given 2 times; it may be given once"],
  [["--wait", "100"], {}, `--wait "100": it has no unit; it takes a duration with its unit, such`],
  [[], { ZONECAST_WAIT: "soon" }, `ZONECAST_WAIT "soon": it is no duration; it takes a duration`],
  [["--poll-interval", "1ms"], {}, `--poll-interval "1ms": it is too short; it takes a duration`],
  // A timer of 2^31 ms fires at once, and again, without a pause.
  [["--poll-interval", "25d"], {}, `--poll-interval "25d": it is too long; it takes a duration`],
  [["--size", "10 MB"], {}, `--size "10 MB": it is no size; it takes a size such as 10MiB`],
  [["--size", "1Mb/s"], {}, `--size "1Mb/s": it is no size; it takes a size such as 10MiB`],
  [["--listen", "53"], {}, `--listen "53": "53" is no IP address; it takes an IP address with a`],
  [
    ["--listen", "localhost:53"],
    {},
    `--listen "localhost:53": "localhost" is a name, not an IP address; it takes an IP address`,
  ],
  [["--listen", "127.0.0.1"], {}, `--listen "127.0.0.1": "127.0.0.1" has no port; it takes an`],
  [["--allow-query", "10.0.0.1/8"], {}, `the prefix is 10.0.0.0/8; it takes an IP address or`],
  [["--ttl", "-5"], {}, "--ttl has no value; it takes seconds or units"],
  [["--ttl", "2147483648"], {}, `--ttl "2147483648": Cannot read TTL "2147483648": it is over`],
  [["--ttl", "1.5"], {}, `--ttl "1.5": it is no number of seconds; it takes seconds or units`],
  [["--serial-floor", "4294967296"], {}, `--serial-floor "4294967296": it is too large for a`],
  [["--serial-floor", "0x1"], {}, `--serial-floor "0x1": it is no whole number; it takes a whole`],
  [
    ["--serial", "Date"],
    {},
    `--serial "Date": it is none of these; it takes unixtime, increment or date`,
  ],
  [["--channel", "x".repeat(64)], {}, "it is too long; it takes the name of a Postgres channel"],
];

Deno.test("flags: whatever is wrong is said in one line that names the flag", async (t) => {
  for (const [args, env, line] of WRONG) {
    await t.step(args.join(" ") || JSON.stringify(env), () => {
      const error = assertThrows(() => read(args, env), UsageError);
      const said = `${error.message}${error.hint ? `; ${error.hint}` : ""}`;
      assertStringIncludes(said, line);
      assertEquals(said.includes("\n"), false);
    });
  }
});

Deno.test("environment: a variable that begins as ours do and is none is found, with the one meant", () => {
  const names = [
    "PATH",
    "ZONECAST_SOURCE",
    "ZONECAST_DATABASE",
    "ZONECAST_SECONDARYS",
    "ZONECAST_X",
  ];
  assertEquals(strayVariables(names, SERVE_FLAGS), [
    { name: "ZONECAST_SECONDARYS", meant: "ZONECAST_SECONDARY" },
    { name: "ZONECAST_X", meant: undefined },
  ]);
});

Deno.test("environment: what any command reads of it, serve knows", () => {
  for (const { name, flags } of COMMANDS) {
    for (const [flag, { env }] of Object.entries(flags)) {
      if (env) assert(Object.hasOwn(SERVE_FLAGS, flag), `--${flag} of ${name}`);
    }
  }
});
