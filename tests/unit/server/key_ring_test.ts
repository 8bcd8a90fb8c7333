/** Keys replaced, the clock set, and requests that were here before. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseName, TYPE } from "../../../lib/dns/mod.ts";
import { nullLogger } from "../../../lib/ops/mod.ts";
import { KeyRing, RequestSigner } from "../../../lib/server/key_ring.ts";
import { MAX_MACS, ReplayGuard } from "../../../lib/server/replay_guard.ts";
import { SoaClient } from "../../../lib/server/soa_client.ts";
import { ServerError } from "../../../lib/server/server_error.ts";
import { signedAnswer, signedMessages, verifyRequest } from "../../../lib/server/signed_request.ts";
import { findTsig, MessageWriter, signMessage, timeSeconds } from "../../../lib/wire/mod.ts";
import { HandClock } from "../../support/clock.ts";
import { key } from "../../support/signed_requests.ts";

const NOW = 1_800_000_000;
const [A, B] = [key("a.key.", 1), key("b.key.", 2)];
const names = (...texts: string[]) => texts.map((text) => parseName(text));

function question(id = 1): Uint8Array {
  const writer = new MessageWriter(512);
  writer.header(id, 0);
  writer.question({ name: parseName("example.org."), type: TYPE.SOA, class: 1 });
  return writer.finish();
}

/** A ring whose clock the test sets. */
function ringAt(keys = [A]) {
  const time = { seconds: NOW };
  return { time, ring: new KeyRing(keys, { timeOfDay: () => time.seconds * 1_000 }) };
}

function verdict(ring: KeyRing, message: Uint8Array, isOnce = false) {
  return verifyRequest(message, findTsig(message)!, ring, isOnce);
}

Deno.test("KeyRing: of the keys that may stand for each other one is enough", () => {
  const needed = [names("a.key.", "b.key."), []];
  const ring = new KeyRing([B], { needed });
  assertEquals(ring.absent, names("a.key."));
  ring.replace([A]);
  assertEquals([ring.get(A.name), ring.get(B.name)], [A, undefined]);
  assertThrows(() => ring.replace([]), ServerError, "There is no TSIG key a.key. or b.key.");
  assertEquals(ring.get(A.name), A, "the old keys stay");
  assertThrows(() => new KeyRing([B], { needed: [names("a.key.")] }), ServerError, "a.key.");
});

Deno.test("RequestSigner: the first key that is there signs; what was asked before a reload is still understood", () => {
  const { ring } = ringAt([B]);
  const signer = new RequestSigner(ring, names("a.key.", "b.key."));
  const { message, signed } = signer.sign(question());
  assertEquals(signed?.key, B);
  const answer = signedAnswer(question(), verdict(ring, message).signature);
  ring.replace([A]);
  assertEquals(signer.fault(answer, signed), undefined);
  assertEquals(signer.sign(question()).signed?.key, A);
  assertEquals(signer.fault(question(), signed), "it is not signed");
  // Never unsigned for want of a key.
  ring.replace([]);
  assertThrows(() => signer.sign(question()), RangeError);
  assertEquals(signer.fault(question(), undefined), "nothing signed was asked");
});

Deno.test("a clock that jumps: requests go by the time of day, and a transfer begun runs on", () => {
  const { ring, time } = ringAt();
  const { message } = signMessage(question(), A, { nowSeconds: NOW });
  const { signature } = verdict(ring, message);
  const messages = signedMessages(
    [1, 2, 3].map(() => ({ head: question(), block: undefined })),
    signature,
  );
  const times: number[] = [];
  for (const { head, tail } of messages) {
    times.push(timeSeconds(findTsig(Uint8Array.from([...head, ...tail!]))!.timeSigned));
    time.seconds += times.length === 1 ? 86_400 : -172_800;
  }
  assert(times.every((at) => at >= NOW && at <= NOW + 60), `${times}`);
  time.seconds = NOW + 86_400;
  const late = verdict(ring, message);
  assertEquals(late.fault, "BADTIME: its time is 86400 s behind ours");
  time.seconds = NOW;
  assertEquals(verdict(ring, message).fault, undefined, "the clock is right again");
});

Deno.test("a signed request that was here before is refused while its time is near, where it is to come once", () => {
  const { ring, time } = ringAt();
  const { message } = signMessage(question(), A, { nowSeconds: NOW + 300 });
  assertEquals(verdict(ring, message, true).fault, undefined);
  assertEquals(verdict(ring, message).fault, undefined, "where it may come again it may");
  for (const later of [0, 1, 300, 599, 600]) {
    time.seconds = NOW + later;
    const { fault, signature } = verdict(ring, message, true);
    assertEquals(fault, "BADTIME: the same request was here before: a replay");
    assertEquals(signature?.error, 18);
  }
  time.seconds = NOW + 601;
  assert(verdict(ring, message, true).fault?.includes("behind"), "then its time is over");
});

Deno.test("a request that was here before is refused with its MAC cut shorter, too", () => {
  const short = key("short.key.", 3, 16);
  const { ring } = ringAt([short]);
  const { message } = signMessage(question(), short, { nowSeconds: NOW });
  const tsig = findTsig(message)!;
  const faults = [32, 31, 16].map((octets) =>
    verifyRequest(message, { ...tsig, mac: tsig.mac.subarray(0, octets) }, ring, true).fault
  );
  const replay = "BADTIME: the same request was here before: a replay";
  assertEquals(faults, [undefined, replay, replay]);
});

Deno.test("ReplayGuard: it forgets what is old, and the older half when there are too many", () => {
  const guard = new ReplayGuard();
  const mac = (n: number) => Uint8Array.of(n >> 16, n >> 8, n);
  for (let n = 0; n < 1_000; n++) assert(guard.admit(mac(n), NOW));
  for (const later of [0, 600, 601]) assert(!guard.admit(mac(0), NOW + later), `${later} s later`);
  assert(guard.admit(mac(0), NOW + 1_202));
  assertEquals(guard.size, 1);
  for (let n = 0; n < 3 * MAX_MACS; n++) guard.admit(mac(n + 2_000), NOW + 1_202);
  assert(guard.size <= MAX_MACS, `${guard.size}`);
  const last = 3 * MAX_MACS + 1_999;
  for (const n of [last, last - 1_000, last - MAX_MACS / 2 + 1]) {
    assert(!guard.admit(mac(n), NOW + 1_202), `${n} is known`);
  }
});

Deno.test("SoaClient: a server that one secondary has a key for is asked with it, whoever else names it", () => {
  const { ring } = ringAt();
  const client = new SoaClient({ log: nullLogger, clock: new HandClock(), keys: ring });
  const address = { ip: "192.0.2.1", port: 53 };
  const peer = client.peer(address, undefined);
  assertEquals(peer.signer.names, []);
  assertEquals(client.peer(address, undefined, [A.name]), peer);
  assertEquals(client.peer(address, undefined, []), peer);
  assertEquals(peer.signer.names, [A.name]);
});
