/**
 * The zones measured with: half A, half AAAA, names `app-<10 hex>`, the same each time.
 *
 * A zone of n address records has n/2 names with an A and an AAAA each, beside its SOA and two NS
 * records. Names come in no order, as in a file that grew.
 */

export const ZONE_NAME = "bench.example";
/** The same, absolute. */
export const ZONE = `${ZONE_NAME}.`;
export const NS = ["ns1.servers.example.", "ns2.servers.example."] as const;
/** Records of each zone that are no address records: SOA and NS. */
export const APEX_RECORDS = 3;
export const TTL = 300;
const SERIAL = 2_026_000_000;

/** Odd, so that multiplying by it permutes the numbers below 2^40; below 2^32, so that it is exact. */
const STRIDE = 2_654_435_761;
const HEX_RANGE = 2 ** 40;

/** The owner label of name number `index`, below 2^21. No two are the same. */
export function label(index: number): string {
  return `app-${((index * STRIDE) % HEX_RANGE).toString(16).padStart(10, "0")}`;
}

export function ipv4(index: number): string {
  return `10.${index >> 16 & 255}.${index >> 8 & 255}.${index & 255}`;
}

export function ipv6(index: number): string {
  return `2001:db8::${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}`;
}

/** {@link label}, {@link ipv4} and {@link ipv6} of the number `n`, as SQL for Postgres. */
export const SQL = {
  label: `'app-' || lpad(to_hex((n::bigint * ${STRIDE}) % ${HEX_RANGE}), 10, '0')`,
  ipv4: `'10.' || (n >> 16 & 255) || '.' || (n >> 8 & 255) || '.' || (n & 255)`,
  ipv6: `'2001:db8::' || to_hex(n >> 16) || ':' || to_hex(n & 65535)`,
} as const;

/** A zone in a master file. */
export interface BenchZone {
  /** Absolute. */
  readonly name: string;
  /** Address records. */
  readonly size: number;
  /** All records: address records, NS and one SOA. */
  readonly records: number;
  readonly serial: number;
  /** Path of the master file. */
  readonly file: string;
}

/** Records joined before they are written, in lines. */
const CHUNK_LINES = 20_000;

function* chunks(size: number): Generator<string> {
  yield `$ORIGIN ${ZONE}\n$TTL ${TTL}\n` +
    `@ IN SOA ${NS[0]} hostmaster.servers.example. ${SERIAL} 3600 600 1209600 300\n` +
    NS.map((ns) => `@ IN NS ${ns}\n`).join("");
  for (let first = 0; first < size / 2; first += CHUNK_LINES / 2) {
    const lines: string[] = [];
    const end = Math.min(size / 2, first + CHUNK_LINES / 2);
    for (let index = first; index < end; index++) {
      const owner = label(index);
      lines.push(`${owner} IN A ${ipv4(index)}\n${owner} IN AAAA ${ipv6(index)}\n`);
    }
    yield lines.join("");
  }
}

/**
 * Writes the zone of `size` address records as an RFC 1035 master file.
 *
 * @param size  even, at most 4 million
 */
export async function writeZone(path: string, size: number): Promise<BenchZone> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  const writer = file.writable.getWriter();
  const text = new TextEncoder();
  for (const chunk of chunks(size)) await writer.write(text.encode(chunk));
  await writer.close();
  return { name: ZONE, size, records: size + APEX_RECORDS, serial: SERIAL, file: path };
}
