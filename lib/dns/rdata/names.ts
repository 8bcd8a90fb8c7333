/** Domain names in RDATA, uncompressed. Spec: RFC 1035 §3.3. */
import {
  formatName,
  formatRelative,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  type Name,
  NameError,
  parseName,
} from "../name.ts";
import type { FieldCodec } from "./codec.ts";
import type { RdataInput } from "./input.ts";
import type { RdataReader } from "./octets.ts";

/** The next token as a name, completed by the input's origin. */
export function takeName(input: RdataInput): Name {
  const text = input.word();
  try {
    return parseName(text, input.origin);
  } catch (cause) {
    if (!(cause instanceof NameError)) throw cause;
    const opening = `Cannot parse name "${text}": it `;
    const reason = cause.message.startsWith(opening)
      ? cause.message.slice(opening.length)
      : `is no name: ${cause.message}`;
    throw input.wrong(input.last, reason, cause.code, cause.hint, cause);
  }
}

/** The next octets as an uncompressed name: a view. */
export function takeWireName(wire: RdataReader): Name {
  const start = wire.at;
  for (let at = start;;) {
    const label = wire.octets[at];
    if (label === undefined) wire.need(at - start + 1);
    if (label > MAX_LABEL_OCTETS) {
      throw wire.malformed(
        `is no uncompressed name: length octet ${label} at octet ${at}`,
        "rdata-name",
      );
    }
    at += 1 + label;
    if (at - start > MAX_NAME_OCTETS) {
      throw wire.malformed(`has over ${MAX_NAME_OCTETS} octets`, "rdata-name");
    }
    if (label === 0) return wire.take(at - start);
  }
}

/** A domain name. */
export const domainName: FieldCodec = {
  parse: (input, out) => out.octets(takeName(input)),
  check: (wire) => void takeWireName(wire),
  format(wire, origin) {
    const name = takeWireName(wire);
    return origin ? formatRelative(name, origin) : formatName(name);
  },
};
