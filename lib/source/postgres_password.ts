/**
 * A password for Postgres that stands in no URL: from a systemd credential, or from a
 * password file as libpq has it.
 *
 * Read anew for each connection, so that a new password needs no restart. Reads the
 * environment and files; keeps nothing. No error carries what stands in them.
 */
import { SourceError } from "./errors.ts";

/** systemd's credential that holds the password, and nothing else. */
export const PASSWORD_CREDENTIAL = "postgres-password";

/** What a password is looked for. */
export interface Login {
  /** The URL's `passfile`. */
  readonly passfile: string | undefined;
  /** A unix socket's directory counts as "localhost", too. */
  readonly hosts: readonly { readonly name: string; readonly port: string }[];
  readonly user: string | undefined;
  readonly database: string | undefined;
}

/**
 * The password; undefined where there is none. From the file that the URL names; else
 * from $PGPASSWORD, the credential, the file $PGPASSFILE names or ~/.pgpass, in this order.
 *
 * With several hosts the first for which the file has a line decides.
 *
 * @throws {SourceError} "source-password": a file that is named cannot be read, or others may
 */
export function findPassword(login: Login): string | undefined {
  const env = (name: string) => Deno.env.get(name) || undefined;
  // A file that the URL names is meant for this source; the rest for any.
  if (login.passfile) return lookUp(login, readPrivate(login.passfile, true));
  if (env("PGPASSWORD")) return env("PGPASSWORD");
  const credentials = env("CREDENTIALS_DIRECTORY");
  const credential = credentials && readPrivate(`${credentials}/${PASSWORD_CREDENTIAL}`, false);
  if (credential) return credential.replace(/\r?\n$/, "");
  const named = env("PGPASSFILE");
  if (named) return lookUp(login, readPrivate(named, true));
  const home = env("HOME");
  return home ? lookUp(login, readPrivate(`${home}/.pgpass`, false)) : undefined;
}

/** A file that only its owner and group may read; undefined where it is not and need not be. */
function readPrivate(path: string, needed: boolean): string | undefined {
  try {
    const { mode } = Deno.statSync(path);
    if (mode !== null && (mode & 0o007) !== 0) {
      throw new SourceError(
        "source-password",
        `The password file ${path} may be read or changed by everybody`,
        `\`chmod 600 ${path}\`; if others could read it, change the password`,
      );
    }
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    if (!needed) return undefined; // not there, or, as somebody else's, out of reach
    throw new SourceError(
      "source-password",
      `Cannot read password file ${path}`,
      "check the path, and that the user zonecast runs as may read it",
      { cause: error },
    );
  }
}

/** The password of the first line that fits: HOST:PORT:DATABASE:USER:PASSWORD, * for any. */
function lookUp({ hosts, user, database }: Login, text: string | undefined): string | undefined {
  const lines = (text ?? "").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const { name, port } of hosts) {
    const names = name.startsWith("/") ? [name, "localhost"] : [name];
    for (const line of lines) {
      const [host, ...rest] = fields(line.replace(/\r$/, ""));
      const wanted = [port, database, user];
      if (host !== "*" && !names.includes(host)) continue;
      if (wanted.every((value, at) => rest[at] === "*" || rest[at] === value)) return rest[3];
    }
  }
  return undefined;
}

/** The fields of a line; a backslash takes the next character as it is. */
function fields(line: string): string[] {
  const found = [""];
  for (const [part] of line.matchAll(/\\.|[^]/g)) {
    if (part === ":" && found.length < 5) found.push("");
    else found[found.length - 1] += part.length > 1 ? part.slice(1) : part;
  }
  return found;
}
