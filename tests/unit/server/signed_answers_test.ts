/** What secondaries with a key answer: believed only when it is rightly signed. */
import { assert, assertEquals } from "@std/assert";
import { createLogger, parseSocketAddress } from "../../../lib/ops/mod.ts";
import { DnsServer, KeyRing, parseSecondary } from "../../../lib/server/mod.ts";
import {
  findTsig,
  FLAG,
  MessageWriter,
  OPCODE,
  opcodeOf,
  parseQuery,
  RCODE,
  SECTION,
  signMessage,
  TSIG_ERROR,
  type TsigKey,
} from "../../../lib/wire/mod.ts";
import { writeTsig } from "../../../lib/wire/tsig_record.ts";
import { ZoneTable } from "../../../lib/zone/mod.ts";
import { key } from "../../support/signed_requests.ts";
import { until } from "../../support/wait.ts";
import { zoneVersion } from "../../support/zone_version.ts";

const NOW = 1_800_000_000;
const OWN = key("own.key.", 1);
const ZONE = zoneVersion("example.org.", 7, "@ 300 NS ns1");

/** How the false secondary signs its answers. */
type Manner =
  | { readonly by: TsigKey; readonly at?: number; readonly mac?: Uint8Array }
  | "unsigned"
  | "badkey"
  | "badsig";

/** The plain answer to a message of ours: NOTIFY acknowledged, or the SOA of the version. */
function plainAnswer(message: Uint8Array): Uint8Array {
  const asQuery = message.slice();
  asQuery[2] &= 0x87; // read as a query, whose question it has
  const { id, question } = parseQuery(asQuery);
  const writer = new MessageWriter(512);
  writer.header(
    id,
    FLAG.QR | FLAG.AA | (isNotify(message) ? OPCODE.NOTIFY << 11 : 0),
    RCODE.NOERROR,
  );
  writer.question(question);
  if (!isNotify(message)) writer.record(SECTION.ANSWER, ZONE.soa);
  return writer.finish();
}

function isNotify(message: Uint8Array): boolean {
  return opcodeOf(message[2] << 8 | message[3]) === OPCODE.NOTIFY;
}

function answer(message: Uint8Array, manner: Manner): Uint8Array {
  const plain = plainAnswer(message);
  if (manner === "unsigned") return plain;
  const asked = findTsig(message)!;
  if (manner === "badkey" || manner === "badsig") {
    const error = manner === "badkey" ? TSIG_ERROR.BADKEY : TSIG_ERROR.BADSIG;
    const record = writeTsig({ ...asked, mac: new Uint8Array(0), error });
    plain[3] |= RCODE.NOTAUTH;
    plain[11] = 1;
    return Uint8Array.from([...plain, ...record]);
  }
  const { by, at = NOW, mac = asked.mac } = manner;
  return signMessage(plain, by, { nowSeconds: at, requestMac: mac }).message;
}

interface StartOptions {
  /** What else is said of the secondary. */
  readonly more?: string;
  /** Whether a NOTIFY is answered only when the next one has come. */
  readonly isLate?: boolean;
}

/** A server that tells one secondary of a zone, and that secondary, which answers as it is told to. */
async function start(manner: Manner, { more = "", isLate = false }: StartOptions = {}) {
  const log: string[] = [];
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const port = socket.addr.transport === "udp" ? socket.addr.port : 0;
  const asked: Uint8Array[] = [];
  const state = { manner };
  const late: Uint8Array[] = [];
  const answering = (async () => {
    try {
      while (true) {
        const [message, from] = await socket.receive();
        asked.push(message.slice());
        if (!isLate || !isNotify(message)) {
          await socket.send(answer(message, state.manner), from);
        } else if (late.push(message.slice()) > 1) {
          await socket.send(answer(late.shift()!, state.manner), from);
        }
      }
    } catch (error) {
      const isClosed = error instanceof Deno.errors.BadResource ||
        error instanceof Deno.errors.Interrupted;
      if (!isClosed) throw error;
    }
  })();
  let seconds = NOW; // another one with each look, so that no two messages have one MAC
  const zones = new ZoneTable();
  zones.set(ZONE);
  const server = new DnsServer({
    zones,
    listen: [parseSocketAddress("127.0.0.1:0")],
    secondaries: [parseSecondary(`s=127.0.0.1:${port},key=own.key${more}`)],
    allowTransfer: [],
    keys: new KeyRing([OWN], { timeOfDay: () => seconds++ * 1_000 }),
    log: createLogger({
      format: "logfmt",
      level: "info",
      journal: false,
      write: (line) => log.push(line),
    }),
  });
  await server.start();
  server.announce(ZONE);
  return {
    log,
    asked,
    state,
    zone: () => server.status().secondaries[0].zones[0],
    async [Symbol.asyncDispose]() {
      await server.close({ drainMs: 0 });
      socket.close();
      await answering;
    },
  };
}

const ROWS: readonly [what: string, manner: Manner, why: string][] = [
  ["unsigned", "unsigned", "it is not signed"],
  ["signed with another key", { by: key("other.key.", 1) }, "it is signed with another key"],
  ["signed with another secret", { by: key("own.key.", 2) }, "its MAC is wrong"],
  ["the answer to something else", { by: OWN, mac: new Uint8Array(32) }, "its MAC is wrong"],
  ["late", { by: OWN, at: NOW - 301 }, "its time is off"],
  ["BADKEY", "badkey", "it says BADKEY"],
  ["BADSIG", "badsig", "it says BADSIG"],
];

async function expectDisbelieved([what, manner, why]: typeof ROWS[number]): Promise<void> {
  await using running = await start(manner);
  const { log, asked, state, zone } = running;
  const notBelieved = (about: string) =>
    log.some((line) =>
      line.includes(about) && line.includes("is not believed") && line.includes(why)
    );
  await until(() => notBelieved("NOTIFY") && notBelieved("SOA query"), {
    what: `${what}: neither answer is believed`,
    seen: () => log,
  });
  assertEquals([zone()?.notify?.acknowledgedAt, zone()?.watch?.serial], [undefined, undefined]);
  // Asked again, and rightly answered, it is believed.
  state.manner = { by: OWN };
  await until(() => zone()?.watch?.serial === 7, {
    what: `${what}: the right answer is believed`,
    seen: () => [zone(), log],
  });
  assert(asked.every((message) => findTsig(message)), "all that is asked is signed");
}

Deno.test("the answers of a secondary with a key are believed only when it has signed them", async () => {
  await Promise.all(ROWS.map(expectDisbelieved));
});

Deno.test("an acknowledgement that comes when NOTIFY was sent again is believed", async () => {
  await using running = await start({ by: OWN }, { more: ",watch=off", isLate: true });
  const { log, asked, zone } = running;
  await until(() => zone()?.notify?.acknowledgedAt, {
    what: "it is acknowledged",
    seen: () => log,
  });
  const macs = asked.map((message) => findTsig(message)!.mac.toHex());
  assertEquals([macs.length, new Set(macs).size], [2, 2]);
  assertEquals(log.filter((line) => line.includes("not believed")), []);
});
