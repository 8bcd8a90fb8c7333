/**
 * Address fields: IPv4, IPv6, EUI, the 64-bit values of ILNP, APL items.
 *
 * Specs: RFC 1035 §3.4.1, RFC 3596 §2, RFC 4291 §2.2 (reading), RFC 5952
 * (writing), RFC 7043, RFC 6742, RFC 3123.
 */
import { formatHex, parseHex } from "./binary.ts";
import type { FieldCodec } from "./codec.ts";
import type { OctetWriter, RdataReader } from "./octets.ts";

/** The octets of an IPv4 address in dotted decimal, or undefined when the text is none. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(4);
  return readIpv4(text, octets) ? octets : undefined;
}

/**
 * Whether a text is an IPv4 address in dotted decimal, its octets then written: the
 * way without an allocation, for rows by the million.
 *
 * @param out  receives 4 octets from index `at` on; written also when the text is none
 * @param from  index in the text where the address begins
 */
export function readIpv4(text: string, out: Uint8Array, at = 0, from = 0): boolean {
  let part = 0;
  let value = -1; // -1: no digit yet
  for (let i = from; i <= text.length; i++) {
    const c = i < text.length ? text.charCodeAt(i) : 0x2e;
    if (c === 0x2e) {
      if (value < 0 || part > 3) return false;
      out[at + part++] = value;
      value = -1;
    } else if (c >= 0x30 && c <= 0x39 && value !== 0) {
      value = (value < 0 ? 0 : value * 10) + c - 0x30;
      if (value > 255) return false;
    } else return false; // also a leading zero, which some read as octal
  }
  return part === 4;
}

/** An IPv4 address in dotted decimal. */
export function formatIpv4(octets: Uint8Array): string {
  return `${octets[0]}.${octets[1]}.${octets[2]}.${octets[3]}`;
}

/** The octets of an IPv6 address, or undefined when the text is none (a zone id is none). */
export function parseIpv6(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(16);
  return readIpv6(text, octets) ? octets : undefined;
}

/**
 * Whether a text is an IPv6 address, its octets then written, as {@link readIpv4} does.
 *
 * @param out  receives 16 octets from its start; written also when the text is none
 */
export function readIpv6(text: string, out: Uint8Array): boolean {
  let length = 0;
  let gapAt = -1;
  let at = 0;
  if (text.startsWith("::")) {
    gapAt = 0;
    at = 2;
  }
  while (at < text.length) {
    let value = 0;
    let end = at;
    for (; end < text.length && end < at + 4; end++) {
      const digit = hexDigit(text.charCodeAt(end));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (end === at) return false;
    if (end < text.length && text.charCodeAt(end) === 0x2e) {
      if (length > 12 || !readIpv4(text, out, length, at)) return false;
      length += 4;
      break;
    }
    if (length > 14) return false;
    out[length++] = value >>> 8;
    out[length++] = value;
    at = end;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== 0x3a) return false;
    if (at === text.length) return false;
    if (text.charCodeAt(at) === 0x3a) {
      if (gapAt >= 0) return false;
      gapAt = length;
      at++;
    }
  }
  if (gapAt < 0) return length === 16;
  if (length > 14) return false;
  out.copyWithin(16 - (length - gapAt), gapAt, length);
  out.fill(0, gapAt, 16 - (length - gapAt));
  return true;
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** An IPv6 address in the form RFC 5952 recommends. */
export function formatIpv6(octets: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((octets[i] << 8) | octets[i + 1]);
  let gapAt = -1;
  let gap = 1; // a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > gap) {
      gapAt = i;
      gap = end - i;
    }
    if (end > i) i = end;
  }
  const hex = (part: number[]) => part.map((g) => g.toString(16)).join(":");
  if (gapAt < 0) return hex(groups);
  if (gapAt === 0 && gap === 5 && groups[5] === 0xffff) {
    return "::ffff:" + formatIpv4(octets.subarray(12)); // RFC 5952 §5
  }
  return hex(groups.slice(0, gapAt)) + "::" + hex(groups.slice(gapAt + gap));
}

function addressCodec(
  octets: number,
  parse: (text: string) => Uint8Array | undefined,
  format: (octets: Uint8Array) => string,
  what: string,
): FieldCodec {
  return {
    parse(input, out) {
      const address = parse(input.word());
      if (!address) throw input.wrong(input.last, `is no ${what}`, "address");
      out.octets(address);
    },
    check: (wire) => void wire.take(octets),
    format: (wire) => format(wire.take(octets)),
  };
}

