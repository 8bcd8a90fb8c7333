/**
 * Tests that start real processes: on failure their logs are shown; a program
 * that is missing skips the test by name, or fails it when
 * ZONECAST_REQUIRE_INTEROP is set.
 */
import { assertNoSecretSeen } from "./secrets.ts";
import { forgetProcesses, startedProcesses, which } from "./processes.ts";
import { within } from "./wait.ts";

/** As much of each log as a failure shows, in characters. */
const SHOWN = 6_000;
/** A test that hangs fails after this, in ms, and shows its logs, before its file is ended. */
const TEST_LIMIT_MS = 240_000;

/** Loaded into a program it gives it another clock; of Debian's libfaketime. */
export const FAKETIME = `/usr/lib/${Deno.build.arch}-linux-gnu/faketime/libfaketime.so.1`;

/** What a test may need, the programs or files that make it up, and the Debian package that brings it. */
const NEEDS = {
  nsd: { programs: ["nsd"], package: "nsd" },
  knot: { programs: ["knotd"], package: "knot" },
  bind: { programs: ["named"], package: "bind9" },
  pdns: { programs: ["pdns_server"], package: "pdns-server, pdns-backend-sqlite3" },
  "pdns-pgsql": { programs: ["/usr/share/doc/pdns-backend-pgsql"], package: "pdns-backend-pgsql" },
  dig: { programs: ["dig"], package: "bind9-dnsutils" },
  kdig: { programs: ["kdig"], package: "knot-dnsutils" },
  drill: { programs: ["drill"], package: "ldnsutils" },
  // A Debian package of the system's own Python, whatever else is on PATH.
  dnspython: {
    programs: ["/usr/bin/python3", "/usr/lib/python3/dist-packages/dns/xfr.py"],
    package: "python3-dnspython",
  },
  openssl: { programs: ["openssl"], package: "openssl" },
  prlimit: { programs: ["prlimit"], package: "util-linux" },
  psql: { programs: ["psql"], package: "postgresql-client" },
  pgbouncer: { programs: ["pgbouncer"], package: "pgbouncer" },
  systemd: { programs: ["systemd-analyze"], package: "systemd" },
  faketime: { programs: [FAKETIME], package: "libfaketime" },
  strace: { programs: ["strace"], package: "strace" },
  gcc: { programs: ["gcc"], package: "gcc, libc6-dev" },
  zsh: { programs: ["zsh"], package: "zsh" },
  fish: { programs: ["fish"], package: "fish" },
  script: { programs: ["script"], package: "bsdutils" },
  ip: { programs: ["ip"], package: "iproute2" },
  qemu: {
    programs: ["qemu-aarch64", "/usr/aarch64-linux-gnu/lib/libgcc_s.so.1"],
    package: "qemu-user, libc6-arm64-cross, libgcc-s1-arm64-cross",
  },
  mandoc: { programs: ["mandoc"], package: "mandoc" },
  groff: { programs: ["groff"], package: "groff-base" },
  chromium: { programs: ["/usr/bin/chromium"], package: "chromium" },
  promtool: { programs: ["promtool"], package: "prometheus" },
  compilezone: { programs: ["named-compilezone"], package: "bind9-utils" },
} as const;

export type Need = keyof typeof NEEDS;

/** Why `need` cannot be used here, or undefined. */
export function missing(need: Need): string | undefined {
  const absent = NEEDS[need].programs.find((program) => !isHere(program));
  return absent && `${absent} is not installed (Debian: ${NEEDS[need].package})`;
}

/** A file by its path, a program by its name. */
function isHere(what: string): boolean {
  if (!what.startsWith("/")) return which(what) !== undefined;
  try {
    return Boolean(Deno.statSync(what));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export interface InteropTestOptions {
  readonly needs?: readonly Need[];
  /** A reason to skip that the needs do not cover, and is printed; undefined: none. */
  readonly ignore?: string;
  /** True where a dependency leaves a timer behind, which ends by itself. */
  readonly leavesTimers?: boolean;
  /** When it has hung, in ms; default {@link TEST_LIMIT_MS}. */
  readonly limitMs?: number;
}

async function showLogsOnFailure(fn: () => Promise<void>, limitMs: number): Promise<void> {
  forgetProcesses();
  // An error that nobody catches ends the whole file, with no test to fail.
  globalThis.addEventListener("unhandledrejection", showLogs);
  try {
    await within(fn(), limitMs, "the test's end");
    assertNoSecretSeen();
  } catch (error) {
    showLogs();
    throw error;
  } finally {
    globalThis.removeEventListener("unhandledrejection", showLogs);
  }
}

/** Prints what each process started since the last {@link forgetProcesses} has written. */
export function showLogs(): void {
  for (const process of startedProcesses()) {
    console.error(`--- log of ${process.name} (pid ${process.pid})`);
    console.error(process.log().slice(-SHOWN) || "(empty)");
  }
}

/** A test that starts real processes and needs the named programs. */
export function interopTest(
  name: string,
  options: InteropTestOptions,
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const reasons = (options.needs ?? []).map(missing).filter((reason) => reason !== undefined);
  const required = Deno.env.get("ZONECAST_REQUIRE_INTEROP");
  const skipped = reasons.length > 0 && !required;
  if (skipped) console.error(`skipped: ${name}: ${reasons.join(", ")}`);
  else if (options.ignore !== undefined) console.error(`skipped: ${name}: ${options.ignore}`);
  Deno.test({
    name,
    ignore: skipped || options.ignore !== undefined,
    sanitizeOps: !options.leavesTimers,
    sanitizeResources: !options.leavesTimers,
    fn: async (t) => {
      if (reasons.length > 0) throw new Error(reasons.join(", "));
      await showLogsOnFailure(() => fn(t), options.limitMs ?? TEST_LIMIT_MS);
    },
  });
}

/** A test that starts processes the project brings itself: zonecast, Postgres. */
export function systemTest(name: string, fn: (t: Deno.TestContext) => Promise<void>): void {
  interopTest(name, {}, fn);
}
