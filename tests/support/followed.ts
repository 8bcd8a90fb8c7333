/** zonecast with real secondaries that are there before it, as in operation. */
import type { DnsServer, SecondaryKind } from "./dns_server.ts";
import { freePort } from "./ports.ts";
import { startSecondary } from "./secondaries.ts";
import { serveZones } from "./setup.ts";
import type { Zonecast, ZonecastOptions } from "./zonecast.ts";

export interface Followed extends AsyncDisposable {
  readonly zonecast: Zonecast;
  /** In the order asked for. */
  readonly secondaries: readonly DnsServer[];
}

/**
 * Starts the secondaries, then zonecast, and waits until it has published all of `zones`.
 *
 * The secondaries have asked in vain by then: it is a NOTIFY that brings them the zones.
 */
export async function serveFollowed(
  kinds: readonly SecondaryKind[],
  options: Omit<ZonecastOptions, "secondaries" | "port"> & { readonly zones: readonly string[] },
): Promise<Followed> {
  const primary = { addr: "127.0.0.1", port: freePort() };
  await using starting = new AsyncDisposableStack();
  const secondaries = await Promise.all(
    kinds.map(async (kind) =>
      starting.use(await startSecondary(kind, { zones: options.zones, primary }))
    ),
  );
  const zonecast = starting.use(
    await serveZones({ ...options, secondaries, port: primary.port }),
  );
  const running = starting.move();
  return { zonecast, secondaries, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
