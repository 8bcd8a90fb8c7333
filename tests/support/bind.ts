/** BIND as a secondary. */
import { type DnsServer, launch, type SecondaryOptions } from "./dns_server.ts";

function configuration(dir: string, addr: string, port: number, options: SecondaryOptions): string {
  const { primary, transferFrom = "127.0.0.1", tls } = options;
  const zones = options.zones.map((zone) => `
zone "${zone}" {
  type secondary;
  file "${zone}zone";
  primaries { ${primary.addr} port ${primary.port}${
    tls ? ` key "${tls.tsig.name}" tls xot` : ""
  }; };
};
`);
  // BIND's defaults pace transfers, checks and NOTIFY for the Internet; a test wants them now.
  return `
options {
  directory "${dir}";
  pid-file none;
  session-keyfile "${dir}/session.key";
  listen-on port ${port} { ${addr}; };
  ${tls ? `listen-on port ${tls.listen.port} tls own { ${addr}; };` : ""}
  listen-on-v6 { none; };
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  check-names secondary ignore;
  masterfile-format text;
  allow-notify { 127.0.0.0/8; };
  allow-transfer { 127.0.0.0/8; };
  transfer-source ${transferFrom};
  use-alt-transfer-source no;
  notify no;
  notify-delay 0;
  notify-rate 1000;
  startup-notify-rate 1000;
  serial-query-rate 1000;
  transfers-in 100;
  transfers-out 100;
  transfers-per-ns 100;
  tcp-clients 1000;
  min-refresh-time 1;
  min-retry-time 1;
};
controls { };
${
    tls
      ? `key "${tls.tsig.name}" { algorithm hmac-sha256; secret "${tls.tsig.secret}"; };
tls xot { remote-hostname "${tls.hostname}"; ca-file "${tls.ca}"; };
tls own { cert-file "${tls.listen.cert}"; key-file "${tls.listen.key}"; };`
      : ""
  }
${zones.join("")}`;
}

export function startBind(options: SecondaryOptions): Promise<DnsServer> {
  return launch({
    name: "bind",
    program: "named",
    addr: options.addr,
    port: options.port,
    async configure({ dir, addr, port }) {
      await Deno.writeTextFile(`${dir}/named.conf`, configuration(dir, addr, port, options));
      return ["-g", "-n", "1", "-c", `${dir}/named.conf`];
    },
  });
}
