/**
 * The certificate TLS is served with: read from its files or systemd's credentials, and read again
 * when they change; one that ends soon is warned of when it is read, and every day.
 *
 * Owns: a timer that looks at the files.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ZonecastError } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import type { TlsCertificate } from "../server/mod.ts";

/** Credentials that stand for the flags where those are not given. */
const CREDENTIALS = { cert: "tls-cert", key: "tls-key" } as const;
/** Time between two looks at the files, ms: they are changed every few weeks. */
const LOOK_MS = 2_000;
/** Time between two warnings of the same certificate, ms. */
const WARNING_MS = 86_400_000;
/** A certificate that ends so soon is warned of, ms: whoever renews it should have. */
const ENDS_SOON_MS = 7 * 86_400_000;

/** A file of TLS's that cannot be used. */
export class TlsFileError extends ZonecastError {
  override readonly name = "TlsFileError";
}

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** The files that flags, or in their place systemd's credentials, name; undefined for none. */
export async function certificateFiles(
  flags: { readonly cert: string | undefined; readonly key: string | undefined },
  credentials: string | undefined,
): Promise<CertificateFiles | undefined> {
  const cert = flags.cert ?? await credential(credentials, CREDENTIALS.cert);
  const key = flags.key ?? await credential(credentials, CREDENTIALS.key);
  return cert !== undefined && key !== undefined ? { cert, key } : undefined;
}

async function credential(directory: string | undefined, name: string) {
  if (!directory) return undefined;
  try {
    await Deno.stat(`${directory}/${name}`);
    return `${directory}/${name}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A certificate as it was read. */
interface ReadCertificate extends TlsCertificate {
  readonly subject: string;
  readonly ends: Date;
}

/** A certificate and its key, read from files. */
export class CertificateSource {
  #current: ReadCertificate;
  /** When it was last looked at whether it ends soon, ms since the epoch. */
  #lookedAt = 0;
  /** How the files looked when they were last read. */
  #seen: string;
  /** How they looked a moment ago, if that was not yet read. */
  #changing: string | undefined;
  #timer: number | undefined;

  private constructor(
    readonly files: CertificateFiles,
    current: ReadCertificate,
    seen: string,
    readonly log: Logger,
    readonly now: () => number,
  ) {
    this.#current = current;
    this.#seen = seen;
    this.#tell(current);
  }

  /**
   * @param now  ms since the epoch
   * @throws {TlsFileError} a file cannot be read, or they do not belong together
   */
  static async open(
    files: CertificateFiles,
    log: Logger,
    now: () => number = Date.now,
  ): Promise<CertificateSource> {
    const seen = await looks(files);
    return new CertificateSource(files, await readCertificate(files), seen, log, now);
  }

  get current(): TlsCertificate {
    return this.#current;
  }

  /**
   * Reads the files again; where that fails the old certificate stays. Never rejects.
   *
   * @param use  takes the new one; what it throws counts as its fault
   */
  async reload(use: (certificate: TlsCertificate) => void): Promise<void> {
    this.#changing = undefined;
    this.#seen = await looks(this.files);
    try {
      const certificate = await readCertificate(this.files);
      this.#tell(certificate);
      use(certificate);
      this.#current = certificate;
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      this.log.error("the TLS certificate stays as it was", { error, hint: error.hint });
    }
  }

  /**
   * Reads the files again whenever they have changed, and have then stood still from one look to
   * the next: certificate and key are not written in one moment.
   *
   * @param lookMs  time between two looks
   */
  watch(use: (certificate: TlsCertificate) => void, lookMs = LOOK_MS): void {
    this.#timer = setTimeout(async () => {
      await this.#look(use);
      if (this.#timer !== undefined) this.watch(use, lookMs);
    }, lookMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #look(use: (certificate: TlsCertificate) => void): Promise<void> {
    const now = await looks(this.files);
    if (now === this.#seen) this.#changing = undefined;
    else if (now === this.#changing) await this.reload(use);
    else this.#changing = now;
    if (this.now() - this.#lookedAt >= WARNING_MS) this.#warnOfEnd(this.#current);
  }

  #tell(certificate: ReadCertificate): void {
    this.log.info("TLS certificate read", this.#fieldsOf(certificate));
    this.#warnOfEnd(certificate);
  }

  #warnOfEnd(certificate: ReadCertificate): void {
    this.#lookedAt = this.now();
    const left = certificate.ends.getTime() - this.#lookedAt;
    if (left >= ENDS_SOON_MS) return;
    this.log.warn(
      left < 0 ? "the TLS certificate has expired" : "the TLS certificate soon expires",
      {
        ...this.#fieldsOf(certificate),
        hint: "secondaries that verify it can then transfer no more: renew it",
      },
    );
  }

  #fieldsOf({ subject, ends }: ReadCertificate) {
    return { certificate: this.files.cert, subject, until: ends.toISOString() };
  }
}

/** All of two files that a change of their content changes; for a file that is not there, that. */
async function looks({ cert, key }: CertificateFiles): Promise<string> {
  const look = async (path: string) => {
    try {
      const { mtime, size, ino, dev } = await Deno.stat(path);
      return `${mtime?.getTime()} ${size} ${ino} ${dev}`;
    } catch {
      return "away";
    }
  };
  return `${await look(cert)}, ${await look(key)}`;
}

/** @throws {TlsFileError} a file cannot be read, or they do not belong together */
async function readCertificate(files: CertificateFiles): Promise<ReadCertificate> {
  const cert = await readPem(files.cert);
  await refuseOpen(files.key);
  const key = await readPem(files.key);
  const first = understood(files.cert, "certificate", () => new X509Certificate(cert));
  const secret = understood(files.key, "private key", () => createPrivateKey(key));
  if (!first.checkPrivateKey(secret)) {
    throw new TlsFileError(
      "tls-key-other",
      `The key ${files.key} is not that of the certificate ${files.cert}`,
      "the server's own certificate comes first in its file, its issuers after it",
    );
  }
  return { cert, key, subject: first.subject, ends: new Date(first.validTo) };
}

/** @throws {TlsFileError} everybody may read or change the file */
async function refuseOpen(path: string): Promise<void> {
  const { mode } = await opened(path, () => Deno.stat(path));
  if (mode === null || (mode & 0o007) === 0) return;
  throw new TlsFileError(
    "tls-key-open",
    `The key file ${path} may be read or changed by everybody (mode ${
      (mode & 0o777).toString(8).padStart(4, "0")
    })`,
    `\`chmod 600 ${path}\`; if others could read it, make a new key and certificate`,
  );
}

/** A file of authorities' certificates, in PEM. @throws {TlsFileError} it holds none */
export async function readAuthorities(path: string): Promise<string> {
  const pem = await readPem(path);
  understood(path, "certificate", () => new X509Certificate(pem));
  return pem;
}

/** The text of a PEM file. @throws {TlsFileError} it cannot be read */
function readPem(path: string): Promise<string> {
  return opened(path, () => Deno.readTextFile(path));
}

async function opened<T>(path: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new TlsFileError(
      "tls-file-unreadable",
      `Cannot read ${path}: ${cause.message}`,
      "check the path, and that the user zonecast runs as may read it",
      { cause },
    );
  }
}

function understood<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch {
    // Its own words may show parts of the file.
    throw new TlsFileError(
      "tls-file-malformed",
      `${path} does not hold a ${what} in PEM`,
      what === "private key" ? "it may not be encrypted with a passphrase" : undefined,
    );
  }
}