/** An IPv4 address. */
export const ipv4 = addressCodec(
  4,
  parseIpv4,
  formatIpv4,
  "IPv4 address in dotted decimal (192.0.2.1)",
);

/** An IPv6 address. */
export const ipv6 = addressCodec(
  16,
  parseIpv6,
  formatIpv6,
  "IPv6 address (2001:db8::1)",
);

/** Hex digits in groups of `size` octets with `separator` between them; `least` digits a group suffice. */
function groupedHex(
  octets: number,
  size: number,
  least: number,
  separator: string,
  what: string,
): FieldCodec {
  const group = `[0-9a-f]{${least},${2 * size}}`;
  const shape = new RegExp(`^${group}(?:${separator}${group}){${octets / size - 1}}$`, "i");
  return addressCodec(
    octets,
    (text) =>
      shape.test(text)
        ? parseHex(text.split(separator).map((part) => part.padStart(2 * size, "0")).join(""))
        : undefined,
    (wire) => {
      const hex = formatHex(wire).toLowerCase();
      return Array.from(
        { length: octets / size },
        (_, i) => hex.slice(i * 2 * size, (i + 1) * 2 * size),
      ).join(separator);
    },
    what,
  );
}

/** 48 bits, xx-xx-xx-xx-xx-xx. */
export const eui48 = groupedHex(6, 1, 2, "-", "EUI-48 address (00-00-5e-00-53-2a)");
/** 64 bits, xx-xx-xx-xx-xx-xx-xx-xx. */
export const eui64 = groupedHex(8, 1, 2, "-", "EUI-64 address (00-00-5e-ef-10-00-00-2a)");
/** 64 bits, xxxx:xxxx:xxxx:xxxx. */
export const ilnp64 = groupedHex(8, 2, 1, ":", "64-bit value (2001:0db8:1140:1000)");

/** The families an APL item may have: address octets, reader, writer. */
const APL_FAMILIES = [
  { family: 1, octets: 4, parse: parseIpv4, format: formatIpv4 },
  { family: 2, octets: 16, parse: parseIpv6, format: formatIpv6 },
];

function writeAplItem(text: string, out: OctetWriter): boolean {
  const [, not, family, address, prefix] = /^(!?)([12]):([^/]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  const known = APL_FAMILIES.find((f) => String(f.family) === family);
  const octets = known?.parse(address);
  if (!known || !octets || Number(prefix) > known.octets * 8) return false;
  let length = octets.length; // trailing zero octets are left out (RFC 3123 §4)
  while (length > 0 && octets[length - 1] === 0) length--;
  out.u16(known.family);
  out.u8(Number(prefix));
  out.u8((not ? 0x80 : 0) | length);
  out.octets(octets.subarray(0, length));
  return true;
}

function takeAplItem(wire: RdataReader): string {
  const family = wire.u16();
  const prefix = wire.u8();
  const flags = wire.u8();
  const part = wire.take(flags & 0x7f);
  const known = APL_FAMILIES.find((f) => f.family === family);
  if (part.at(-1) === 0) throw wire.malformed("ends in a zero octet");
  if (!known) return "";
  if (part.length > known.octets || prefix > known.octets * 8) {
    throw wire.malformed(`is no prefix of family ${family}`);
  }
  const address = new Uint8Array(known.octets);
  address.set(part);
  const not = flags & 0x80 ? "!" : "";
  return `${not}${family}:${known.format(address)}/${prefix}`;
}

/** Address prefixes to the end of the RDATA, perhaps none: `1:192.0.2.0/24 !2:2001:db8::/32`. */
export const aplItems: FieldCodec = {
  parse(input, out) {
    while (!input.done) {
      if (!writeAplItem(input.word(), out)) {
        throw input.wrong(
          input.last,
          "is no address prefix",
          "address",
          "write [!]1:IPv4/length or [!]2:IPv6/length (RFC 3123)",
        );
      }
    }
  },
  check(wire) {
    while (wire.left > 0) takeAplItem(wire);
  },
  format(wire) {
    const items: string[] = [];
    while (wire.left > 0) {
      const item = takeAplItem(wire);
      // No text form for other families: the whole RDATA is printed as \#.
      if (!item) throw wire.malformed("has an unknown address family");
      items.push(item);
    }
    return items.join(" ");
  },
};
