/**
 * Free loopback ports.
 *
 * Test files run side by side, and a port may be chosen long before something listens on it: for
 * a server not yet started, or one that is to come back on it. So each file takes a block of
 * ports for itself, by listening on the block's first one for as long as the file runs.
 */

/** All below the ephemeral range, so that no client socket takes a port between choice and use. */
const HIGHEST = Math.min(32_000, ephemeralFrom());
const LOWEST = HIGHEST - 12_000;
/** Ports in a block, more than a test file needs; a long bench goes round. */
const BLOCK = 200;

/** Where the ports of client sockets begin; where they leave no room below, as if nowhere. */
function ephemeralFrom(): number {
  const [from] = Deno.readTextFileSync("/proc/sys/net/ipv4/ip_local_port_range").split("\t");
  return Number(from) > 14_000 ? Number(from) : Infinity;
}

const listen = (port: number) => Deno.listen({ hostname: "127.0.0.1", port });

/** Takes a block that no other test file has. Returns its first port, on which it listens. */
function takeBlock(): number {
  const blocks = (HIGHEST - LOWEST) / BLOCK;
  const first = Math.floor(Math.random() * blocks);
  for (let tries = 0; tries < blocks; tries++) {
    const port = LOWEST + ((first + tries) % blocks) * BLOCK;
    try {
      listen(port).unref();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`All blocks of ports between ${LOWEST} and ${HIGHEST} are taken`);
}

const block = takeBlock();
let given = 0;

function isFree(port: number): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port }).close();
    listen(port).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** A port on 127.0.0.1 free for UDP and TCP, which this process has not given for long. */
export function freePort(): number {
  for (let tries = 1; tries < BLOCK; tries++) {
    given = given % (BLOCK - 1) + 1;
    if (isFree(block + given)) return block + given;
  }
  throw new Error(`All ${BLOCK} ports of the block from ${block} are in use`);
}
