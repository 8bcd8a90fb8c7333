/** A secondary that takes NOTIFY over TLS, acknowledges it and does nothing else. */
import type { Server } from "./dns_client.ts";
import type { CertificatePair } from "./certificates.ts";
import { freePort } from "./ports.ts";

export interface TlsNotified extends Server, AsyncDisposable {
  /** NOTIFY messages acknowledged. */
  readonly notifies: number;
}

class Notified implements TlsNotified {
  readonly addr = "127.0.0.1";
  readonly port = freePort();
  notifies = 0;
  readonly #listener: Deno.TlsListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #work = new Set<Promise<void>>();

  constructor({ cert, key }: { cert: string; key: string }) {
    const { addr: hostname, port } = this;
    this.#listener = Deno.listenTls({ hostname, port, cert, key, alpnProtocols: ["dot"] });
    this.#track(this.#accept());
  }

  #track(work: Promise<void>): void {
    // A handshake that the other ends is what the test wants now and then.
    const tracked = work.catch(() => {}).finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#open.add(connection);
      this.#track(this.#serve(connection));
    }
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    let octets = new Uint8Array(0);
    const buffer = new Uint8Array(65_536);
    while (true) {
      const count = await connection.read(buffer);
      if (count === null) return;
      octets = new Uint8Array([...octets, ...buffer.subarray(0, count)]);
      const length = octets.length < 2 ? Infinity : octets[0] << 8 | octets[1];
      if (octets.length < 2 + length) continue;
      const reply = octets.slice(0, 2 + length);
      octets = octets.slice(2 + length);
      reply[4] |= 0x80; // QR
      await connection.write(reply);
      this.notifies++;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) {
      try {
        connection.close();
      } catch {
        // It has ended.
      }
    }
    await Promise.all(this.#work);
  }
}

/** Starts one with a certificate. */
export async function startTlsNotified({ cert, key }: CertificatePair): Promise<TlsNotified> {
  return new Notified({
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
  });
}
