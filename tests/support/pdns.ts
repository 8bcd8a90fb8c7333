/** PowerDNS as a secondary, with its SQLite backend. */
import { DatabaseSync } from "node:sqlite";
import { type DnsServer, launch, type SecondaryOptions } from "./dns_server.ts";

/** Where Debian puts the schema of a backend's own version. */
function schemaPaths(backend: string): string[] {
  const [directory, file] = [`pdns-backend-${backend}`, `schema.${backend}.sql`];
  return [`/usr/share/${directory}/schema/${file}`, `/usr/share/doc/${directory}/${file}`];
}

/** The schema that the Debian package of a PowerDNS backend brings. */
export async function readPdnsSchema(backend: "sqlite3" | "pgsql"): Promise<string> {
  for (const path of schemaPaths(backend)) {
    try {
      return await Deno.readTextFile(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(
    `No PowerDNS schema in ${schemaPaths(backend).join(", ")} (Debian: pdns-backend-${backend})`,
  );
}

async function createDatabase(path: string, options: SecondaryOptions): Promise<void> {
  const { addr, port } = options.primary;
  const database = new DatabaseSync(path);
  try {
    database.exec(await readPdnsSchema("sqlite3"));
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
retrieval-threads=1
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
