/** What `zonecast cutover --json` prints. Pure. */
import { list, number, object, orNull, text, time, word, yesNo } from "./json_shape.ts";

const NAME_SERVERS = {
  nameServers: orNull(list("the NS records it gives", text("a name server, absolute"))),
  ttl: orNull(number("their TTL, seconds")),
};

const SERVER = object("a server of the zone", {
  name: text("absolute"),
  address: text("and port"),
  hasZone: yesNo("whether it answers with authority"),
  serial: orNull(number("the serial it shows")),
  ...NAME_SERVERS,
  error: orNull(text("why it could not be asked")),
});

export const CUTOVER_SHAPE = object("a move of name servers", {
  zone: text("absolute"),
  at: time("when it was looked at"),
  serial: number("of the zone as published here"),
  ...NAME_SERVERS,
  over: yesNo("whether nothing is left to do"),
  plan: text("the plan file"),
  parent: list(
    "the parent's servers",
    object("a server of the parent", {
      server: text("address and port"),
      ...NAME_SERVERS,
      ds: list("key tags of the DS records", number("a key tag")),
      error: orNull(text("why it could not be asked, or shows nothing")),
    }),
  ),
  old: list("the servers that are to be switched off", SERVER),
  new: list("the servers that the zone here names", SERVER),
  steps: list(
    "in their order",
    object("a step", {
      id: word("which", [
        "serve",
        "same",
        "dnssec",
        "lower",
        "switch",
        "announce",
        "expire",
        "off",
        "raise",
      ]),
      state: word("how it stands", ["done", "now", "waiting", "later"]),
      title: text("what is so when it is done"),
      seenAt: orNull(time("when that was first seen")),
      from: time("the earliest time for it; while it waits, the end of that"),
      optional: yesNo("whether the plan goes on without it"),
      notes: list("what is seen and to do", text("a sentence")),
    }),
  ),
});
