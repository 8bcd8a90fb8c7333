/**
 * SvcParams of SVCB and HTTPS.
 *
 * Specs: RFC 9460 §2.1 and Appendix A (presentation), §2.2 (wire), §7 and §8
 * (values and what must stand together), RFC 9461 §5 (dohpath), RFC 9540 §4 (ohttp).
 */
import { type Token, tokenize } from "../tokenizer.ts";
import type { FieldCodec } from "./codec.ts";
import type { RdataInput } from "./input.ts";
import { OctetWriter, type RdataReader } from "./octets.ts";
import { quote, writeText } from "./strings.ts";
import { SVC_VALUES } from "./svcb_values.ts";

const MANDATORY = 0;
const ALPN = 1;
const NO_DEFAULT_ALPN = 2;
const OHTTP = 8;

const KEYS = [
  "mandatory",
  "alpn",
  "no-default-alpn",
  "port",
  "ipv4hint",
  "ech",
  "ipv6hint",
  "dohpath",
  "ohttp",
];

/** The number of a SvcParamKey, or undefined when the text is none. */
function keyNumber(text: string): number | undefined {
  const known = KEYS.indexOf(text);
  if (known >= 0) return known;
  const digits = /^key(0|[1-9][0-9]{0,4})$/.exec(text);
  // 65535 is reserved as the invalid key (RFC 9460 §14.3.2).
  return digits && Number(digits[1]) < 65_535 ? Number(digits[1]) : undefined;
}

/** A key's name; ohttp by number, because BIND 9.18 reads it so only. */
function keyName(key: number): string {
  return key < OHTTP ? KEYS[key] : `key${key}`;
}

/** One parameter's text, split at its first `=`: the value as tokens of its own, one when it is right. */
function splitParam(token: Token): { name: string; values: Token[] } {
  const equals = token.text.indexOf("=");
  if (equals < 0) return { name: token.text, values: [] };
  const text = token.text.slice(equals + 1);
  const at = token.at + equals + 1;
  const values: Token[] = text.includes('"')
    ? tokenize(text).map((value) => ({ ...value, at: at + value.at }))
    : [{ text, form: "word", at }];
  return { name: token.text.slice(0, equals), values };
}

/** The octets of a value in the list's first escaping (Appendix A.1), escapes resolved. */
function valueOctets(input: RdataInput, value: Token): Uint8Array {
  valueScratch.length = 0;
  writeText(input, value, valueScratch);
  return valueScratch.copy();
}

/** A value is read before the next begins, so one writer serves all. */
const valueScratch = new OctetWriter();

function parseParam(input: RdataInput): { key: number; value: Uint8Array } {
  const token = input.any();
  const { name, values } = splitParam(token);
  const key = token.form === "quoted" ? undefined : keyNumber(name);
  if (key === undefined) {
    throw input.wrong(
      token,
      "is no SvcParam",
      "svc-key",
      "write key=value with a key of lower-case letters, or keyNNNNN=value (RFC 9460 §2.1)",
    );
  }
  const [value] = values;
  if (values.length > 1 || value?.form === "pair") {
    throw input.wrong(token, "has a quote in the middle of a value", "field-quoted");
  }
  const octets = value ? valueOctets(input, value) : new Uint8Array();
  // keyNNNNN takes the value's octets as they are, also for a key with a name.
  const form = name.startsWith("key") ? undefined : SVC_VALUES[key];
  const wire = form ? form.parse(octets, keyNumber) : octets;
  if (typeof wire === "string") throw input.wrong(token, wire, "svc-value");
  return { key, value: wire };
}

/** Checks one value, and gives what its presentation format needs. */
function checkValue(key: number, value: Uint8Array): void {
  const reason = SVC_VALUES[key]?.check(value);
  if (reason) throw new SvcValueError(keyName(key), reason);
}

class SvcValueError extends Error {
  constructor(readonly key: string, readonly reason: string) {
    super(`${key} ${reason}`);
  }
}

/** What must stand together: RFC 9460 §8 (mandatory) and §7.1.1 (alpn). */
function checkTogether(params: ReadonlyMap<number, Uint8Array>): void {
  for (const [key, value] of params) checkValue(key, value);
  if (params.has(NO_DEFAULT_ALPN) && !params.has(ALPN)) {
    throw new SvcValueError("no-default-alpn", "needs alpn beside it");
  }
  const mandatory = params.get(MANDATORY);
  for (let i = 0; mandatory && i < mandatory.length; i += 2) {
    const key = (mandatory[i] << 8) | mandatory[i + 1];
    if (!params.has(key)) {
      throw new SvcValueError(
        "mandatory",
        `names ${keyName(key)}, which is missing`,
      );
    }
  }
}

function takeParams(wire: RdataReader): Map<number, Uint8Array> {
  const params = new Map<number, Uint8Array>();
  let last = -1;
  while (wire.left > 0) {
    const key = wire.u16();
    if (key <= last) throw wire.malformed("have keys out of order or twice");
    params.set(key, wire.take(wire.u16()));
    last = key;
  }
  return params;
}

/** SvcParams to the end of the RDATA, perhaps none. */
export const svcParams: FieldCodec = {
  parse(input, out) {
    const params = new Map<number, Uint8Array>();
    while (!input.done) {
      const { key, value } = parseParam(input);
      if (params.has(key)) {
        throw input.wrong(input.last, "repeats its key", "svc-key-twice");
      }
      params.set(key, value);
    }
    const sorted = [...params].sort(([a], [b]) => a - b);
    try {
      checkTogether(new Map(sorted));
    } catch (cause) {
      if (!(cause instanceof SvcValueError)) throw cause;
      const token = input.tokens.find((t) => t.text.split("=")[0] === cause.key);
      throw input.wrong(
        token ?? input.last,
        `is malformed: ${cause.message}`,
        "svc-value",
        "RFC 9460 §7 and §8 say what each SvcParam takes",
        cause,
      );
    }
    for (const [key, value] of sorted) {
      out.u16(key);
      out.u16(value.length);
      out.octets(value);
    }
  },
  check(wire) {
    try {
      checkTogether(takeParams(wire));
    } catch (cause) {
      if (!(cause instanceof SvcValueError)) throw cause;
      throw wire.malformed(`are malformed: ${cause.message}`, "svc-value");
    }
  },
  format(wire) {
    return Array.from(takeParams(wire), ([key, value]) => {
      const text = SVC_VALUES[key]
        ? SVC_VALUES[key].format(value, keyName)
        : value.length > 0
        ? quote(value)
        : "";
      return text === "" ? keyName(key) : `${keyName(key)}=${text}`;
    }).join(" ");
  },
};
