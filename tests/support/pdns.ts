/** PowerDNS as a secondary, with its SQLite backend. */
import { DatabaseSync } from "node:sqlite";
import { type DnsServer, launch, type SecondaryOptions } from "./dns_server.ts";

/** Where Debian puts the schema of the package's own version. */
const SCHEMAS = [
  "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql",
  "/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql",
];

async function readSchema(): Promise<string> {
  for (const path of SCHEMAS) {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`No PowerDNS schema in ${SCHEMAS.join(", ")} (Debian: pdns-backend-sqlite3)`);
}

async function createDatabase(path: string, options: SecondaryOptions): Promise<void> {
  const { addr, port } = options.primary;
  const database = new DatabaseSync(path);
  try {
    database.exec(await readSchema());
    const insert = database.prepare(
      "insert into domains (name, master, type) values (?, ?, 'SLAVE')",
    );
    const ask = database.prepare(
      "insert into domainmetadata (domain_id, kind, content) values (?, 'IXFR', '1')",
    );
    for (const zone of options.zones) {
      const { lastInsertRowid } = insert.run(zone.replace(/\.$/, ""), `${addr}:${port}`);
      if (options.ixfr) ask.run(lastInsertRowid);
    }
  } finally {
    database.close();
  }
}

function configuration(dir: string, addr: string, port: number, options: SecondaryOptions): string {
  const { transferFrom = "127.0.0.1" } = options;
  // No security poll: it would ask outside this machine. No caches: a test looks at once.
  return `
launch=gsqlite3
gsqlite3-database=${dir}/pdns.sqlite3
gsqlite3-pragma-synchronous=0
local-address=${addr}
local-port=${port}
query-local-address=${transferFrom}
socket-dir=${dir}
daemon=no
guardian=no
secondary=yes
xfr-cycle-interval=1
allow-notify-from=127.0.0.0/8
allow-axfr-ips=127.0.0.0/8
security-poll-suffix=
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
receiver-threads=1
loglevel=6
`;
}

export function startPdns(options: SecondaryOptions): Promise<DnsServer> {
  return launch({
    name: "pdns",
    program: "pdns_server",
    addr: options.addr,
    port: options.port,
    async configure({ dir, addr, port }) {
      await createDatabase(`${dir}/pdns.sqlite3`, options);
      await Deno.writeTextFile(`${dir}/pdns.conf`, configuration(dir, addr, port, options));
      return [`--config-dir=${dir}`];
    },
  });
}
