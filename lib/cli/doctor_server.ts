/**
 * Our own server examined, as others meet it: where it answers, from which address, whom it lets
 * transfer.
 *
 * Effects: questions to the running server, and a connection to each secondary, which shows from
 * which address this machine reaches it.
 */
import { parseName, ROOT, TYPE, ZonecastError } from "../dns/mod.ts";
import {
  type Cidr,
  type Finding,
  type FindingVerdict,
  formatCidr,
  formatSocketAddress,
  normalIp,
  readIp,
  type SocketAddress,
} from "../ops/mod.ts";
import {
  type Access,
  answerSource,
  type Asker,
  AskError,
  fetchZone,
  type Secondary,
  type TransferRule,
} from "../server/mod.ts";
import { TransferError } from "../transfer/mod.ts";
import type { PublishedZone } from "./doctor_examination.ts";
import { isWildcard } from "./serve_config.ts";

/** Shorter prefixes than these let in more than any secondary needs, bits by octets of an address. */
const WIDE_PREFIX: Readonly<Record<number, number>> = { 4: 8, 16: 24 };
/** An address of loopback beside the usual one: a wildcard's answers do not leave from it. */
const OTHER_LOOPBACK = "127.0.0.2";

export interface ServerExamination {
  readonly zones: readonly PublishedZone[];
  /** As bound; empty when no server runs. */
  readonly listen: readonly SocketAddress[];
  readonly secondaries: readonly Secondary[];
  readonly allowTransfer: readonly TransferRule[];
  readonly access: Access;
  readonly asker: Asker;
}

function found(check: string, verdict: FindingVerdict, text: string, fix?: string): Finding {
  return { check, subject: "server", verdict, text, fix };
}

export async function* examineServer(ex: ServerExamination): AsyncGenerator<Finding> {
  yield* aboutRules(ex);
  const locals = ex.listen.some(isWildcard) ? await localAddresses(ex) : [];
  for (const listen of ex.listen) {
    for (const address of askedAddresses(listen, locals)) yield* aboutAnswers(ex, listen, address);
    const { port } = listen;
    const ip = isWildcard(listen) ? (listen.ip === "::" ? "::1" : "127.0.0.1") : listen.ip;
    yield* aboutTcp(ex, { ip, port });
  }
}

/** Rules that let in whoever comes. */
function* aboutRules({ secondaries, allowTransfer }: ServerExamination): Generator<Finding> {
  const rules = [
    ...allowTransfer.map(({ cidr, keys }) => ({ whose: "--allow-transfer", cidr, keys })),
    ...secondaries.flatMap(({ name, from, keys }) =>
      from.map((cidr) => ({ whose: `--secondary ${name}`, cidr, keys }))
    ),
  ];
  let isGood = true;
  for (const { whose, cidr, keys } of rules) {
    if (keys.length > 0 || !isWide(cidr)) continue;
    isGood = false;
    const all = cidr.prefix === 0;
    yield found(
      "strangers",
      all ? "bad" : "warning",
      `${whose} lets ${all ? "everybody" : "a wide range"} transfer, without a key: ` +
        formatCidr(cidr),
      "name the addresses that transfer, or give the rule a key: key=KEY",
    );
  }
  if (isGood && rules.length > 0) {
    yield found("rules", "good", "only addresses that are named, or hold a key, may transfer");
  }
  if (rules.length === 0) {
    yield found("rules", "warning", "nobody may transfer", "name the secondaries: --secondary");
  }
}

function isWide({ ip, prefix }: Cidr): boolean {
  return prefix < WIDE_PREFIX[ip.length];
}

/** The addresses by which this machine reaches its secondaries. */
async function localAddresses({ secondaries, asker }: ServerExamination): Promise<string[]> {
  const found = await Promise.all(
    secondaries.map(async ({ ip, port, tls }) => {
      try {
        using connection = await asker.connect(tls ? { ip, port: 53 } : { ip, port });
        return normalIp(connection.localIp);
      } catch (error) {
        if (error instanceof AskError) return undefined;
        throw error;
      }
    }),
  );
  return [...new Set(found.filter((ip) => ip !== undefined))];
}

/** Where a listener is asked: at its address, or at those that a wildcard stands for. */
function askedAddresses(listen: SocketAddress, locals: readonly string[]): SocketAddress[] {
  const { ip, port } = listen;
  if (!isWildcard(listen)) return [listen];
  const isV4 = (each: string) => readIp(each)?.length === 4;
  const loopback = ip === "::" ? ["::1", OTHER_LOOPBACK] : ["127.0.0.1", OTHER_LOOPBACK];
  const own = locals.filter((each) => ip === "::" || isV4(each));
  return [...new Set([...own, ...loopback])].map((each) => ({ ip: each, port }));
}

/** Whether answers over UDP come, and from where they were asked. */
async function* aboutAnswers(
  ex: ServerExamination,
  listen: SocketAddress,
  address: SocketAddress,
): AsyncGenerator<Finding> {
  const at = formatSocketAddress(address);
  const source = await answerSource(address, anyQuestion(ex));
  if (!source) {
    yield found(
      "udp-source",
      "bad",
      `our server does not answer over UDP at ${at}`,
      "does --allow-query let this machine ask, and a firewall?",
    );
  } else if (formatSocketAddress(source) === at) {
    yield found("udp-source", "good", `answers over UDP leave from ${at}, where they were asked`);
  } else {
    yield found(
      "udp-source",
      "bad",
      `what is asked at ${at} is answered from ${formatSocketAddress(source)}: who asked does ` +
        "not believe it",
      `name each address with --listen, in the place of ${formatSocketAddress(listen)}`,
    );
  }
}

function anyQuestion({ zones }: ServerExamination) {
  return { name: zones.length > 0 ? parseName(zones[0].name) : ROOT, type: TYPE.SOA };
}

/** Whether it answers over TCP, and refuses this machine a zone where it may not have it. */
async function* aboutTcp(
  { zones, access, asker }: ServerExamination,
  address: SocketAddress,
): AsyncGenerator<Finding> {
  const at = formatSocketAddress(address);
  if (zones.length === 0) return;
  try {
    let local: string;
    {
      using connection = await asker.connect(address);
      local = normalIp(connection.localIp);
    }
    const denial = access.transferDenial({ ip: local });
    if (!denial) {
      yield found(
        "strangers",
        "unknown",
        `${local} may transfer, so no stranger can be played from here; the rules are looked at`,
      );
      return;
    }
    for await (const _ of fetchZone(asker, address, parseName(zones[0].name))) {
      yield found(
        "strangers",
        "bad",
        `${at} sends ${zones[0].name} to ${local}, unsigned, which these flags do not allow`,
        "the running server has other flags: restart it with these, or give doctor its own",
      );
      return;
    }
  } catch (error) {
    if (error instanceof TransferError && error.rcode !== undefined) {
      yield found("strangers", "good", `${at} refuses a transfer to who may not have it`);
    } else if (error instanceof ZonecastError) {
      yield found(
        "tcp",
        "bad",
        `our server does not answer over TCP: ${error.message}`,
        error.hint ?? "transfers go over TCP: let its port through",
      );
    } else throw error;
  }
}
