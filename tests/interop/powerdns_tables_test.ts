/** One set of PowerDNS' tables served by PowerDNS and by zonecast: the same zone, before and after changes. */
import { assertEquals } from "@std/assert";
import { axfr, type Server } from "../support/dns_client.ts";
import { type DnsServer, launch } from "../support/dns_server.ts";
import { interopTest } from "../support/interop.ts";
import { readPdnsSchema } from "../support/pdns.ts";
import { startPostgres } from "../support/postgres.ts";
import { mustZonecast, serveZones } from "../support/setup.ts";
import { until } from "../support/wait.ts";
import { canonicalLines, transferLines } from "../support/zone_text.ts";

const DOMAIN = `
  insert into domains (name, type) values ('example.com', 'NATIVE');
  insert into records (domain_id, name, type, content, ttl, prio) values
    (1, 'example.com', 'SOA', 'ns1.example.com hostmaster.example.com 2026010203 10800 3600 604800 300', 3600, 0),
    (1, 'example.com', 'NS', 'ns1.example.com', 3600, 0),
    (1, 'example.com', 'NS', 'ns.elsewhere.example', 3600, 0),
    (1, 'example.com', 'MX', 'mail.example.com', 300, 10),
    (1, 'example.com', 'TXT', '"v=spf1 -all"', 300, 0),
    (1, 'example.com', 'CAA', '0 issue "ca.example.net"', 300, 0),
    (1, 'ns1.example.com', 'A', '192.0.2.53', 3600, null),
    (1, 'mail.example.com', 'AAAA', '2001:db8::25', 3600, 0),
    (1, 'www.example.com', 'CNAME', 'web.hosting.example', 60, 0),
    (1, '*.wild.example.com', 'A', '192.0.2.80', 60, 0),
    (1, '_sip._udp.example.com', 'SRV', '5 5060 sip.example.com', 60, 10),
    (1, 'example.com', 'NAPTR', '100 10 "S" "SIP+D2U" "" _sip._udp.example.com', 60, 0),
    (1, 'svc.example.com', 'HTTPS', '1 . alpn=h2', 60, 0),
    (1, '1.2.example.com', 'PTR', 'www.example.com', 60, 0),
    (1, '_443._tcp.example.com', 'TLSA', '3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 60, 0),
    (1, 'sub.example.com', 'NS', 'ns.sub.example.com', 60, 0),
    (1, 'ns.sub.example.com', 'A', '192.0.2.54', 60, 0),
    (1, '_udp.example.com', null, null, null, null),
    (1, 'off.example.com', 'A', '192.0.2.9', 60, 0);
  update records set disabled = true where name = 'off.example.com'`;

/** A PowerDNS on the tables of a database. */
function startGpgsql(port: number): Promise<DnsServer> {
  return launch({
    name: "pdns",
    program: "pdns_server",
    async configure({ dir, addr, port: listen }) {
      await Deno.writeTextFile(
        `${dir}/pdns.conf`,
        `
launch=gpgsql
gpgsql-host=127.0.0.1
gpgsql-port=${port}
gpgsql-dbname=tables
gpgsql-user=postgres
local-address=${addr}
local-port=${listen}
socket-dir=${dir}
daemon=no
guardian=no
allow-axfr-ips=127.0.0.0/8
security-poll-suffix=
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
loglevel=6
`,
      );
      return [`--config-dir=${dir}`];
    },
  });
}

/** The zone without its SOA, whose serial is each server's own. */
async function zoneLines(server: Server): Promise<string[]> {
  const lines = await canonicalLines(
    "example.com.",
    (await transferLines("dig", server, "example.com.")).join("\n"),
  );
  return [...new Set(lines.filter((line) => !/^\S+ \d+ (IN )?SOA /.test(line)))].sort();
}

interopTest(
  "PowerDNS and zonecast serve the same zone from the same tables",
  { needs: ["pdns", "pdns-pgsql", "dig", "compilezone"] },
  async () => {
    await using postgres = await startPostgres();
    const url = await postgres.createDatabase("tables");
    const sql = postgres.connect(url);
    await sql.unsafe(await readPdnsSchema("pgsql")).simple();
    await sql.unsafe(DOMAIN).simple();
    await mustZonecast(url, ["schema", "apply"]);
    await sql`select zonecast.serve_powerdns()`;
    await using pdns = await startGpgsql(postgres.port);
    await using zonecast = await serveZones({ source: url, zones: ["example.com."] });
    const first = await zoneLines(pdns);
    assertEquals(await zoneLines(zonecast), first);
    assertEquals(first.length, 16);
    const [soa] = (await axfr(zonecast, "example.com.")).records;
    assertEquals(soa.type === "SOA" && [soa.data.mname, soa.data.refresh], [
      "ns1.example.com",
      10800,
    ]);
    assertEquals(soa.type === "SOA" && soa.data.serial! > 2026010203, true);

    await sql`insert into records (domain_id, name, type, content, ttl, prio)
      values (1, 'new.example.com', 'MX', 'mail.example.com', 60, 5)`;
    await sql`delete from records where name = 'www.example.com'`;
    await sql`update records set name = 'moved.example.com' where name = 'svc.example.com'`;
    const changed = await zoneLines(pdns);
    await until(async () => {
      const lines = await zoneLines(zonecast);
      return lines.join("\n") === changed.join("\n");
    }, { what: "zonecast serves the changes" });
  },
);
