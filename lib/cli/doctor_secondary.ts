/**
 * A secondary examined: reached, notified, believed, let in, up to date, the same as ours.
 *
 * Effects: some questions, one NOTIFY for a serial that is published.
 */
import { formatName, parseName, ROOT, TYPE } from "../dns/mod.ts";
import { type Finding, formatIp, formatSocketAddress } from "../ops/mod.ts";
import { type AskedAnswer, type AskedServer, AskError } from "../server/mod.ts";
import { notifyMessage, notifyVerdict } from "../transfer/mod.ts";
import { OPCODE, opcodeOf, rcodeName, timeSeconds } from "../wire/mod.ts";
import { askedAt, finding, type SecondaryExamination } from "./doctor_examination.ts";
import { aboutContent, aboutSerials } from "./doctor_serials.ts";

/** Clocks this far apart still sign, s; 300 are the end. */
const CLOCK_WARNING_SECONDS = 30;
export async function* examineSecondary(ex: SecondaryExamination): AsyncGenerator<Finding> {
  const { secondary: { watch } } = ex;
  // What waits for silence waits at the same time.
  const [notified, ...reached] = await Promise.all([
    gathered(aboutNotify(ex)),
    ...watch.flatMap((address) => {
      const server = askedAt(ex, address);
      return [gathered(reachUdp(ex, server)), gathered(reachTcp(ex, server))];
    }),
  ]);
  for (const { findings } of [...reached, notified]) yield* findings;
  const all = [...reached, notified].map(({ result }) => result);
  yield* aboutKey(ex, all.find((one) => one?.answer) ?? all.find((one) => one));
  yield* aboutAccess(ex);
  if (watch.length === 0) {
    const text = "it is not watched (watch=off): nothing shows what it serves";
    yield finding(ex, "serial", "unknown", text);
  } else if (reached.some(({ result }) => result?.answer)) {
    const equal = yield* aboutSerials(ex);
    yield* aboutContent(ex, equal);
  }
}

/** Findings all at once, and what comes with them. */
async function gathered<R>(
  all: AsyncGenerator<Finding, R>,
): Promise<{ readonly findings: Finding[]; readonly result: R }> {
  const findings: Finding[] = [];
  for (;;) {
    const step = await all.next();
    if (step.done) return { findings, result: step.value };
    findings.push(step.value);
  }
}

/** What is asked to see whether anybody is there. */
function anyQuestion({ zones }: SecondaryExamination) {
  return { name: zones.length > 0 ? parseName(zones[0].name) : ROOT, type: TYPE.SOA };
}

/** The outcome of an attempt to reach it: an answer, one that is not believed, or none. */
type Reached = { readonly answer?: AskedAnswer; readonly disbelieved?: AskError } | undefined;

async function* reachUdp(
  ex: SecondaryExamination,
  server: AskedServer,
): AsyncGenerator<Finding, Reached> {
  const at = formatSocketAddress(server);
  ex.progress.show(`${ex.secondary.name}: UDP`, 1);
  try {
    const answer = await ex.asker.ask(server, anyQuestion(ex));
    yield finding(ex, "udp", "good", `${at} answers over UDP, after ${Math.ceil(answer.ms)} ms`);
    return { answer };
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    if (error.code === "ask-disbelieved") {
      yield finding(ex, "udp", "good", `${at} answers over UDP`);
      return { disbelieved: error };
    }
    const fix =
      "is it running? Does a firewall let UDP to its port through, and the answers back?" +
      (server.via ? ` Questions leave from ${server.via} (via=)` : "");
    yield finding(ex, "udp", "bad", error.message, fix);
    return undefined;
  }
}

async function* reachTcp(
  ex: SecondaryExamination,
  server: AskedServer,
): AsyncGenerator<Finding, Reached> {
  const at = formatSocketAddress(server);
  ex.progress.show(`${ex.secondary.name}: TCP`, 2);
  try {
    const answer = await ex.asker.askStream(server, anyQuestion(ex));
    yield finding(ex, "tcp", "good", `${at} answers over TCP, after ${Math.ceil(answer.ms)} ms`);
    return { answer };
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    if (error.code === "ask-disbelieved") {
      yield finding(ex, "tcp", "good", `${at} answers over TCP`);
      return { disbelieved: error };
    }
    yield finding(ex, "tcp", "bad", error.message, error.hint ?? "open its port for TCP, too");
    return undefined;
  }
}

