/** Certificates of tests, made by openssl: an authority of their own, and what it has signed. */
import { noteSecret } from "./secrets.ts";
import { mustRun } from "./processes.ts";

export interface Certificates {
  /** File of the authority's certificate. */
  readonly ca: string;
  /** Makes a certificate with its key, or writes others over those of the name. */
  issue(name: string, options?: IssueOptions): Promise<CertificatePair>;
}

export interface IssueOptions {
  /** What the certificate is for; default `ns.test` and 127.0.0.1. */
  readonly names?: readonly string[];
}

/** Paths. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

const EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

async function openssl(args: string[]): Promise<void> {
  await mustRun("openssl", args);
}

/** An authority in a directory. Keys are readable by their owner alone. */
export async function certificates(dir: string): Promise<Certificates> {
  const ca = `${dir}/ca.pem`;
  const caKey = `${dir}/ca.key`;
  const subject = ["-subj", "/CN=zonecast test authority"];
  await openssl(["req", "-x509", ...EC, "-keyout", caKey, "-out", ca, "-days", "30", ...subject]);
  return {
    ca,
    async issue(name, { names = ["DNS:ns.test", "IP:127.0.0.1"] } = {}) {
      const [cert, key] = [`${dir}/${name}.pem`, `${dir}/${name}.key`];
      const request = `${dir}/${name}.csr`;
      const extensions = `${dir}/${name}.ext`;
      await Deno.writeTextFile(
        extensions,
        `subjectAltName=${names.join(",")}\nbasicConstraints=critical,CA:FALSE\n`,
      );
      await openssl(["req", ...EC, "-keyout", key, "-out", request, "-subj", `/CN=${name}`]);
      await openssl(
        ["x509", "-req", "-in", request, "-CA", ca, "-CAkey", caKey, "-CAcreateserial"]
          .concat("-days", "30", "-extfile", extensions, "-out", cert),
      );
      await Deno.chmod(key, 0o600);
      // The middle line of its base64.
      noteSecret((await Deno.readTextFile(key)).split("\n")[2]);
      return { cert, key };
    },
  };
}
