/**
 * One entry for each command: a command line that is good, and those that end otherwise.
 * commands_test.ts fails for a command that has none; add yours here.
 */
import type { Server } from "../support/dns_client.ts";
import type { Zonecast } from "../support/zonecast.ts";

/** Where the command lines run: a server, its source with zone example.org, a directory. */
export interface World {
  readonly server: Zonecast;
  /** A server of org, which names ns1.provider.example for example.org. */
  readonly parent: Server;
  /** Empty at first, and the commands' own. */
  readonly dir: string;
  /** Serials of example.org that were published, oldest first; at least two. */
  readonly serials: readonly number[];
  /** The serial of far.example. */
  readonly far: number;
  /** Two zones whose removal is held. */
  readonly holds: readonly { readonly zone: string; readonly id: string }[];
  /** A control socket and a state file that are not there. */
  readonly nowhere: readonly string[];
  /** A Postgres without anything in it. */
  readonly postgres: string;
}

/** Runs come twice: "text", then "json" with --json behind it where the command has that. */
type Run = "text" | "json";

export interface CommandCases {
  /** Ends with 0, in silence on standard error. */
  good(world: World, run: Run): readonly string[];
  readonly input?: string;
  /** Whether the good one may say something on standard error all the same. */
  readonly mayComplain?: boolean;
  /** By exit code: command lines that end so, and what they say. */
  readonly ends: readonly (readonly [code: 1 | 2 | 3, line: Line, says: RegExp])[];
}

type Line = (world: World) => readonly string[];

const ZONE = "example.org";
const ZONE_FILE = `$ORIGIN imported.example.
@ 300 IN SOA ns1 hostmaster 7 7200 900 604800 300
@ 300 IN NS ns1
ns1 300 IN A 192.0.2.53
`;
/** The serial farthest ahead of one, from which that is; the next is half of the circle away. */
const HALF = 2 ** 31 - 1;
const noServer = /No server is running at .*\n {2}hint: start a server/;

