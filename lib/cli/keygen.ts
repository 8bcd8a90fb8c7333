/** `zonecast keygen`: makes a TSIG key, and says how each server takes it. */
import { encodeBase64 } from "@std/encoding/base64";
import { formatName, lowerName } from "../dns/mod.ts";
import { TSIG_ALGORITHMS } from "../wire/mod.ts";
import { type CommandInput, type Context, defineCommand } from "./command.ts";
import { CommandError, EXIT, UsageError } from "./errors.ts";
import { optional, withDefault } from "./flags.ts";
import { FILE, oneOf, ZONE } from "./forms.ts";
import { bare, bindKeyText, type FiledKey, knotKeyText } from "./tsig_key_file.ts";
import { JSON_FLAG, printJson } from "./json_output.ts";
import { object, text } from "./json_shape.ts";

const FORMATS = ["bind", "knot"] as const;
const FLAGS = {
  algorithm: withDefault(oneOf(TSIG_ALGORITHMS.map(({ name }) => name)), "hmac-sha256", {
    help: "how messages are signed",
    env: false,
  }),
  format: withDefault(oneOf(FORMATS), "bind", {
    help: "the form of the file: a key {} statement, or Knot's YAML; zonecast reads both",
    env: false,
  }),
  ...JSON_FLAG,
  out: optional(FILE, { help: "the file to write", defaultText: "NAME.key", env: false }),
};

export const keygen = defineCommand({
  name: "keygen",
  summary: "make a TSIG key for a secondary",
  details: [
    "Writes a key file that only its owner may read, and prints the lines that NSD, Knot, BIND " +
    "and PowerDNS take; they hold the secret. zonecast takes the file by --tsig-key-file.",
  ],
  positionals: [{ name: "NAME", help: "the key's name: a domain name of your own choice" }],
  flags: FLAGS,
  json: object("the key, without its secret", {
    name: text("its name"),
    algorithm: text("its algorithm"),
    file: text("the file that holds it"),
  }),
  examples: [
    "keygen ns1.example.org",
    "keygen ns2.example.org --algorithm hmac-sha512 --out /etc/zonecast/ns2.key",
  ],
  run: makeKey,
});

async function makeKey(
  { flags, args: [name] }: CommandInput<typeof FLAGS>,
  context: Context,
): Promise<number> {
  const key = newKey(name, flags.algorithm);
  const path = flags.out ?? `${fileName(key)}.key`;
  await writeNew(path, flags.format === "bind" ? bindKeyText(key) : knotKeyText(key));
  if (flags.json) {
    const { algorithm } = key;
    await printJson(context, { name: formatName(key.name), algorithm: algorithm.name, file: path });
  } else await context.print(instructions(key, path));
  return EXIT.GOOD;
}

function newKey(name: string, algorithmName: string): FiledKey {
  const zone = understoodName(name);
  const algorithm = TSIG_ALGORITHMS.find((each) => each.name === algorithmName)!;
  // As many octets as the MAC has: RFC 8945 §8 advises against fewer.
  const secret = crypto.getRandomValues(new Uint8Array(algorithm.macOctets));
  return { name: lowerName(zone), algorithm, secret, minMacOctets: undefined };
}

function understoodName(name: string) {
  try {
    return ZONE.parse(name).apex;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`keygen: "${name}" is no name for a key: ${error.message}`);
  }
}

function fileName({ name }: FiledKey): string {
  return bare(name).replaceAll(/[^a-z0-9._-]/g, "_");
}

/** @throws {CommandError} there is such a file already, or it cannot be written */
async function writeNew(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true, mode: 0o600 });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const there = cause instanceof Deno.errors.AlreadyExists;
    throw new CommandError(
      there ? "key-file-there" : "key-file-unwritable",
      there ? `There is a file ${path} already` : `Cannot write ${path}: ${cause.message}`,
      there ? "name another with --out; a key in use is not written over" : undefined,
      { cause },
    );
  }
}

/** What each server is told, indented to be copied. */
function instructions(key: FiledKey, path: string): string {
  const name = bare(key.name);
  const secret = encodeBase64(key.secret);
  const { algorithm } = key;
  const block = (text: string) => text.trimEnd().replaceAll(/^/gm, "    ");
  return `${path}: the key ${formatName(key.name)} (${algorithm.name}), for its owner only

zonecast:
    --tsig-key-file ${path} --secondary NAME=ADDRESS,key=${name}

NSD, nsd.conf:
${
    block(
      `key:\n    name: "${name}"\n    algorithm: ${algorithm.name}\n    secret: "${secret}"\n` +
        `zone:\n    name: ZONE\n    allow-notify: ZONECAST ${name}\n    request-xfr: ZONECAST ${name}`,
    )
  }

Knot, knot.conf:
${
    block(
      `${knotKeyText(key)}remote:\n  - id: zonecast\n    address: ZONECAST\n    key: ${name}\n` +
        `acl:\n  - id: zonecast\n    address: ZONECAST\n    key: ${name}\n    action: notify\n` +
        `zone:\n  - domain: ZONE\n    master: zonecast\n    acl: zonecast`,
    )
  }

BIND, named.conf:
${
    block(
      `${
        bindKeyText(key)
      }zone "ZONE" {\n\ttype secondary;\n\tprimaries { ZONECAST key "${name}"; };\n` +
        `\tallow-notify { key "${name}"; };\n};`,
    )
  }

PowerDNS:
${
    block(
      `pdnsutil import-tsig-key ${name} ${algorithm.name} '${secret}'\n` +
        `pdnsutil activate-tsig-key ZONE ${name} secondary`,
    )
  }

ZONE is your zone, ZONECAST the address zonecast answers at. These lines hold the secret.
`;
}
