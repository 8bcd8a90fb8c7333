/** Key files: BIND's and Knot's forms, what is refused, and that no message shows a secret. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { formatName } from "../../../lib/dns/mod.ts";
import {
  bindKeyText,
  KeyFileError,
  knotKeyText,
  parseKeyFile,
} from "../../../lib/cli/tsig_key_file.ts";
import { loadKeys } from "../../../lib/cli/tsig_keys.ts";
import { tempDir } from "../../support/tempdir.ts";

const SECRET = "c2VjcmV0IHNlY3JldA==";

const BIND = `/* made by
 a person */
key "Ns1.Example" { # of the first
  algorithm HMAC-SHA512;  // strong
  secret "${SECRET}";
};
key ns2.example. { algorithm hmac-sha256-128; secret ${SECRET}; };
`;

const KNOT = `# hmac-sha256:ns1.example:${SECRET}
key:
  - id: ns1.example
    algorithm: hmac-sha256
    secret: ${SECRET}
  - { id: ns2.example., algorithm: hmac-sha1, secret: "${SECRET}" }
`;

const shown = (text: string) =>
  parseKeyFile(text, "FILE").map(({ name, algorithm, secret, minMacOctets }) => ({
    name: formatName(name),
    algorithm: algorithm.name,
    secret: new TextDecoder().decode(secret),
    minMacOctets,
  }));

Deno.test("BIND's form: comments, quotes or none, several keys, truncation in the algorithm", () => {
  const secret = "secret secret";
  assertEquals(shown(BIND), [
    { name: "Ns1.Example.", algorithm: "hmac-sha512", secret, minMacOctets: undefined },
    { name: "ns2.example.", algorithm: "hmac-sha256", secret, minMacOctets: 16 },
  ]);
});

Deno.test("Knot's form: block and flow YAML", () => {
  const secret = "secret secret";
  assertEquals(shown(KNOT), [
    { name: "ns1.example.", algorithm: "hmac-sha256", secret, minMacOctets: undefined },
    { name: "ns2.example.", algorithm: "hmac-sha1", secret, minMacOctets: undefined },
  ]);
});

Deno.test("what is written is read back, in both forms", () => {
  for (
    const key of parseKeyFile(BIND, "FILE").map((key) => ({ ...key, minMacOctets: undefined }))
  ) {
    assertEquals(parseKeyFile(bindKeyText(key), "FILE"), [key]);
    assertEquals(parseKeyFile(knotKeyText(key), "FILE"), [key]);
  }
});

const REFUSED: Readonly<Record<string, readonly [text: string, says: string]>> = {
  "an empty file": ["", "FILE: it has no key"],
  "another statement": ["options { };", 'FILE:1: it must begin with "key"'],
  "no end": [`\nkey "a" {\nalgorithm hmac-sha256;\nsecret "${SECRET}";`, "FILE:4: } is missing"],
  "an open quote": ['key "a {', "FILE:1: a quote or a comment does not end"],
  "an open comment": ["\n/* key", "FILE:2: a quote or a comment does not end"],
  "no secret": ['key "a" { algorithm hmac-sha256; };', 'FILE:1: the key "a" has no secret'],
  "no algorithm": [`key "a" { secret "${SECRET}"; };`, 'FILE:1: the key "a" has no algorithm'],
  "an unknown algorithm": [
    `key a { algorithm hmac-sha3; secret "${SECRET}"; };`,
    'FILE:1: the key "a" has the algorithm "hmac-sha3"; there are: hmac-sha256',
  ],
  "a secret that is no base64": [
    'key a { algorithm hmac-sha256; secret "?hunter2?"; };',
    'FILE:1: the secret of the key "a" is no base64',
  ],
  "secret and algorithm in each other's place": [
    `key a { algorithm "${SECRET}"; secret hmac-sha256; };`,
    'FILE:1: the key "a" has an algorithm that is none; there are: hmac-sha256',
  ],
  "the same in YAML": [
    `key:\n  - id: a\n    algorithm: ${SECRET}\n    secret: hmac-sha256`,
    'FILE, key 1: the key "a" has an algorithm that is none',
  ],
  "a secret without its word": [
    `key a { algorithm hmac-sha256; "${SECRET}"; };`,
    "FILE:1: a field's value is missing",
  ],
  "a name that is none": [
    `key a..b { algorithm hmac-sha256; secret "${SECRET}"; };`,
    "FILE:1: a key's name is no domain name",
  ],
  "broken YAML": [`key:\n  - id: a\n secret: [${SECRET}`, "FILE: it is not well-formed YAML"],
  "YAML without a list": ["key: a", "FILE: its key: is no list"],
  "YAML without an id": [`key:\n  - secret: ${SECRET}`, "FILE, key 1: it has no id"],
};

for (const [what, [text, says]] of Object.entries(REFUSED)) {
  Deno.test(`refused with its place, and without the secret: ${what}`, () => {
    const error = assertThrows(() => parseKeyFile(text, "FILE"), KeyFileError);
    assert(error.message.includes(says), error.message);
    const all = `${error.message} ${error.hint} ${error.stack}`;
    assert(!all.includes(SECRET) && !all.includes("hunter2"), all);
  });
}

Deno.test("keys come from files, directories and credentials; a file for everybody is refused", async () => {
  await using temp = await tempDir();
  const dir = temp.path;
  const write = (name: string, text: string, mode = 0o600) =>
    Deno.writeTextFile(`${dir}/${name}`, text, { mode });
  const one = (name: string) => `key ${name} { algorithm hmac-sha256; secret ${SECRET}; };`;
  await Deno.mkdir(`${dir}/keys`);
  await write("keys/b.key", one("b."));
  await write("keys/a.key", one("a."), 0o640);
  await write("keys/.hidden", "nothing");
  await Deno.mkdir(`${dir}/credentials`);
  await write("credentials/tsig-c", one("C."));
  await write("credentials/database", "postgres://");
  await write("lone.key", one("lone."));
  const keys = await loadKeys([`${dir}/lone.key`, `${dir}/keys`], `${dir}/credentials`);
  assertEquals(keys.map(({ name }) => formatName(name)), ["lone.", "a.", "b.", "c."]);

  const code = async (paths: string[]) =>
    (await assertRejects(() => loadKeys(paths, undefined), KeyFileError)).code;
  await write("keys/open.key", one("open."), 0o644);
  await Deno.chmod(`${dir}/keys/open.key`, 0o644);
  assertEquals(await code([`${dir}/keys`]), "key-file-open");
  await write("twin.key", one("LONE"));
  assertEquals(await code([`${dir}/lone.key`, `${dir}/twin.key`]), "key-twice");
  assertEquals(await code([`${dir}/nowhere`]), "key-file-unreadable");
});

Deno.test("a directory that may not be listed is an error that names it, at a reload as at the start", async () => {
  await using dir = await tempDir();
  // To root nothing is denied, so the runtime says it.
  const { readDir } = Deno;
  Deno.readDir = () => {
    throw new Deno.errors.PermissionDenied("Permission denied");
  };
  try {
    const error = await assertRejects(() => loadKeys([dir.path], undefined), KeyFileError);
    assertEquals(error.code, "key-file-unreadable");
    assert(error.message.includes(dir.path), error.message);
  } finally {
    Deno.readDir = readDir;
  }
});
