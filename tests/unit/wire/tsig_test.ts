/** TSIG: what is signed, verified, and told apart. RFC 8945. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { parseName, TYPE } from "../../../lib/dns/mod.ts";
import {
  answerFault,
  findKeyIn,
  findTsig,
  findTsigAlgorithm,
  MessageWriter,
  signatureOctets,
  signMessage,
  timeOctets,
  timeSeconds,
  TSIG_ALGORITHMS,
  TSIG_ERROR,
  type TsigFields,
  type TsigKey,
  tsigKey,
  TsigSequence,
  TsigSequenceVerifier,
  verifyTsig,
  WireError,
} from "../../../lib/wire/mod.ts";

const NOW = 1_800_000_000;
const SECRET = new Uint8Array(32).map((_, i) => i * 7);
const KEY = key("key.example.");

function key(name: string, algorithm = "hmac-sha256", secret = SECRET, least?: number): TsigKey {
  return tsigKey(parseName(name), findTsigAlgorithm(algorithm)!, secret, least);
}

function query(id = 0x1234): Uint8Array {
  const writer = new MessageWriter(512);
  writer.header(id, 0);
  writer.question({ name: parseName("example.org."), type: TYPE.SOA, class: 1 });
  return writer.finish();
}

function verify(message: Uint8Array, keys = [KEY], now = NOW, requestMac?: Uint8Array) {
  return verifyTsig(message, findTsig(message)!, findKeyIn(keys), now, requestMac);
}

for (const { name, macOctets } of TSIG_ALGORITHMS) {
  Deno.test(`TSIG by ${name}: what is signed verifies, what is altered anywhere does not`, () => {
    const own = key("Key.Example.", name);
    const { message, mac } = signMessage(query(), own, { nowSeconds: NOW });
    assertEquals(mac.length, macOctets);
    assertEquals(message.length, query().length + signatureOctets(own));
    assertEquals(verify(message, [own]).kind, "valid");
    for (let at = 0; at < message.length; at++) {
      const altered = message.slice();
      altered[at] ^= 1;
      let kind: string;
      try {
        const tsig = findTsig(altered);
        kind = tsig ? verifyTsig(altered, tsig, findKeyIn([own]), NOW).kind : "unsigned";
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        kind = "unreadable";
      }
      // The ID may change on its way: the original one is in the record (§4.3.2).
      assertEquals(kind === "valid", at < 2, `octet ${at}: ${kind}`);
    }
  });
}

Deno.test("TSIG algorithms go by the words of key files and by the names in messages", () => {
  for (const text of ["hmac-md5", "HMAC-MD5.SIG-ALG.REG.INT", "hmac-md5.sig-alg.reg.int."]) {
    assertEquals(findTsigAlgorithm(text)?.name, "hmac-md5");
  }
  assertEquals(findTsigAlgorithm("hmac-sha3"), undefined);
  assertEquals(findTsigAlgorithm(""), undefined);
});

Deno.test("a key shows its secret nowhere", () => {
  const text = Deno.inspect(KEY, { depth: 9, showHidden: true }) + JSON.stringify(KEY) +
    String(KEY);
  for (const encoding of ["base64", "hex", "latin1"] as const) {
    assert(!text.includes(Buffer.from(SECRET).toString(encoding).slice(0, 8)));
  }
  assert(!text.includes("7, 14, 21"));
});

Deno.test("48-bit times are written and read", () => {
  for (const seconds of [0, NOW, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
    assertEquals(timeSeconds(timeOctets(seconds)), seconds);
  }
});

const VERDICTS: readonly {
  readonly rule: string;
  readonly message: () => Uint8Array;
  readonly now?: number;
  readonly keys?: TsigKey[];
  readonly is: ReturnType<typeof verifyTsig>;
}[] = [
  {
    rule: "§5.2.1 another key's name",
    message: () => signMessage(query(), key("other."), { nowSeconds: NOW }).message,
    is: { kind: "unknown", error: 17 },
  },
  {
    rule: "§5.2.1 the key under another algorithm",
    message: () =>
      signMessage(query(), key("key.example.", "hmac-sha1"), { nowSeconds: NOW }).message,
    is: { kind: "unknown", error: 17 },
  },
  {
    rule: "§5.2.2 another secret",
    message: () =>
      signMessage(query(), key("key.example.", "hmac-sha256", SECRET.slice(1)), { nowSeconds: NOW })
        .message,
    is: { kind: "unknown", error: 16 },
  },
  {
    rule: "§5.2 the MAC is checked before the time",
    message: () =>
      signMessage(query(), key("key.example.", "hmac-sha256", SECRET.slice(1)), { nowSeconds: 0 })
        .message,
    is: { kind: "unknown", error: 16 },
  },
  {
    rule: "§5.2.3 300 s late",
    message: () => signMessage(query(), KEY, { nowSeconds: NOW - 300 }).message,
    is: { kind: "valid", key: KEY },
  },
  {
    rule: "§5.2.3 301 s late",
    message: () => signMessage(query(), KEY, { nowSeconds: NOW - 301 }).message,
    is: { kind: "untimely", key: KEY, error: 18 },
  },
  {
    rule: "§5.2.3 301 s early",
    message: () => signMessage(query(), KEY, { nowSeconds: NOW + 301 }).message,
    is: { kind: "untimely", key: KEY, error: 18 },
  },
  {
    rule: "§5.2.2.1 a MAC cut below half",
    message: () => cutMac(signMessage(query(), KEY, { nowSeconds: NOW }).message, 15),
    is: { kind: "malformed" },
  },
  {
    rule: "§5.2.2.1 no MAC",
    message: () => cutMac(signMessage(query(), KEY, { nowSeconds: NOW }).message, 0),
    is: { kind: "malformed" },
  },
  {
    rule: "§5.2.4 a MAC cut to half, where none may be",
    message: () => cutMac(signMessage(query(), KEY, { nowSeconds: NOW }).message, 16),
    is: { kind: "truncated", key: KEY, error: 22 },
  },
  {
    rule: "§5.2.4 the time is checked before the MAC's length",
    message: () => cutMac(signMessage(query(), KEY, { nowSeconds: 0 }).message, 16),
    is: { kind: "untimely", key: KEY, error: 18 },
  },
];

for (const { rule, message, now = NOW, keys = [KEY], is } of VERDICTS) {
  Deno.test(`verifyTsig, ${rule}: ${is.kind}`, () => {
    assertEquals(verify(message(), keys, now), is);
  });
}

Deno.test("verifyTsig, §5.2.4: a MAC cut as far as the key allows is valid", () => {
  const lenient = key("key.example.", "hmac-sha256", SECRET, 16);
  const message = cutMac(signMessage(query(), KEY, { nowSeconds: NOW }).message, 16);
  assertEquals(verify(message, [lenient]), { kind: "valid", key: lenient });
});

Deno.test("verifyTsig, §4.3.2: the original ID counts, not the one it arrives with", () => {
  const { message } = signMessage(query(0x1111), KEY, { nowSeconds: NOW });
  message[0] ^= 0xff;
  assertEquals(verify(message).kind, "valid");
});

Deno.test("findTsig, §5.1: a TSIG record that is not the last, or stands twice, is unreadable", () => {
  const once = signMessage(query(), KEY, { nowSeconds: NOW }).message;
  const twice = signMessage(once, KEY, { nowSeconds: NOW }).message;
  const elsewhere = once.slice();
  [elsewhere[9], elsewhere[11]] = [1, 0]; // counted as authority
  for (const message of [twice, elsewhere]) {
    let code: string | undefined;
    try {
      findTsig(message);
    } catch (error) {
      code = (error as WireError).code;
    }
    assertEquals(code, "wire-tsig");
  }
  assertEquals(findTsig(query()), undefined);
});

Deno.test("an answer is bound to its request", () => {
  const asked = signMessage(query(), KEY, { nowSeconds: NOW });
  const other = signMessage(query(), KEY, { nowSeconds: NOW - 1 });
  const answer = signMessage(query(), KEY, { nowSeconds: NOW, requestMac: asked.mac }).message;
  assertEquals(verify(answer, [KEY], NOW, asked.mac).kind, "valid");
  assertEquals(verify(answer, [KEY], NOW, other.mac).kind, "unknown");
  assertEquals(verify(answer, [KEY], NOW).kind, "unknown");
});

Deno.test("answerFault says what is wrong with an answer", () => {
  const asked = signMessage(query(), KEY, { nowSeconds: NOW });
  const fault = (message: Uint8Array, now = NOW) =>
    answerFault(message, findTsig(message), KEY, asked.mac, now);
  const signed = (options = {}, by = KEY) =>
    signMessage(query(), by, { nowSeconds: NOW, requestMac: asked.mac, ...options }).message;
  const requestTsig = findTsig(asked.message)!;
  assertEquals(fault(signed()), undefined);
  assertEquals(fault(query()), "it is not signed");
  assertEquals(fault(signed(), NOW + 999), "its time is off: the clocks are too far apart");
  assertEquals(fault(signed({}, key("other."))), "it is signed with another key");
  assertEquals(fault(signed({ requestMac: SECRET })), "its MAC is wrong");
  assertEquals(
    fault(signed({ error: TSIG_ERROR.BADTIME, untimely: requestTsig, nowSeconds: NOW + 4000 })),
    "it says BADTIME: its clock is 4000 s ahead of ours",
  );
  const empty = cutMac(signed({ error: TSIG_ERROR.BADKEY }), 0);
  assertEquals(fault(empty), "it says BADKEY: it does not have our key");
});

Deno.test("a sequence is signed message by message, and none may be cut out, moved or altered", () => {
  const asked = signMessage(query(), KEY, { nowSeconds: NOW });
  const sequence = new TsigSequence(KEY, asked.mac, () => NOW);
  const messages = Array.from({ length: 4 }, () => {
    const head = query().slice(0, 12);
    head[5] = 0; // no question
    const record = sequence.sign(head, undefined);
    return new Uint8Array([...head, ...record]);
  });
  const check = (list: readonly Uint8Array[]) => {
    const verifier = new TsigSequenceVerifier(KEY, asked.mac);
    for (const message of list) {
      const fault = verifier.take(message, findTsig(message), NOW);
      if (fault) return fault;
    }
    return verifier.isComplete ? undefined : "not complete";
  };
  assertEquals(check(messages), undefined);
  assertEquals(check(messages.slice(1)), "its MAC is wrong");
  assertEquals(check([messages[0], messages[2], messages[1], messages[3]]), "its MAC is wrong");
  assertEquals(check([messages[0], messages[2]]), "its MAC is wrong");
  const altered = messages.map((message) => message.slice());
  altered[2][2] ^= 4;
  assertEquals(check(altered), "its MAC is wrong");
});

Deno.test("a sequence in which not every message is signed is believed from its signed ones", () => {
  const asked = signMessage(query(), KEY, { nowSeconds: NOW });
  const first = signMessage(query(), KEY, { nowSeconds: NOW, requestMac: asked.mac });
  const verifier = new TsigSequenceVerifier(KEY, asked.mac);
  assertEquals(verifier.take(first.message, findTsig(first.message), NOW), undefined);
  assert(verifier.isComplete);
  for (let n = 0; n < TsigSequenceVerifier.MAX_UNSIGNED; n++) {
    assertEquals(verifier.take(query(), undefined, NOW), undefined);
  }
  assert(!verifier.isComplete);
  assertEquals(verifier.take(query(), undefined, NOW), "too few are signed");
  assertEquals(
    new TsigSequenceVerifier(KEY, asked.mac).take(query(), undefined, NOW),
    "the first message is not signed",
  );
});

/** The message with its TSIG record's MAC cut to so many octets. */
function cutMac(message: Uint8Array, octets: number): Uint8Array {
  const tsig: TsigFields = findTsig(message)!;
  const rdata = tsig.keyName.length + 10 + tsig.offset;
  const macSizeAt = rdata + tsig.algorithm.length + 8;
  const cut = tsig.mac.length - octets;
  const macAt = macSizeAt + 2;
  const out = new Uint8Array(message.length - cut);
  out.set(message.subarray(0, macAt + octets));
  out.set(message.subarray(macAt + tsig.mac.length), macAt + octets);
  out[macSizeAt + 1] = octets;
  const lengthAt = rdata - 2;
  const length = (message[lengthAt] << 8 | message[lengthAt + 1]) - cut;
  out[lengthAt] = length >> 8;
  out[lengthAt + 1] = length;
  return out;
}
