/**
 * Postgres URLs, as libpq understands them, made ready for postgres.js.
 *
 * postgres.js sends every parameter it does not know to the server, which
 * refuses the connection; and it takes no unix socket from a URL. So what only a
 * client needs is taken out here. Pure, but for reading the files that `sslrootcert`
 * and `passfile` name. No error and no description carries the password.
 *
 * Limitation: `sslmode=verify-ca` checks the host's name too, as verify-full does.
 */
import { SourceError } from "./errors.ts";
import { findPassword } from "./postgres_password.ts";

/** What to give postgres.js. */
export interface PostgresAddress {
  /** The URL without the parameters that are answered by the rest. */
  readonly url: string;
  /** Overrides the URL's. */
  readonly options: {
    /** One per host; a string for a unix socket's directory. */
    readonly host: string | string[];
    readonly port: number | number[];
    readonly user?: string;
    readonly password?: string;
    readonly database?: string;
  };
  /** How the server proves who it is; undefined: it need not, or `url` says so. */
  readonly verify?: {
    /** CA certificates, PEM; undefined: those of the system. */
    readonly ca: string | undefined;
  };
  /** For logs and status: "postgres HOST:PORT/DATABASE". */
  readonly description: string;
}

/** Parameters of libpq that neither postgres.js nor the server takes, and that change nothing here. */
const CLIENT_ONLY = [
  "channel_binding",
  "gssencmode",
  "gsslib",
  "krbsrvname",
  "keepalives",
  "keepalives_idle",
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
  "sslcompression",
  "sslsni",
  "require_auth",
  "load_balance_hosts",
];

/** The error for a Postgres URL that cannot be read; it does not quote it. */
function urlError(what: string): SourceError {
  return new SourceError(
    "source-url",
    `Cannot read the Postgres URL of the source: ${what}`,
    "it takes postgres://USER:PASSWORD@HOST:PORT/DATABASE; write special characters as %XX",
  );
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw urlError(`${what} has a % that begins no escape`);
  }
}

/** What libpq takes for `sslmode`. */
const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/**
 * Whether the server's certificate is verified, its host's name with it: where the
 * mode says so, or a CA is named.
 */
function readVerify(
  mode: string | undefined,
  rootCertificate: string | undefined,
): { ca: string | undefined } | undefined {
  if (mode !== undefined && !SSL_MODES.includes(mode)) {
    throw urlError(`sslmode is none of ${SSL_MODES.join(", ")}`);
  }
  if (mode === "disable" || !rootCertificate && !mode?.startsWith("verify-")) return undefined;
  const isSystem = !rootCertificate || rootCertificate === "system";
  return { ca: isSystem ? undefined : readRootCertificate(rootCertificate) };
}

function readRootCertificate(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    throw new SourceError(
      "source-url",
      `Cannot read ${path}, which the source's URL names as sslrootcert`,
      "check the file's name and permissions",
      { cause: error },
    );
  }
}

/**
 * A Postgres URL taken apart.
 *
 * Hosts may be several, tried in turn; a host that begins with a slash (as
 * `?host=/run/postgresql` or `%2Frun%2Fpostgresql`) is a unix socket's directory.
 *
 * @throws {SourceError} code "source-url"
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  // An @ is taken nowhere else: behind an unescaped / or ? it would be the rest of a password.
  const parts = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^@?#]*))?(?:\?([^@#]*))?$/
    .exec(text);
  if (!parts) throw urlError("it has no such form");
  const [, credentials, authority, path, query] = parts;
  decode(credentials ?? "", "the user or password");
  const parameters = new URLSearchParams(query);
  const take = (name: string): string | undefined => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value || undefined;
  };
  for (const name of CLIENT_ONLY) parameters.delete(name);

  const hosts = parseHosts(take("host") ?? authority, take("port"));
  const database = take("dbname") ?? decode(path ?? "", "the database's name");
  const mode = take("sslmode");
  const verify = readVerify(mode, take("sslrootcert"));
  if (mode && !verify) parameters.set("sslmode", mode);
  const user = take("user") ?? (decode(credentials?.split(":")[0] ?? "", "the user") || undefined);
  const passfile = take("passfile");
  const hasOwn = credentials?.includes(":"); // which postgres.js reads from the URL
  const password = take("password") ?? (hasOwn ? undefined : findPassword({
    passfile,
    hosts: hosts.map(({ name, port }) => ({ name, port: String(port) })),
    user,
    database: database || user,
  }));
  const options = {
    ...(hosts[0].name.startsWith("/")
      ? { host: hosts[0].name, port: hosts[0].port }
      : { host: hosts.map((host) => host.name), port: hosts.map((host) => host.port) }),
    ...optional("user", user),
    ...optional("password", password),
    ...optional("database", database || undefined),
  };
  const rest = parameters.size > 0 ? `?${parameters}` : "";
  const before = credentials === undefined ? "" : `${credentials}@`;
  return {
    url: `postgres://${before}localhost/${rest}`, // host, port and database stand in the options
    options,
    ...(verify ? { verify } : {}),
    description: `postgres ${hosts.map(formatHost).join(",")}/${database}`,
  };
}

interface Host {
  readonly name: string;
  readonly port: number;
}

/** Hosts separated by commas, each with its own port, or all with `port`, or with 5432. */
function parseHosts(text: string, port: string | undefined): Host[] {
  return text.split(",").map((part) => {
    const [, literal, name, own] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:]*))(?::(\d+))?$/.exec(part) ?? [];
    if (literal === undefined && name === undefined) {
      throw urlError("its HOST:PORT has no such form");
    }
    const number = Number(own ?? port ?? 5432);
    if (!(number > 0 && number < 65536)) throw urlError("a port lies outside 1 to 65535");
    return { name: literal ?? (decode(name, "the host") || "localhost"), port: number };
  });
}

function formatHost({ name, port }: Host): string {
  return `${name.includes(":") ? `[${name}]` : name}:${port}`;
}

function optional<K extends string>(key: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : { [key]: value } as { [key in K]: string };
}
