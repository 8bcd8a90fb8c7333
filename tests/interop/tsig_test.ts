/**
 * TSIG with real servers and clients: every algorithm, in both directions.
 *
 * For each algorithm there is a zone, a primary of ours that has that key alone, and in
 * each of the four secondaries the lines that `zonecast keygen` printed.
 */
import { assert, assertEquals } from "@std/assert";
import { createLogger } from "../../lib/ops/mod.ts";
import { DnsServer, KeyRing, parseSecondary } from "../../lib/server/mod.ts";
import { TSIG_ALGORITHMS } from "../../lib/wire/mod.ts";
import { diffVersions, ZoneTable, type ZoneVersion } from "../../lib/zone/mod.ts";
import { loadKeys } from "../../lib/cli/tsig_keys.ts";
import { query, type Server } from "../support/dns_client.ts";
import type { DnsServer as Peer } from "../support/dns_server.ts";
import { interopTest, type Need } from "../support/interop.ts";
import { freePort } from "../support/ports.ts";
import { mustRun, run, which } from "../support/processes.ts";
import { noteSecret } from "../support/secrets.ts";
import { SECONDARY_KINDS } from "../support/secondaries.ts";
import {
  type KeyLines,
  readKeyLines,
  startSignedSecondary,
} from "../support/signed_secondaries.ts";
import { tempDir } from "../support/tempdir.ts";
import { until } from "../support/wait.ts";
import { zoneVersion } from "../support/zone_version.ts";
import { zonecast } from "../unit/cli/context.ts";

/** Records of a zone: its AXFR takes several messages. */
const RECORDS = 3_000;
const FIRST = 1_000;
const SECOND = 1_001;

function versionOf(zone: string, serial: number): ZoneVersion {
  const lines = ["@ 300 NS ns1", "ns1 300 A 127.0.0.1", `changed 300 A 192.0.2.${serial % 256}`];
  for (let i = 3; i < RECORDS; i++) lines.push(`h${i} 300 A 192.0.2.${i % 256}`);
  return zoneVersion(zone, serial, lines.join("\n"));
}

interface Primary extends Server {
  readonly algorithm: string;
  readonly zone: string;
  readonly keyName: string;
  readonly keyFile: string;
  readonly secret: string;
  readonly lines: KeyLines;
  readonly server: DnsServer;
  publish(version: ZoneVersion): void;
}

/** A key by `zonecast keygen`, and a primary that transfers with it alone. */
async function startPrimary(
  algorithm: string,
  dir: string,
  secondaries: readonly string[],
  log: string[],
): Promise<Primary> {
  const keyName = `${algorithm}.key.test`;
  const zone = `${algorithm}.tsig.test.`;
  const keyFile = `${dir}/${algorithm}.key`;
  const made = await zonecast(["keygen", keyName, "--algorithm", algorithm, "--out", keyFile]);
  assertEquals([made.code, made.err], [0, ""]);
  const first = versionOf(zone, FIRST);
  const zones = new ZoneTable();
  zones.set(first);
  const keys = new KeyRing(await loadKeys([keyFile], undefined));
  const server = new DnsServer({
    zones,
    listen: [{ ip: "127.0.0.1", port: 0 }],
    secondaries: secondaries.map((text) => parseSecondary(`${text},key=${keyName}`)),
    allowTransfer: [],
    keys,
    differences: {
      differences: (version, from) =>
        Promise.resolve(
          version.serial === SECOND && from === FIRST
            ? { kind: "kept", sequences: [diffVersions(first, version)] }
            : { kind: "none", reason: "no difference kept" },
        ),
    },
    log: createLogger({
      format: "logfmt",
      level: "debug",
      journal: false,
      write: (line) => log.push(line),
    }),
  });
  await server.start();
  const [{ ip: addr, port }] = server.addresses;
  return {
    addr,
    port,
    algorithm,
    zone,
    keyName,
    keyFile,
    secret: noteSecret(/secret "(.*)"/.exec(await Deno.readTextFile(keyFile))![1]),
    lines: readKeyLines(made.out),
    server,
    publish(version) {
      zones.set(version);
      server.announce(version);
    },
  };
}

/** What a primary knows of one of its secondaries. */
function stateOf({ server, zone }: Primary, name: string) {
  const secondary = server.status().secondaries.find((each) => each.name === name);
  return secondary?.zones.find((each) => each.zone === zone);
}

async function hasServed(peer: Peer, { zone }: Primary, serial: number): Promise<boolean> {
  const { answers } = await query(peer, `changed.${zone}`, "A", { timeoutMs: 2_000 });
  const [changed] = answers ?? [];
  return changed?.type === "A" && changed.data === `192.0.2.${serial % 256}`;
}

const CLIENTS: Record<string, { need: Need; fetch(primary: Primary): Promise<number> }> = {
  "dig -y": {
    need: "dig",
    fetch: (p) => dug("dig", p, ["-y", `${p.algorithm}:${p.keyName}:${p.secret}`]),
  },
  "dig -k": { need: "dig", fetch: (p) => dug("dig", p, ["-k", p.keyFile]) },
  "kdig -y": {
    need: "kdig",
    fetch: (p) => dug("kdig", p, ["-y", `${p.algorithm}:${p.keyName}:${p.secret}`]),
  },
  "dnspython": {
    need: "dnspython",
    async fetch({ addr, port, zone, keyName, algorithm, secret }) {
      const script = new URL("../support/dnspython_signed.py", import.meta.url).pathname;
      const args = [script, addr, String(port), zone, keyName, algorithm, secret];
      const out = await mustRun("/usr/bin/python3", args);
      const [messages, signed, records] = out.trim().split(" ").map(Number);
      assert(messages > 2, `${messages} messages`);
      assertEquals(signed, messages, "every message is signed");
      return records;
    },
  },
};