/** Whether both sides have the key, and how far the clocks are apart. */
function* aboutKey(ex: SecondaryExamination, reached: Reached): Generator<Finding> {
  const { secondary, keys } = ex;
  if (secondary.keys.length === 0) {
    const text = "it has no key: its address is all it shows, and its clock is not seen";
    yield finding(ex, "tsig", "unknown", text);
    return;
  }
  const held = secondary.keys.find((key) => keys.get(key));
  const name = formatName(held ?? secondary.keys[0]);
  if (!held) {
    yield finding(
      ex,
      "tsig",
      "bad",
      `there is no key ${name} here: what it was asked was not signed`,
      "name its file with --tsig-key-file; zonecast keygen makes one",
    );
    return;
  }
  if (reached?.disbelieved) {
    const { message } = reached.disbelieved;
    const isClock = /clock|BADTIME/.test(message);
    yield finding(
      ex,
      isClock ? "clock" : "tsig",
      "bad",
      message,
      isClock
        ? "let both machines keep time by NTP (chrony, systemd-timesyncd): signatures are good " +
          "for 300 s"
        : `give it the key ${name} with the same algorithm and secret: zonecast keygen prints the ` +
          "lines it takes; a server that does not sign its answers must be told to",
    );
    return;
  }
  if (!reached?.answer) {
    yield finding(ex, "tsig", "unknown", `it does not answer, so nothing shows if it has ${name}`);
    return;
  }
  yield finding(ex, "tsig", "good", `its answers are rightly signed with ${name}`);
  const { response: { tsig }, atSeconds } = reached.answer;
  if (tsig) yield clockOf(ex, timeSeconds(tsig.timeSigned) - atSeconds);
}

function clockOf(ex: SecondaryExamination, apart: number): Finding {
  const text = `its clock is ${Math.abs(apart)} s ${apart < 0 ? "behind" : "ahead of"} ours`;
  return Math.abs(apart) <= CLOCK_WARNING_SECONDS ? finding(ex, "clock", "good", text) : finding(
    ex,
    "clock",
    "warning",
    text,
    "let both machines keep time by NTP: at 300 s nothing signed is believed any more",
  );
}

async function* aboutNotify(ex: SecondaryExamination): AsyncGenerator<Finding, Reached> {
  const { secondary, zones, asker } = ex;
  const { ip, port, tls } = secondary;
  if (!secondary.notify) {
    yield finding(
      ex,
      "notify",
      "unknown",
      "it is never notified (notify=off): it finds changes late",
    );
    return undefined;
  }
  if (zones.length === 0) {
    yield finding(ex, "notify", "unknown", "nothing is published that it could be notified of");
    return undefined;
  }
  ex.progress.show(`${secondary.name}: NOTIFY`, 3);
  const { soa } = await zones[0].version();
  const server = { ...askedAt(ex, { ip, port }), tls };
  const request = {
    message: (id: number) => notifyMessage(id, soa),
    isAnswer: ({ flags }: AskedAnswer["response"]) => opcodeOf(flags) === OPCODE.NOTIFY,
  };
  const at = formatSocketAddress(server);
  try {
    const answer =
      await (tls ? asker.exchangeStream(server, request) : asker.exchange(server, request));
    const { response: { rcode }, ms } = answer;
    const said = `${at} answers NOTIFY of ${zones[0].name} with ${rcodeName(rcode)}`;
    yield aboutNotifyAnswer(ex, notifyVerdict(rcode), said, Math.ceil(ms));
    return { answer };
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
    yield finding(
      ex,
      "notify",
      "bad",
      `NOTIFY is not acknowledged: ${error.message}`,
      error.code === "ask-silent"
        ? "let it take NOTIFY (allow-notify) from this server's address; is the port the right one?"
        : error.hint ?? "see the secondary's log",
    );
    return error.code === "ask-disbelieved" ? { disbelieved: error } : undefined;
  }
}

function aboutNotifyAnswer(
  ex: SecondaryExamination,
  verdict: ReturnType<typeof notifyVerdict>,
  said: string,
  ms: number,
): Finding {
  switch (verdict) {
    case "acknowledged":
      return finding(ex, "notify", "good", `${said}, after ${ms} ms`);
    case "unsupported":
      return finding(
        ex,
        "notify",
        "warning",
        said,
        "it does not know NOTIFY and finds changes at its REFRESH: lower that, zone set --refresh",
      );
    default:
      return finding(
        ex,
        "notify",
        "bad",
        said,
        "give it the zone with this server as its primary, and let it take NOTIFY from this " +
          `server's address${ex.secondary.keys.length > 0 ? " with the key" : ""}: ` +
          "the README's section on secondaries has the lines",
      );
  }
}

/** What our own rules say to it, at each place it may come from, with its key and without. */
function* aboutAccess(ex: SecondaryExamination): Generator<Finding> {
  const { secondary, access } = ex;
  const [keyName] = secondary.keys;
  const ips = secondary.from.map(({ ip }) => formatIp(ip));
  const denied = ips.map((ip) => access.transferDenial({ ip, keyName })).find(Boolean);
  if (denied) {
    yield finding(
      ex,
      "transfer",
      "bad",
      `it may not transfer: ${denied}`,
      "name the addresses it transfers from with from=, and its key with key=",
    );
    return;
  }
  const open = keyName && ips.find((ip) => access.transferDenial({ ip }) === undefined);
  if (open) {
    yield finding(
      ex,
      "transfer",
      "bad",
      `${open} may transfer without its key, too: another rule lets it`,
      "take that address out of --allow-transfer, or give the rule a key",
    );
    return;
  }
  const how = keyName ? `with the key ${formatName(keyName)}` : "without a key";
  yield finding(ex, "transfer", "good", `it may transfer from ${ips.join(", ")}, ${how}`);
}
