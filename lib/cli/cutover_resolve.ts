/**
 * What a resolver says, for the planning of a move: addresses of hosts, and the servers of a
 * zone's parent.
 *
 * Effects: questions that ask for recursion.
 */
import { formatName, lowerName, type Name, parentName, parseName, TYPE } from "../dns/mod.ts";
import { formatIp, type SocketAddress } from "../ops/mod.ts";
import { type AskedServer, type Asker } from "../server/mod.ts";
import { FLAG, RCODE, rcodeName } from "../wire/mod.ts";
import { CommandError } from "./errors.ts";

const DNS_PORT = 53;
/** Where the system's resolvers stand. */
const RESOLV_CONF = "/etc/resolv.conf";

/** A name as plans have it: absolute, lower case. */
export function hostText(name: Name): string {
  return formatName(lowerName(name));
}

/** Asks one resolver. */
export class Resolver {
  constructor(
    readonly asker: Asker,
    readonly server: AskedServer,
    /** The port of the servers that it names: 53, but for tests. */
    readonly port: number = DNS_PORT,
  ) {}

  /** The addresses of a host, IPv4 first; empty when it has none. @throws {AskError | CommandError} */
  async addresses(host: string): Promise<string[]> {
    const name = parseName(host);
    const found: string[] = [];
    for (const type of [TYPE.A, TYPE.AAAA]) {
      const { answer } = await this.#ask(name, type);
      for (const record of answer) if (record.type === type) found.push(formatIp(record.rdata));
    }
    return found;
  }

  /** The zone that delegates a zone, and its servers. @throws {AskError | CommandError} */
  async parentOf(zone: Name): Promise<{ readonly parent: string; readonly names: string[] }> {
    for (let at = parentName(zone); at !== undefined; at = parentName(at)) {
      const { answer } = await this.#ask(at, TYPE.NS);
      const owner = hostText(at);
      const own = answer.filter((each) => each.type === TYPE.NS && hostText(each.owner) === owner);
      if (own.length === 0) continue;
      return { parent: owner, names: own.map(({ rdata }) => hostText(rdata)).sort() };
    }
    throw new CommandError(
      "parent-unknown",
      `The resolver names no zone above ${formatName(zone)}`,
      "name the parent's servers with --parent, or another resolver with --resolver",
    );
  }

  async #ask(name: Name, type: number) {
    const { response } = await this.asker.ask(this.server, { name, type, flags: FLAG.RD });
    if (response.rcode === RCODE.NOERROR || response.rcode === RCODE.NXDOMAIN) return response;
    throw new CommandError(
      "resolver-failed",
      `The resolver ${this.server.ip} answers ${rcodeName(response.rcode)} for ${formatName(name)}`,
      "name another with --resolver",
    );
  }
}

/** The first of the system's resolvers. @throws {CommandError} it has none that can be read */
export async function systemResolver(): Promise<SocketAddress> {
  let text = "";
  try {
    text = await Deno.readTextFile(RESOLV_CONF);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const [, ip] = /^nameserver\s+(\S+)/m.exec(text) ?? [];
  if (ip) return { ip, port: DNS_PORT };
  throw new CommandError(
    "no-resolver",
    `${RESOLV_CONF} names no resolver`,
    "name one with --resolver",
  );
}
