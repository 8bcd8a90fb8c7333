/** What `zonecast status --json` prints: {@link StatusReport}, documented. Pure. */
import { HELD_SHAPE } from "./held_status.ts";
import { list, maybe, number, object, record, text, time, word, yesNo } from "./json_shape.ts";

const SOURCE = object("the connection to the source", {
  description: text("the source, without secrets"),
  up: yesNo("whether it is connected"),
  since: time("when it came up or went down"),
  reason: maybe(text("why it is down")),
  lastReadAt: maybe(time("when it was last read to the end")),
  reads: object("reads since the start", {
    full: number("of everything"),
    feed: number("of what the feed named"),
  }),
  failure: maybe(text("why the last read, or publishing what it found, failed")),
  writtenBackAt: maybe(time("when it was last told what became of its records")),
  writeBackFailure: maybe(text("why it cannot be told")),
});

const LOAD = object("what clients make the server do", {
  connections: number("TCP connections, zombies among them"),
  zombies: number("connections closed whose last write the peer has never taken"),
  evicted: number("connections that waited and were closed for others"),
  bufferOctets: number("octets of messages being received and answers not yet sent over TCP"),
  transfers: object("transfers now", {
    moving: number("that move"),
    slow: number("that hardly move"),
    waiting: number("that wait"),
  }),
  counts: record("totals since the start, by what is counted", number("how many")),
});

const JOURNAL = object("the journals of all zones", {
  differences: number("how many are kept"),
  octets: number("octets they take"),
  oldestAt: maybe(time("when the oldest was published")),
});

const SERVER = object("the running server; absent where its state file was read instead", {
  version: text("zonecast's"),
  pid: number("its process"),
  startedAt: time("when it started"),
  listen: list("where it answers", text("address and port")),
  listenTls: maybe(list("where it answers over TLS", text("address and port"))),
  loopDelay: maybe(object("how late the event loop was in the last 10 s", {
    medianMs: number("ms"),
    longestMs: number("ms"),
  })),
  source: SOURCE,
  unkept: maybe(object("why nothing can be kept in the state file, so that nothing is published", {
    since: time("since when"),
    reason: text("why"),
    hint: maybe(text("what to do")),
  })),
  journal: maybe(JOURNAL),
  load: maybe(LOAD),
});

const ZONE = object("a zone that is served", {
  zone: text("its name"),
  serial: number("its serial"),
  records: number("its records, the SOA among them"),
  octets: number("octets of its pages"),
  publishedAt: maybe(time("when this version was published")),
});

const SECONDARY_ZONE = object("a zone at a secondary", {
  zone: text("its name"),
  state: text("unknown, notified, transferred, live or behind"),
  serial: maybe(number("what it shows; of several servers the one farthest behind")),
  seenAt: maybe(time("when that was seen")),
  lagSince: maybe(time("since when it lacks a version announced")),
  ahead: maybe(number("a serial it shows that is ahead of ours")),
  notify: maybe(object("the last NOTIFY", {
    serial: number("what it announced"),
    attempts: number("messages sent for this serial"),
    sentAt: maybe(time("when the last one went")),
    acknowledgedAt: maybe(time("when it was acknowledged")),
    rcode: maybe(number("RCODE of the last answer")),
  })),
  transfer: maybe(object("the last transfer that ended well", {
    kind: text("axfr or ixfr"),
    transport: maybe(text("udp, tcp or tls")),
    serial: number("of the version sent"),
    octets: number("octets sent"),
    durationMs: number("ms"),
    at: time("when it ended"),
  })),
  soaQueryAt: maybe(time("when it last asked for the SOA")),
});

const SECONDARY = object("a secondary", {
  name: text("as --secondary names it"),
  address: text("where NOTIFY goes"),
  notify: yesNo("whether it is sent NOTIFY"),
  keys: maybe(list("names of its TSIG keys", text("a name"))),
  zones: list("each zone it was told of or asked for", SECONDARY_ZONE),
});

const PROBLEM = object("a problem", {
  zone: text("its zone"),
  severity: word("error: not served as written; warning: served", ["error", "warning"]),
  name: text("the owner; empty where the zone is meant"),
  type: text("the RR type; empty where the owner or the zone is meant"),
  content: text("the data; empty where no one row is meant"),
  code: text("one word for programs"),
  reason: text("why"),
  hint: maybe(text("what to do")),
  since: time("when it was first seen"),
});

export const STATUS_SHAPE = object("how the server stands", {
  server: maybe(SERVER),
  zones: list("the zones that are served", ZONE),
  secondaries: list("the secondaries", SECONDARY),
  problems: list("what is not served as written, or hardly should be", PROBLEM),
  held: list("changes that are not published until they are approved", HELD_SHAPE),
});