/** The records that dig or kdig fetches; both complain of what does not verify. */
async function dug(tool: string, { addr, port, zone }: Server & { zone: string }, key: string[]) {
  const args = [`@${addr}`, "-p", String(port), ...key, zone, "AXFR", "+noall", "+answer"];
  const { stdout, stderr } = await run(which(tool)!, args);
  const complaint = /.*(?:couldn't verify|expected a TSIG|BADSIG|BADKEY|WARNING|failed).*/i
    .exec(stdout + stderr);
  assertEquals(complaint?.[0], undefined);
  return stdout.split("\n").filter((line) => /^[^;\s]/.test(line)).length;
}

interopTest("TSIG: every algorithm with NSD, Knot, BIND, PowerDNS, dig, kdig and dnspython", {
  needs: [...SECONDARY_KINDS, "dig", "kdig", "dnspython"],
}, async (t) => {
  await using dir = await tempDir();
  await using stack = new AsyncDisposableStack();
  const log: string[] = [];
  const ports = SECONDARY_KINDS.map(() => freePort());
  const secondaries = SECONDARY_KINDS.map((kind, i) => `${kind}=127.0.0.1:${ports[i]}`);
  const primaries: Primary[] = [];
  for (const { name } of TSIG_ALGORITHMS) {
    const primary = await startPrimary(name, dir.path, secondaries, log);
    stack.defer(() => primary.server.close({ drainMs: 0 }));
    primaries.push(primary);
  }

  await t.step("clients fetch a zone of several messages with each algorithm", async () => {
    await Promise.all(primaries.map(async (primary) => {
      for (const [client, { fetch }] of Object.entries(CLIENTS)) {
        // The SOA comes twice, and is one of no record counted above.
        assertEquals(await fetch(primary), RECORDS + 2, `${client}, ${primary.algorithm}`);
      }
    }));
  });

  await t.step("clients with another key, or none, get nothing", async () => {
    const [primary, other] = primaries;
    const wrong = { ...primary, secret: other.secret };
    const keys = [
      ["-y", `${primary.algorithm}:${primary.keyName}:${wrong.secret}`],
      ["-y", `${other.algorithm}:${other.keyName}:${other.secret}`],
      [],
    ];
    for (const key of keys) {
      const args = [`@${primary.addr}`, "-p", String(primary.port), ...key, primary.zone, "AXFR"];
      const { stdout } = await run(which("dig")!, args);
      assert(!stdout.includes("192.0.2."), stdout.slice(0, 500));
    }
  });

  const peers = await Promise.all(SECONDARY_KINDS.map(async (kind, i) => {
    const peer = await startSignedSecondary(kind, ports[i], primaries);
    stack.use(peer);
    return peer;
  }));
  for (const primary of primaries) {
    primary.publish(versionOf(primary.zone, FIRST));
  }
  for (const [i, kind] of SECONDARY_KINDS.entries()) {
    await t.step(`${kind} fetches every zone, as keygen's lines say`, async () => {
      for (const primary of primaries) {
        await until(() => hasServed(peers[i], primary, FIRST), {
          what: `${kind} has ${primary.zone}`,
          seen: () => log.filter((line) => line.includes(primary.zone)).slice(-10),
        });
      }
    });
  }
  for (const primary of primaries) primary.publish(versionOf(primary.zone, SECOND));
  for (const [i, kind] of SECONDARY_KINDS.entries()) {
    await t.step(`${kind} takes NOTIFY, IXFR and shows its SOA, all signed`, async () => {
      for (const primary of primaries) {
        await until(() => hasServed(peers[i], primary, SECOND), {
          what: `${kind} has the change in ${primary.zone}`,
          seen: () => log.filter((line) => line.includes(primary.zone)).slice(-10),
        });
        const state = await until(() => {
          const state = stateOf(primary, kind);
          return state?.watch?.serial === SECOND && state.notify?.acknowledgedAt !== undefined &&
            state;
        }, {
          what: `${kind} acknowledges and shows ${primary.zone}`,
          seen: () => [
            stateOf(primary, kind),
            ...log.filter((line) => line.includes(kind)).slice(-20),
          ],
        });
        assertEquals(state.transfer?.kind, "ixfr", `${kind}, ${primary.algorithm}`);
      }
    });
  }

  await t.step("nothing was disbelieved, and no secret is in the log", () => {
    const text = log.join("\n");
    assertEquals(text.match(/.*not believed.*/g)?.slice(0, 5), undefined);
    for (const { secret, server, keyName } of primaries) {
      assert(!text.includes(secret), keyName);
      assert(text.includes(`key=${keyName}.`), "the log names the key");
      assertEquals(server.status().counts.transfersBroken, 0);
    }
  });
});
