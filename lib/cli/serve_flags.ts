/** The flags of `zonecast serve`. Pure. */
import { formatDuration, formatSize, LOG_FORMATS, LOG_LEVELS } from "../ops/mod.ts";
import {
  DEFAULT_LIMITS,
  DEFAULT_RATE_EXEMPT,
  parseSecondary,
  type Secondary,
  SECONDARY_TAKES,
  SecondaryError,
} from "../server/mod.ts";
import { BAD_ROWS } from "../zone/mod.ts";
import { CommandError } from "./errors.ts";
import { optional, repeated, type ValueForm, withDefault } from "./flags.ts";
import {
  CHANNEL,
  CIDR,
  FILE,
  GROUP,
  IDENTITY,
  LISTEN_ADDRESS,
  oneOf,
  SERIAL,
  TRANSFER_RULE,
  ZONE,
} from "./forms.ts";
import {
  COUNT,
  DURATION,
  EACH,
  INTERVAL,
  PERIOD,
  RATE,
  RECORDS,
  SHARE,
  SIZE,
  UDP_SIZE,
} from "./number_forms.ts";
import { PRESET } from "./preset_flag.ts";
import { SOURCE_FLAGS } from "./source_flags.ts";
import { CONTROL_FLAG, STATE_FLAG } from "./state_flags.ts";

/** A secondary; its own message repeats the text, which the flag's has already. */
const SECONDARY: ValueForm<Secondary> = {
  placeholder: "SECONDARY",
  takes: `${SECONDARY_TAKES} such as ns1=192.0.2.53 or [2001:db8::53]:5353`,
  parse: (text) => {
    try {
      return parseSecondary(text);
    } catch (error) {
      if (!(error instanceof SecondaryError)) throw error;
      const reason = error.message.replace(`Cannot read secondary "${text}": `, "");
      throw new CommandError(error.code, reason, undefined, { cause: error });
    }
  },
};

