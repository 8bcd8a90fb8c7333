/** The forms that values of flags and arguments have, but for numbers. Pure. */
import {
  findTypeCode,
  formatName,
  isMetaType,
  isSerial,
  lowerName,
  type Name,
  parseName,
  parseTtl,
  TYPE,
  typeName,
} from "../dns/mod.ts";
import { type Cidr, parseCidr, parseSocketAddress, type SocketAddress } from "../ops/mod.ts";
import { MAX_IDENTITY_OCTETS } from "../server/mod.ts";
import type { TransferRule } from "../server/mod.ts";
import { wrongForm as wrong } from "./errors.ts";
import type { ValueForm } from "./flags.ts";

/** What a server tells of itself. */
export const IDENTITY: ValueForm<string> = {
  placeholder: "TEXT",
  takes: `1 to ${MAX_IDENTITY_OCTETS} printable ASCII characters`,
  parse: (text) => {
    if (!/^[ -~]+$/.test(text)) throw wrong("it has other characters");
    if (text.length > MAX_IDENTITY_OCTETS) throw wrong("it is too long");
    return text;
  },
};

/** Where to listen. */
export const LISTEN_ADDRESS: ValueForm<SocketAddress> = {
  placeholder: "ADDR:PORT",
  takes: "an IP address with a port, such as 127.0.0.1:53 or [::1]:53",
  parse: (text) => parseSocketAddress(text),
};

/** An address or prefix. */
export const CIDR: ValueForm<Cidr> = {
  placeholder: "CIDR",
  takes: "an IP address or prefix, such as 192.0.2.7 or 2001:db8::/32",
  parse: parseCidr,
};

/** Who may transfer: an address or prefix, and the TSIG keys of which one must sign. */
export const TRANSFER_RULE: ValueForm<TransferRule> = {
  placeholder: "RULE",
  takes: "CIDR[,key=KEY]: an address or prefix, and the TSIG key that must sign",
  parse: (text) => {
    const [cidr, ...options] = text.split(",");
    const keys = options.flatMap((option) => {
      const [, names] = /^key=(.+)$/.exec(option.trim()) ?? [];
      if (names === undefined) throw wrong(`"${option}" is no option of it`);
      return names.split("+").map((name) => parseName(name));
    });
    return { cidr: parseCidr(cidr), keys };
  },
};

/** Seconds, as in a master file. */
export const TTL: ValueForm<number> = {
  placeholder: "TTL",
  takes: "seconds or units, such as 300 or 1h30m, up to 2147483647",
  parse: (text) => {
    if (!/^(?:[0-9]+|(?:[0-9]+[wdhms])+)$/i.test(text)) throw wrong("it is no number of seconds");
    return parseTtl(text);
  },
};

/** An SOA serial. */
export const SERIAL: ValueForm<number> = {
  placeholder: "SERIAL",
  takes: "a whole number from 0 to 4294967295",
  parse: (text) => {
    if (!/^[0-9]+$/.test(text)) throw wrong("it is no whole number");
    if (!isSerial(Number(text))) throw wrong("it is too large for a serial");
    return Number(text);
  },
};

/** What `zonecast held` calls a hold. */
export const HOLD_ID: ValueForm<string> = {
  placeholder: "ID",
  takes: "an id that `zonecast held` lists, such as 3f9ac01b2d4e",
  parse: (text) => {
    if (!/^[0-9a-f]{12}$/i.test(text)) throw wrong("it has other than twelve hexadecimal digits");
    return text.toLowerCase();
  },
};

/** A path; what lies there is seen when it is opened. */
export const FILE: ValueForm<string> = {
  placeholder: "FILE",
  takes: "a path",
  isPath: true,
  parse: (text) => text,
};

/** The path of a unix socket. */
export const SOCKET_PATH: ValueForm<string> = {
  placeholder: "PATH",
  takes: "the path of a unix socket",
  isPath: true,
  parse: (text) => text,
};

/** A group of the system. */
export const GROUP: ValueForm<string> = {
  placeholder: "GROUP",
  takes: "the name or number of a group",
  parse: (text) => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text)) throw wrong("it is no name of a group");
    return text;
  },
};

/** The name of a Postgres channel: longer ones Postgres cuts off in silence. */
export const CHANNEL: ValueForm<string> = {
  placeholder: "NAME",
  takes: "the name of a Postgres channel, up to 63 octets",
  parse: (text) => {
    if (new TextEncoder().encode(text).length > 63) throw wrong("it is too long");
    return text;
  },
};

/** The name of a Postgres role, as it is: it is quoted where it is used. */
export const ROLE: ValueForm<string> = {
  placeholder: "NAME",
  takes: "the name of a Postgres role, up to 63 octets",
  parse: (text) => CHANNEL.parse(text),
};

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[]): ValueForm<W> {
  return {
    placeholder: words.join("|"),
    takes: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    words,
    parse: (text) => {
      const word = words.find((each) => each === text);
      if (word === undefined) throw wrong("it is none of these");
      return word;
    },
  };
}

/** A zone's name: its apex, and the one text that sources know it by. */
export interface ZoneName {
  readonly apex: Name;
  /** Lower case, without the last dot; "." for the root. */
  readonly text: string;
}

/** The text sources know a zone by. */
export function zoneText(apex: Name): string {
  return apex.length === 1 ? "." : formatName(lowerName(apex)).slice(0, -1);
}

/** The name of a zone; with or without its last dot it is absolute. */
export const ZONE: ValueForm<ZoneName> = {
  placeholder: "ZONE",
  takes: "the name of a zone, such as example.org",
  parse: (text) => {
    const apex = parseName(text);
    return { apex, text: zoneText(apex) };
  },
};

/** A name in presentation format; whose parts it is relative to, the command knows. */
export const NAME: ValueForm<string> = {
  placeholder: "NAME",
  takes: "a name relative to the zone, @ for the zone itself, or an absolute one with its last dot",
  parse: (text) => {
    if (text !== "@") parseName(text);
    return text;
  },
};

/** An SOA RNAME (RFC 1035 §8): a mailbox as a name. */
export const MAILBOX: ValueForm<string> = {
  placeholder: "MAILBOX",
  takes: "a name, its @ written as a dot, such as hostmaster.example.org.",
  parse: (text) => {
    if (/[^\\]@/.test(text)) throw wrong("it is a mail address");
    return NAME.parse(text);
  },
};

/** An RR type that may be zone data. */
export const RR_TYPE: ValueForm<number> = {
  placeholder: "TYPE",
  takes: "an RR type such as A, TXT or TYPE65280",
  parse: (text) => {
    const type = findTypeCode(text);
    if (type === undefined) throw wrong("it is no RR type known here");
    if (isMetaType(type)) throw wrong(`${typeName(type)} is no type of zone data`);
    if (type === TYPE.SOA) {
      throw wrong("the SOA record is made from the zone's settings: `zonecast zone set`");
    }
    return type;
  },
};
