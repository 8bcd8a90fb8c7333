/** `zonecast systemd-unit`: prints a unit for the server, as locked in as V8 allows. */
import { formatDuration } from "../ops/mod.ts";
import { defineCommand } from "./command.ts";
import { EXIT, UsageError } from "./errors.ts";
import { optional, readArguments, withDefault } from "./flags.ts";
import { FILE } from "./forms.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";

/** What stopping takes beyond the drain, ms: writing back, closing the state file. */
const STOP_MS = 20_000;

/** Flags of this command alone; all others are those of the server. */
const OWN_FLAGS = {
  executable: withDefault(FILE, "/usr/local/bin/zonecast", {
    help: "where zonecast is installed",
    env: false,
  }),
  "password-file": optional(FILE, {
    help: "holds Postgres' password, alone; the unit has it as a credential",
    env: false,
  }),
};

/**
 * The calls that the server makes and those of their kind. V8 takes keys of memory (@pkey). `fchown` and its like are for
 * the control socket's group and for SQLite; they give nothing without CAP_CHOWN.
 */
const SYSTEM_CALLS = [
  "SystemCallArchitectures=native",
  "SystemCallErrorNumber=EPERM",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@privileged @resources",
  "SystemCallFilter=@pkey chown fchown fchownat",
];

/** MemoryDenyWriteExecute is missing: V8 compiles. PrivateUsers: port 53 could not be had. */
const SANDBOX = [
  "AmbientCapabilities=CAP_NET_BIND_SERVICE",
  "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
  "LockPersonality=yes",
  "NoNewPrivileges=yes",
  "PrivateDevices=yes",
  "PrivateTmp=yes",
  "ProcSubset=pid",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHome=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "ProtectSystem=strict",
  "RemoveIPC=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "UMask=0077",
  ...SYSTEM_CALLS,
];

export const systemdUnit = defineCommand({
  name: "systemd-unit",
  summary: "print a systemd unit that runs the server with these flags",
  details: [
    "Takes the flags of `zonecast serve`. Key files and certificates become credentials, which systemd reads as " +
    "root when it starts the service; the server itself never is root.",
  ],
  positionals: [],
  flags: { ...SERVE_FLAGS, ...OWN_FLAGS },
  readsFlagsFile: true, // where the unit goes to, not here
  examples: [
    "systemd-unit --listen 198.51.100.1:53 --secondary ns1=192.0.2.53 " +
    "--source postgres://zonecast@db.internal/app --password-file /etc/zonecast/password",
  ],
  async run({ flags, given }, context) {
    if (/^[^/]*\/\/[^@/]*:[^@]*@|[?&]password=/.test(flags.source ?? "")) {
      throw new UsageError(
        "systemd-unit: the source's URL holds a password, and everybody may read a unit",
        "leave it out of the URL, and name a file with --password-file",
      );
    }
    // Flags of the environment are this shell's, not the service's.
    const read = readArguments("systemd-unit", { ...SERVE_FLAGS, ...OWN_FLAGS }, given, () => "");
    const keys = read.flags["tsig-key-file"];
    const { executable, "control-group": group } = read.flags;
    const drainMs = read.flags["drain-timeout"];
    const { "tls-cert": cert, "tls-key": key, "password-file": password } = read.flags;
    const credentials = [
      ...keys.map((file, index) => credential(`tsig-${index + 1}`, file)),
      ...(cert ? [credential("tls-cert", cert)] : []),
      ...(key ? [credential("tls-key", key)] : []),
      ...(password ? [credential("postgres-password", password)] : []),
    ];
    const words = [executable, "serve", ...serverFlags(given)].map(quoted).join(" ");
    await context.print([
      "# Printed by `zonecast systemd-unit`, for /etc/systemd/system/zonecast.service",
      "[Unit]",
      "Description=zonecast, a hidden primary for DNS",
      "After=network-online.target",
      "Wants=network-online.target",
      "",
      "[Service]",
      "Type=notify",
      "NotifyAccess=main",
      `ExecStart=${words}`,
      "ExecReload=/bin/kill -HUP $MAINPID",
      "WatchdogSec=30s",
      "Restart=on-failure",
      "RestartSec=1s",
      "# What the configuration forbids, starting again does not mend.",
      `RestartPreventExitStatus=${EXIT.USAGE}`,
      `TimeoutStopSec=${formatDuration(drainMs + STOP_MS)}`,
      "LimitNOFILE=65536",
      "DynamicUser=yes",
      "StateDirectory=zonecast",
      "StateDirectoryMode=0700",
      "RuntimeDirectory=zonecast",
      ...(group === undefined ? [] : [`SupplementaryGroups=${group}`]),
      ...credentials,
      ...SANDBOX,
      "",
      "[Install]",
      "WantedBy=multi-user.target",
      "",
    ].join("\n"));
    return EXIT.GOOD;
  },
});

/** Those the server is to be given: not this command's own, nor what became credentials. */
function serverFlags(given: readonly string[]): string[] {
  const left: string[] = [];
  const gone = [...Object.keys(OWN_FLAGS), "tsig-key-file", "tls-cert", "tls-key"];
  for (let at = 0; at < given.length; at++) {
    const name = /^--([^=]+)/.exec(given[at])?.[1] ?? "";
    if (!gone.includes(name)) left.push(given[at]);
    else if (!given[at].includes("=")) at++; // its value
  }
  return left;
}

/** @throws {UsageError} systemd looks for relative paths elsewhere */
function credential(name: string, file: string): string {
  if (file.startsWith("/")) return `LoadCredential=${name}:${file.replaceAll("%", "%%")}`;
  throw new UsageError(
    `systemd-unit: ${file} is no absolute path`,
    "systemd would look for it among its own credentials",
  );
}

/** A word as systemd's command lines have it. */
function quoted(word: string): string {
  const escaped = word.replaceAll("\\", "\\\\").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /[\s"';]/.test(word) ? `"${escaped.replaceAll('"', '\\"')}"` : escaped;
}
