/**
 * The values of the SvcParams that have a form of their own.
 *
 * Specs: RFC 9460 §7 (alpn, no-default-alpn, port, ipv4hint, ipv6hint, ech),
 * §8 (mandatory), Appendix A.1 (value lists); RFC 9461 §5; RFC 9540 §4.
 */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "./addresses.ts";
import { formatBase64, parseBase64 } from "./binary.ts";
import { quote } from "./strings.ts";

/** One SvcParam's value, in both directions. */
export interface SvcValueForm {
  /**
   * @param octets  the value, escapes of character-strings resolved
   * @returns the wire form, or what is wrong with the value
   */
  parse(
    octets: Uint8Array,
    keyNumber: (name: string) => number | undefined,
  ): Uint8Array | string;
  /** What is wrong with a wire form; undefined when nothing is. */
  check(value: Uint8Array): string | undefined;
  /** Presentation format, quoted where needed; empty for a key alone. */
  format(value: Uint8Array, keyName: (key: number) => string): string;
}

const COMMA = 0x2c;
const BACKSLASH = 0x5c;

const text = (octets: Uint8Array) => String.fromCharCode(...octets);

/** Splits at commas that no backslash escapes (RFC 9460 Appendix A.1); undefined when an item is empty. */
function splitList(octets: Uint8Array): Uint8Array[] | undefined {
  const items: number[][] = [[]];
  for (let i = 0; i < octets.length; i++) {
    if (octets[i] === COMMA) items.push([]);
    else {
      if (octets[i] === BACKSLASH && ++i === octets.length) return undefined;
      items[items.length - 1].push(octets[i]);
    }
  }
  if (items.some((item) => item.length === 0)) return undefined;
  return items.map((item) => Uint8Array.from(item));
}

const mandatory: SvcValueForm = {
  parse(octets, keyNumber) {
    const keys = text(octets).split(",").map(keyNumber);
    if (keys.some((key) => key === undefined)) return "names no SvcParam key";
    const sorted = keys.map(Number).sort((a, b) => a - b);
    return Uint8Array.from(sorted.flatMap((key) => [key >>> 8, key & 0xff]));
  },
  check(value) {
    if (value.length === 0 || value.length % 2 !== 0) {
      return "is no list of keys";
    }
    let last = 0; // above 0: mandatory itself may not be named
    for (let i = 0; i < value.length; i += 2) {
      const key = (value[i] << 8) | value[i + 1];
      if (key <= last) return "names itself, a key twice, or keys out of order";
      last = key;
    }
  },
  format(value, keyName) {
    const names: string[] = [];
    for (let i = 0; i < value.length; i += 2) {
      names.push(keyName((value[i] << 8) | value[i + 1]));
    }
    return names.join(",");
  },
};

const alpn: SvcValueForm = {
  parse(octets) {
    const ids = splitList(octets);
    if (!ids || ids.some((id) => id.length > 255)) {
      return "is no list of protocol ids of 1 to 255 octets, with commas between them";
    }
    return Uint8Array.from(ids.flatMap((id) => [id.length, ...id]));
  },
  check(value) {
    if (value.length === 0) return "is empty";
    let at = 0;
    while (at < value.length) {
      if (value[at] === 0) return "has an empty protocol id";
      at += 1 + value[at];
    }
    if (at !== value.length) return "has a protocol id that is cut short";
  },
  format(value) {
    const list: number[] = [];
    for (let at = 0; at < value.length; at += 1 + value[at]) {
      if (at > 0) list.push(COMMA);
      for (const octet of value.subarray(at + 1, at + 1 + value[at])) {
        if (octet === COMMA || octet === BACKSLASH) list.push(BACKSLASH);
        list.push(octet);
      }
    }
    return quote(Uint8Array.from(list));
  },
};

const port: SvcValueForm = {
  parse(octets) {
    const digits = text(octets);
    const value = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : Infinity;
    if (value > 65_535) return "is no port from 0 to 65535";
    return Uint8Array.of(value >>> 8, value & 0xff);
  },
  check: (value) => value.length === 2 ? undefined : "is not two octets",
  format: (value) => String((value[0] << 8) | value[1]),
};

/** A key that stands without a value. */
const empty: SvcValueForm = {
  parse: (octets) => octets.length === 0 ? octets : "takes no value",
  check: (value) => value.length === 0 ? undefined : "takes no value",
  format: () => "",
};

const ech: SvcValueForm = {
  parse: (octets) => parseBase64(text(octets)) ?? "is no base64 text",
  check: (value) => value.length > 0 ? undefined : "is empty",
  format: formatBase64,
};

/** One `{…}` of a URI template (RFC 6570 §2); its variables are in the first group. */
const TEMPLATE_EXPRESSION =
  /\{[+#./;?&]?((?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})+(?:\*|:[1-9][0-9]{0,3})?(?:,(?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})+(?:\*|:[1-9][0-9]{0,3})?)*)\}/g;

/** What is wrong with a dohpath: a path as URI template with the variable `dns` (RFC 9461 §5). */
function dohpathFlaw(octets: Uint8Array): string | undefined {
  const template = new TextDecoder().decode(octets);
  if (template.includes("\ufffd") || !template.startsWith("/")) {
    return "is no path that begins with /, in UTF-8";
  }
  const literals = template.replace(TEMPLATE_EXPRESSION, "");
  if (/[{}]|%(?![0-9A-Fa-f]{2})/.test(literals)) return "is no URI template (RFC 6570)";
  for (const [, variables] of template.matchAll(TEMPLATE_EXPRESSION)) {
    if (variables.split(",").some((name) => /^dns(?:[*:]|$)/.test(name))) return;
  }
  return "has no {?dns} in it";
}

const dohpath: SvcValueForm = {
  parse: (octets) => dohpathFlaw(octets) ?? octets,
  check: dohpathFlaw,
  format: quote,
};

function addressList(
  size: number,
  parse: (text: string) => Uint8Array | undefined,
  format: (octets: Uint8Array) => string,
): SvcValueForm {
  return {
    parse(octets) {
      const addresses: number[] = [];
      for (const item of text(octets).split(",")) {
        const address = parse(item);
        if (!address) return `has "${item}", which is no address of its kind`;
        addresses.push(...address);
      }
      return Uint8Array.from(addresses);
    },
    check: (value) =>
      value.length > 0 && value.length % size === 0 ? undefined : "is no list of addresses",
    format(value) {
      const list: string[] = [];
      for (let i = 0; i < value.length; i += size) {
        list.push(format(value.subarray(i, i + size)));
      }
      return list.join(",");
    },
  };
}

/** By SvcParamKey: 0 mandatory, 1 alpn, 2 no-default-alpn, 3 port, 4 ipv4hint, 5 ech, 6 ipv6hint, 7 dohpath, 8 ohttp. */
export const SVC_VALUES: readonly SvcValueForm[] = [
  mandatory,
  alpn,
  empty,
  port,
  addressList(4, parseIpv4, formatIpv4),
  ech,
  addressList(16, parseIpv6, formatIpv6),
  dohpath,
  empty,
];
