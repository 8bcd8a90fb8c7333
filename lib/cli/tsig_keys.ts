/**
 * The TSIG keys a server has: from files, directories and systemd's credentials.
 *
 * A file that others than its owner and group may read is refused: a secret that
 * everybody on the machine knows proves nothing.
 */
import { formatName, ZonecastError } from "../dns/mod.ts";
import { type TsigKey, tsigKey } from "../wire/mod.ts";
import { KeyFileError, parseKeyFile } from "./tsig_key_file.ts";

/** systemd's credentials whose names begin so are key files. */
const CREDENTIAL_PREFIX = "tsig";
/** Longest key file, octets: one holds a few hundred keys at most. */
const MAX_FILE_OCTETS = 1 << 20;

/**
 * All keys of the files; a directory stands for the files in it, hidden ones left out.
 *
 * @param paths  as given by flags
 * @param credentials  systemd's directory of credentials, where there is one
 * @throws {KeyFileError} a file is not there, open to everybody, of neither form,
 *   or two keys have one name
 */
export async function loadKeys(
  paths: readonly string[],
  credentials: string | undefined,
): Promise<TsigKey[]> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  if (credentials) files.push(...await credentialFiles(credentials));
  const keys = new Map<string, { key: TsigKey; file: string }>();
  for (const file of files) {
    for (const { name, algorithm, secret, minMacOctets } of await readKeyFile(file)) {
      const key = tsigKey(name, algorithm, secret, minMacOctets);
      secret.fill(0);
      const text = formatName(key.name);
      const twin = keys.get(text);
      if (twin) {
        throw new KeyFileError(
          "key-twice",
          `The key ${text} stands in ${twin.file} and in ${file}`,
          "give each key a name of its own, also while one takes another's place",
        );
      }
      keys.set(text, { key, file });
    }
  }
  return [...keys.values()].map(({ key }) => key);
}

async function filesAt(path: string): Promise<string[]> {
  const info = await looked(path);
  if (!info.isDirectory) return [path];
  const names = await opened(path, async () => {
    const entries = await Array.fromAsync(Deno.readDir(path));
    return entries.filter((entry) => !entry.isDirectory).map(({ name }) => name);
  });
  return names.filter((name) => !name.startsWith(".")).sort().map((name) => `${path}/${name}`);
}

async function credentialFiles(directory: string): Promise<string[]> {
  const files = await filesAt(directory);
  return files.filter((file) => file.slice(directory.length + 1).startsWith(CREDENTIAL_PREFIX));
}

async function readKeyFile(path: string) {
  const { mode, size } = await looked(path);
  if (mode !== null && (mode & 0o007) !== 0) {
    throw new KeyFileError(
      "key-file-open",
      `The key file ${path} may be read or changed by everybody (mode ${
        (mode & 0o777).toString(8).padStart(4, "0")
      })`,
      `\`chmod 600 ${path}\`; if others could read it, make a new key: \`zonecast keygen\``,
    );
  }
  if (size > MAX_FILE_OCTETS) {
    throw new KeyFileError("key-file-malformed", `${path} is too long for a key file`);
  }
  return parseKeyFile(await opened(path, () => Deno.readTextFile(path)), path);
}

function looked(path: string): Promise<Deno.FileInfo> {
  return opened(path, () => Deno.stat(path));
}

async function opened<T>(path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    if (cause instanceof ZonecastError || !(cause instanceof Error)) throw cause;
    throw new KeyFileError(
      "key-file-unreadable",
      `Cannot read key file ${path}: ${cause.message}`,
      "check the path, and that the user zonecast runs as may read it",
      { cause },
    );
  }
}
