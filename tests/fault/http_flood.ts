/** An HTTP server asked for the same things again and again, on many connections. */

/**
 * Begins; ends when it is disposed.
 *
 * @param connections  so many loops, each with a connection for each request
 * @param answered  told of each answer
 */
export function floodHttp(
  port: number,
  connections: number,
  answered: () => void,
  paths: readonly string[],
): AsyncDisposable {
  let over = false;
  const open = new Set<Deno.Conn>();
  const loops = Array.from({ length: connections }, async (_, i) => {
    for (let turn = i; !over; turn++) {
      try {
        using conn = await Deno.connect({ hostname: "127.0.0.1", port });
        open.add(conn);
        if (await ask(conn, paths[turn % paths.length])) answered();
        open.delete(conn);
      } catch {
        // Closed by the server, which has its bounds; or by the end.
      }
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      over = true;
      for (const conn of open) closeQuietly(conn);
      await Promise.all(loops);
    },
  };
}

/** Whether something came. */
async function ask(conn: Deno.Conn, path: string): Promise<boolean> {
  await conn.write(new TextEncoder().encode(`GET ${path} HTTP/1.0\r\n\r\n`));
  const buffer = new Uint8Array(64 * 1024);
  let octets = 0;
  for (let read; (read = await conn.read(buffer)) !== null;) octets += read;
  return octets > 0;
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