export const COMMAND_CASES: Readonly<Record<string, CommandCases>> = {
  serve: {
    // The world's server is the good one: it is started by flags, and must end with 0.
    good: () => ["serve", "--help"],
    ends: [
      [2, () => ["serve", "--source", "db"], /--source: it has no scheme/],
      [
        2,
        () => ["serve", "--preset", "hetzne"],
        /there is no preset "hetzne": did you mean hetzner\?/,
      ],
      [
        1,
        ({ server }) => ["serve", "--state", server.stateFile, "--listen", "127.0.0.1:0"],
        /state file .*another/i,
      ],
    ],
  },
  "check-flags": {
    good: () => ["check-flags", "--listen", "127.0.0.1:5300", "--secondary", "127.0.0.1"],
    mayComplain: true, // of variables that the tests have in their environment
    ends: [
      [2, ({ dir }) => ["check-flags", `${dir}/none`], /cannot read .*none/],
      [2, () => ["check-flags", "--tls-cert", "/none"], /--tls-cert and --tls-key are for/],
    ],
  },
  status: {
    good: () => ["status"],
    ends: [[1, ({ nowhere }) => ["status", ...nowhere], noServer]],
  },
  doctor: {
    // So few connections that the descriptors of any machine suffice.
    good: ({ server }) => [
      ...["doctor", "--listen", `${server.addr}:${server.port}`],
      ...["--allow-transfer", "127.0.0.1", "--max-connections", "100"],
    ],
    ends: [
      [3, () => ["doctor", "--secondary", "gone=127.0.0.1:1", "--timeout", "200ms"], /BAD/],
      [2, () => ["doctor", "--source", "db"], /--source: it has no scheme/],
    ],
  },
  problems: {
    good: () => ["problems", ZONE],
    ends: [
      [1, ({ nowhere }) => ["problems", ...nowhere], noServer],
      [2, () => ["problems", "a..b"], /ZONE/],
    ],
  },
  held: {
    good: ({ holds }) => ["held", holds[0].zone],
    ends: [
      [1, ({ nowhere }) => ["held", ...nowhere], noServer],
      [1, () => ["held", "none.example"], /The zone none\.example is not published/],
    ],
  },
  approve: {
    good: ({ holds }, run) => {
      const { zone, id } = holds[run === "text" ? 0 : 1];
      return ["approve", zone, id];
    },
    ends: [
      [1, ({ holds }) => ["approve", ZONE, holds[0].id], /hold|held/],
      [2, () => ["approve", ZONE], /ID is missing/],
    ],
  },
  check: {
    good: () => ["check", ZONE],
    ends: [
      [1, () => ["check", "none.example"], /none\.example/],
      [2, () => ["check", "--source", "db"], /--source: it has no scheme/],
      [3, () => ["check", ZONE, "--max-records", "1"], /fix: remove what is there/],
    ],
  },
  tail: {
    // The world changes the zone while it waits.
    good: () => ["tail", ZONE, "--count", "1"],
    ends: [
      [1, ({ nowhere }) => ["tail", ...nowhere], /No server is running at .*\n {2}hint: start one/],
      [1, () => ["tail", "none.example"], /The zone none\.example is not published/],
      [2, () => ["tail", "--count", "0"], /--count "0": it is too small/],
    ],
  },
  verify: {
    good: ({ server }) => ["verify", ZONE, "--against", `${server.addr}:${server.port}`],
    ends: [
      [
        1,
        () => ["verify", ZONE, "--against", "127.0.0.1:1", "--timeout", "200ms"],
        /127\.0\.0\.1:1/,
      ],
      [2, () => ["verify", ZONE], /--against is missing/],
    ],
  },
  cutover: {
    // A move that is over: the parent names whom the zone does.
    good: ({ server, parent, dir }) => {
      const [ours, theirs] = [server, parent].map(({ addr, port }) => `${addr}:${port}`);
      const places = ["--parent", theirs, "--at", `ns1.provider.example.=${ours}`];
      return ["cutover", ZONE, ...places, "--plan", `${dir}/plan`];
    },
    ends: [
      [
        1,
        ({ dir }) => [
          ...["cutover", ZONE, "--parent", "127.0.0.1:1", "--timeout", "200ms"],
          ...["--plan", `${dir}/other`],
        ],
        /No server of the parent zone could be asked/,
      ],
      [2, () => ["cutover", ZONE, "--ttl", "soon"], /--ttl "soon": it is no number of seconds/],
    ],
  },
  serial: {
    good: ({ serials }) => ["serial", ZONE, "--above", String(serials[1])],
    ends: [
      [1, () => ["serial", "none.example", "--above", "1"], /is not published/],
      [2, () => ["serial", ZONE], /--above is missing/],
      // Half of the circle ahead: two steps.
      [3, ({ far }) => ["serial", "far.example", "--above", String((far + HALF) >>> 0)], /\d/],
    ],
  },
  "zone add": {
    good: (_, run) => ["zone", "add", `${run}.example`, "--ns", "ns1.provider.example."],
    ends: [
      [1, () => ["zone", "add", ZONE, "--ns", "ns1"], /exists already\n {2}hint: /],
      [2, () => ["zone", "add", "x.example"], /--ns is missing/],
    ],
  },
  "zone set": {
    good: () => ["zone", "set", "text.example", "--ttl", "5m"],
    ends: [[1, () => ["zone", "set", "none.example", "--ttl", "5m"], /There is no zone/]],
  },
  "zone remove": {
    good: (_, run) => ["zone", "remove", `${run}.example`],
    mayComplain: true, // that a server holds it
    ends: [[1, () => ["zone", "remove", "none.example"], /There is no zone/]],
  },
  zones: {
    good: () => ["zones"],
    ends: [[1, ({ dir }) => ["zones", "--source", `sqlite:${dir}/none.db`], /There is no file/]],
  },
  set: {
    good: (_, run) => ["set", ZONE, run, "A", "192.0.2.7", "--ttl", "1m"],
    ends: [
      [1, () => ["set", ZONE, "x", "A", "192.0.2.300"], /192\.0\.2\.300/],
      [2, () => ["set", ZONE, "x", "AA", "192.0.2.1"], /it is no RR type known here/],
    ],
  },
  unset: {
    good: (_, run) => ["unset", ZONE, run, "A"],
    ends: [[1, () => ["unset", ZONE, "none"], /There is no record/]],
  },
  import: {
    good: () => ["import", "imported.example", "-"],
    input: ZONE_FILE,
    ends: [
      [1, ({ dir }) => ["import", ZONE, `${dir}/none`], /Cannot read .*none.*\n {2}hint: /],
      [1, () => ["import", ZONE, "--from", "127.0.0.1:1"], /127\.0\.0\.1:1/],
      [2, () => ["import", ZONE], /FILE is missing/],
    ],
  },
  export: {
    good: () => ["export", ZONE],
    ends: [
      [1, () => ["export", "none.example"], /is not published\n {2}hint: `zonecast status`/],
      [2, () => ["export", ZONE, "--serial", "1", "--from-source"], /exclude each other/],
    ],
  },
  log: {
    good: () => ["log", ZONE],
    ends: [[1, () => ["log", "none.example"], /is not published/]],
  },
  diff: {
    good: ({ serials }) => ["diff", ZONE, String(serials[0])],
    ends: [
      [1, () => ["diff", ZONE, "1"], /serial 1\b/],
      [2, () => ["diff", ZONE, "one"], /it is no whole number/],
    ],
  },
  rollback: {
    good: ({ serials }) => ["rollback", ZONE, String(serials[0]), "--dry-run"],
    ends: [
      [1, () => ["rollback", ZONE, "1", "--dry-run"], /serial 1\b/],
      [2, () => ["rollback", ZONE, "1"], /give --dry-run to see/],
    ],
  },
  schema: { good: () => ["schema"], ends: [[2, () => ["schema", "print"], /unexpected "print"/]] },
  "schema apply": {
    good: ({ postgres }) => ["schema", "apply", "--source", postgres, "--role", "serving"],
    mayComplain: true, // of what every role may do in a fresh database
    ends: [
      [1, () => ["schema", "apply", "--source", "postgres://x@127.0.0.1:1/x"], /127\.0\.0\.1:1/],
    ],
  },
  presets: {
    good: () => ["presets"],
    ends: [[2, () => ["presets", "he"], /unexpected "he"/]],
  },
  keygen: {
    good: ({ dir }, run) => ["keygen", `${run}.example`, "--out", `${dir}/${run}.key`],
    ends: [
      [1, ({ dir }) => ["keygen", "x", "--out", `${dir}/text.key`], /There is a file .* already/],
      [2, () => ["keygen", "a..b"], /"a\.\.b" is no name for a key/],
    ],
  },
  "systemd-unit": {
    good: () => ["systemd-unit", "--flags-file", "/etc/zonecast/flags"],
    ends: [[2, () => ["systemd-unit", "--tls-cert", "cert.pem"], /cert\.pem is no absolute path/]],
  },
  dashboards: {
    good: () => ["dashboards", "alerts"],
    ends: [
      [1, ({ dir }) => ["dashboards", "alerts", "--out", `${dir}/none`], /none/],
      [2, () => ["dashboards"], /which\?; say grafana or alerts/],
    ],
  },
  completions: {
    good: () => ["completions", "bash"],
    ends: [[2, () => ["completions", "tcsh"], /it takes bash, zsh or fish/]],
  },
  man: { good: () => ["man"], ends: [[2, () => ["man", "8"], /unexpected "8"/]] },
  version: { good: () => ["version"], ends: [[2, () => ["version", "1"], /unexpected "1"/]] },
};