export const SERVE_FLAGS = {
  ...SOURCE_FLAGS,
  ...STATE_FLAG,
  listen: repeated(LISTEN_ADDRESS, {
    help: "answer there, over UDP and TCP",
    defaults: ["127.0.0.1:53", "[::1]:53"],
  }),
  "listen-tls": repeated(LISTEN_ADDRESS, {
    help: "answer there over TLS, for transfers by RFC 9103; port 853 is usual",
    defaultText: "nowhere",
  }),
  "tls-cert": optional(FILE, {
    help: "certificate for --listen-tls, in PEM, then its issuers'; read again when it changes",
    defaultText: "none, but systemd's credential tls-cert",
  }),
  "tls-key": optional(FILE, {
    help: "its private key, in PEM",
    defaultText: "none, but systemd's credential tls-key",
  }),
  "tls-ca": repeated(FILE, {
    help: "authorities, in PEM, that vouch for secondaries with tls, beside the known public ones",
    defaultText: "none",
  }),
  "transfer-transport": withDefault(oneOf(["any", "tls"]), "any", {
    help: "tls refuses transfers that are not asked for over TLS",
  }),
  secondary: repeated(SECONDARY, {
    help: "a secondary: it is sent NOTIFY and may transfer",
    defaultText: "none",
  }),
  preset: repeated(PRESET, {
    help: "the secondaries of a provider: `zonecast presets` lists whom it stands for",
    defaultText: "none",
  }),
  "tsig-key-file": repeated(FILE, {
    help: "TSIG keys, as BIND or Knot has them in a file; a directory stands for its files",
    defaultText: "none, but systemd's credentials named tsig…",
  }),
  "allow-transfer": repeated(TRANSFER_RULE, {
    help: "may transfer, beside the secondaries",
    defaultText: "nobody",
  }),
  "allow-query": repeated(CIDR, {
    help: "may ask; secondaries always may",
    defaultText: "everybody",
  }),
  "server-id": optional(IDENTITY, {
    help: "told to whoever asks which server this is: NSID, id.server, hostname.bind",
    defaultText: "not told",
  }),
  "chaos-version": optional(IDENTITY, {
    help: "told to whoever asks for version.server or version.bind",
    defaultText: "not told",
  }),
  "max-udp-size": withDefault(UDP_SIZE, String(DEFAULT_LIMITS.udpOctets), {
    help: "octets of a UDP answer; what is longer is asked for again over TCP",
  }),
  zone: repeated(ZONE, {
    help: "serve only this zone of the source",
    defaultText: "all of them",
  }),
  channel: withDefault(CHANNEL, "dns_zone_changed", {
    help: "listen on this Postgres channel for changes",
  }),
  "poll-interval": withDefault(INTERVAL, "2s", {
    help: "look for changes so often even without a notification",
  }),
  "full-read-interval": withDefault(INTERVAL, "1h", {
    help: "read everything so often, as proof that no change was missed",
  }),
  "min-publish-interval": withDefault(INTERVAL, "100ms", {
    help: "the first change goes out at once; more within this time go together",
  }),
  serial: withDefault(oneOf(["unixtime", "increment", "date"]), "unixtime", {
    help: "how serials are chosen; each is above the last",
  }),
  "serial-floor": optional(SERIAL, {
    help: "publish only serials above this one",
    defaultText: "none",
  }),
  "bad-rows": withDefault(oneOf(BAD_ROWS), "keep", {
    help: "of an owner with a bad row: keep serves what was last published; omit only what is " +
      "good; hold publishes nothing of the zone",
  }),
  "max-shrink": withDefault(SHARE, "30%", {
    help: "hold it when more of a zone's owners go, or the zone itself; zones from 10 owners on",
  }),
  "max-change": withDefault(SHARE, "50%", {
    help: "hold it when more of a zone's RRsets are replaced; zones from 10 RRsets on",
  }),
  "guard-window": withDefault(PERIOD, "10m", {
    help: "the largest a zone was in this time is what --max-shrink goes by",
  }),
  "journal-max-size": optional(SIZE, {
    help: "what a zone's differences may take in the state file; the oldest go first",
    defaultText: "the zone's own size, at least 10MiB",
  }),
  "journal-max-age": withDefault(DURATION, "30d", {
    help: "older differences go when their zone is next published",
  }),
  "ixfr-condense": withDefault(oneOf(["on", "off"]), "on", {
    help: "put the differences of an IXFR together into one; off sends one after another",
  }),
  "feed-retention": withDefault(PERIOD, "7d", {
    help: "remove what is older from the source's tables changes, published and secondaries",
  }),
  "lag-alarm": withDefault(PERIOD, "60s", {
    help: "a secondary that lacks a serial for so long is behind: the log warns of it",
  }),
  "max-records": withDefault(RECORDS, "3000000", {
    help: "hold a zone that has more records; what was published is served on",
  }),
  "max-connections": withDefault(COUNT, String(DEFAULT_LIMITS.connections), {
    help: "TCP connections in all; a file descriptor each",
  }),
  "max-connections-per-address": withDefault(
    COUNT,
    String(DEFAULT_LIMITS.connectionsPerStranger),
    { help: "TCP connections of an address that may not transfer (IPv6: of its /64)" },
  ),
  "tcp-idle-timeout": withDefault(INTERVAL, formatDuration(DEFAULT_LIMITS.idleMs), {
    help: "close a TCP connection that asks nothing for so long",
  }),
  "tcp-stall-timeout": withDefault(INTERVAL, formatDuration(DEFAULT_LIMITS.writeMs), {
    help: "close one that does not take 64 KiB in this time",
  }),
  "max-transfers": withDefault(COUNT, String(DEFAULT_LIMITS.transfers), {
    help: "transfers that move at a time; more wait their turn",
  }),
  "max-transfers-per-client": withDefault(COUNT, String(DEFAULT_LIMITS.transfersPerClient), {
    help: "of these, transfers of one address",
  }),
  "max-buffers": withDefault(SIZE, formatSize(DEFAULT_LIMITS.bufferOctets).replace(" ", ""), {
    help: "memory for what is received and not yet sent over TCP",
  }),
  rrl: withDefault(RATE, String(DEFAULT_LIMITS.answersPerSecond), {
    help: "UDP answers of one kind a second to one /24 or, IPv6, /56; secondaries are not limited",
  }),
  "rrl-slip": withDefault(EACH, String(DEFAULT_LIMITS.slip), {
    help: "of the answers above that, each so-manieth goes out truncated",
  }),
  "rrl-exempt": repeated(CIDR, {
    help: "is not limited either",
    defaults: DEFAULT_RATE_EXEMPT,
  }),
  ...CONTROL_FLAG,
  "control-group": optional(GROUP, {
    help: "the group that may use the control socket",
    defaultText: "the server's own",
  }),
  http: repeated(LISTEN_ADDRESS, {
    help: "show metrics, readiness and a status page there, over HTTP; changes nothing",
    defaultText: "nowhere",
  }),
  "drain-timeout": withDefault(DURATION, "10s", {
    help: "at the end, running transfers have this long",
  }),
  "flags-file": optional(FILE, {
    help: "more flags, one a line; read again at SIGHUP",
    defaultText: "none",
  }),
  "log-format": optional(oneOf(LOG_FORMATS), {
    help: "how log lines are written, to standard error",
    defaultText: "text on a terminal, else logfmt",
  }),
  "log-level": withDefault(oneOf(LOG_LEVELS), "info", {
    help: "the least severe lines to write",
  }),
};
