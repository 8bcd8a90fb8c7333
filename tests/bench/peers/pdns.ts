/** PowerDNS as a primary, with its SQLite backend. */
import { DatabaseSync } from "node:sqlite";
import { readPdnsSchema } from "../../support/pdns.ts";
import { type BenchZone, ipv4, ipv6, label, NS, TTL, ZONE_NAME } from "../zones.ts";
import type { Peer } from "./peer.ts";

/** Writes the zone's rows as `pdnsutil load-zone` would, only faster. */
function fill(database: DatabaseSync, { size, serial }: BenchZone, type: string): void {
  database.prepare("insert into domains (id, name, type) values (1, ?, ?)").run(ZONE_NAME, type);
  const insert = database.prepare(
    "insert into records (domain_id, name, type, content, ttl, prio, disabled, auth) values (1, ?, ?, ?, ?, 0, 0, 1)",
  );
  const soa = `${NS[0].slice(0, -1)} hostmaster.servers.example ${serial} 3600 600 1209600 300`;
  insert.run(ZONE_NAME, "SOA", soa, TTL);
  for (const ns of NS) insert.run(ZONE_NAME, "NS", ns.slice(0, -1), TTL);
  for (let index = 0; index < size / 2; index++) {
    const owner = `${label(index)}.${ZONE_NAME}`;
    insert.run(owner, "A", ipv4(index), TTL);
    insert.run(owner, "AAAA", ipv6(index), TTL);
  }
}

/** The database of a zone, made once and kept beside its master file. */
async function databaseOf(zone: BenchZone): Promise<string> {
  const path = `${zone.file}.sqlite3`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma synchronous = off; pragma journal_mode = off");
    database.exec(await readPdnsSchema("sqlite3"));
    database.exec("begin");
    fill(database, zone, "MASTER");
    database.exec("commit; analyze");
  } finally {
    database.close();
  }
  return path;
}

export const PDNS: Peer = {
  name: "PowerDNS",
  program: "pdns_server",
  package: "pdns-server, pdns-backend-sqlite3",
  setup:
    "SQLite backend on a copy of the filled database, a receiver thread per core (its default is one), its caches as they are by default",
  versionArgs: ["--version"],
  loadMs: 120_000,
  async configure({ dir, addr, port }, { zone, secondaries = [] }) {
    await Deno.copyFile(await databaseOf(zone), `${dir}/pdns.sqlite3`);
    const notified = secondaries.map(({ addr, port }) => `${addr}:${port}`).join(",");
    await Deno.writeTextFile(
      `${dir}/pdns.conf`,
      `
launch=gsqlite3
gsqlite3-database=${dir}/pdns.sqlite3
local-address=${addr}
local-port=${port}
socket-dir=${dir}
daemon=no
guardian=no
primary=yes
allow-axfr-ips=127.0.0.0/8
also-notify=${notified}
only-notify=
security-poll-suffix=
receiver-threads=${navigator.hardwareConcurrency}
max-tcp-connections=1000
xfr-cycle-interval=1
loglevel=3
`,
    );
    return [`--config-dir=${dir}`];
  },
};
