/**
 * What is known of providers of secondary DNS: who pulls, whom NOTIFY goes to, whose
 * SOA shows that a version is live.
 *
 * One table, to be corrected by hand: change the row, and its date. Pure.
 */

/** One server of a provider. */
export interface PresetServer {
  /** Its public name, where it is known. */
  readonly name?: string;
  /** Whom NOTIFY goes to: an address of each family it has; empty: nobody is known. */
  readonly notify: readonly string[];
  /** Who pulls; empty: as the provider's {@link Preset.transfer}. */
  readonly transfer: readonly string[];
  /** Whose SOA is watched; empty: it shows the world no address of its own. */
  readonly watch: readonly string[];
}

/** One provider. */
export interface Preset {
  /** As `--preset` takes it. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** When this was last found to be so, in public configurations: YYYY-MM. */
  readonly asOf: string;
  readonly servers: readonly PresetServer[];
  /** Addresses and prefixes that any of its servers may pull from. */
  readonly transfer: readonly string[];
  /** What is known of TSIG there. */
  readonly tsig: string;
  /** What to know before relying on it. */
  readonly quirks: readonly string[];
}

/** A server that pulls, is notified and answers the world at the same addresses. */
function oneServer(name: string | undefined, ...addresses: readonly string[]): PresetServer {
  return { name, notify: addresses, transfer: addresses, watch: addresses };
}

export const PRESETS: readonly Preset[] = [
  {
    name: "hetzner",
    title: "Hetzner Robot",
    asOf: "2026-11",
    servers: [
      oneServer(undefined, "213.239.242.238", "2a01:4f8:0:a101::a:1"),
      oneServer(undefined, "213.133.100.103", "2a01:4f8:0:1::5ddc:2"),
      oneServer(undefined, "193.47.99.3", "2001:67c:192c::add:a3"),
    ],
    transfer: [],
    tsig: "not known",
    quirks: [
      "it asks IXFR and falls back badly when a whole zone comes instead: keep the journal long " +
      "enough (--journal-max-age) that there is a difference to send",
    ],
  },
  {
    name: "he",
    title: "Hurricane Electric",
    asOf: "2026-11",
    servers: [{
      name: "ns1.he.net",
      notify: ["216.218.130.2"],
      transfer: [],
      watch: ["216.218.130.2", "216.218.131.2", "216.218.132.2", "216.66.1.2", "216.66.80.18"],
    }],
    transfer: ["216.218.133.2", "2001:470:600::2"],
    tsig: "taken: a key for each zone, set at the provider",
    quirks: [
      "NOTIFY is for ns1.he.net alone, over IPv4; ns1 to ns5.he.net answer the world and are watched",
    ],
  },
  {
    name: "cloudflare",
    title: "Cloudflare (Enterprise)",
    asOf: "2026-11",
    servers: [
      {
        notify: ["172.65.30.82", "2606:4700:60:0:317:26ee:3bdf:5774"],
        transfer: [],
        watch: [],
      },
      {
        notify: ["172.65.50.145", "2606:4700:60:0:35a:4be3:4144:c5ee"],
        transfer: [],
        watch: [],
      },
    ],
    transfer: ["104.30.167.163", "104.30.167.173", "2a09:bac0:1000:c47::/64"],
    tsig: "taken: a key for each peer, set at the provider",
    quirks: [
      "it ignores SOA REFRESH: its own setting says how often it asks",
      "the servers that answer the world differ by account: name them with watch=, else a " +
      "finished transfer is all that is known",
    ],
  },
  {
    name: "dnsimple",
    title: "DNSimple",
    asOf: "2026-11",
    servers: [{ notify: [], transfer: [], watch: [] }],
    transfer: ["3.12.234.2", "2600:1f16:ae2:e900:f05c:9438:865f:64a0"],
    tsig: "not known",
    quirks: [
      "it takes no signed zones",
      "no address for NOTIFY is known: it asks by SOA REFRESH, so keep that short",
      "name the servers that answer the world with watch=, else a finished transfer is all that is " +
      "known",
    ],
  },
  {
    name: "ovh",
    title: "OVH",
    asOf: "2026-11",
    servers: [oneServer("sdns2.ovh.net", "213.251.188.141")],
    transfer: [],
    tsig: "not known",
    quirks: [],
  },
  {
    name: "gandi",
    title: "Gandi (classic)",
    asOf: "2026-11",
    servers: [oneServer("ns6.gandi.net", "217.70.177.40")],
    transfer: [],
    tsig: "not known",
    quirks: ["only for domains that are registered there, and on its classic platform"],
  },
];
