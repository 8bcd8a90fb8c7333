/** Free loopback ports. */

/** Below the ephemeral range, so that no client socket takes a port between choice and use. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

const given = new Set<number>();

function isFree(port: number): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** A port on 127.0.0.1 free for UDP and TCP, which this process has not given before. */
export function freePort(): number {
  for (let tries = 0; tries < 1000; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
  throw new Error(`No free port found between ${LOWEST} and ${HIGHEST}`);
}
