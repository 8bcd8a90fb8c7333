/** A TCP proxy before Postgres that lets no notification through, as transaction poolers do. */

/** NotificationResponse of Postgres' protocol. */
const NOTIFICATION = "A".charCodeAt(0);
/** A message: its type in one octet, its length, itself included, in four. */
const HEADER = 5;

export interface DeafProxy extends AsyncDisposable {
  readonly port: number;
}

/** A proxy on a free port of 127.0.0.1. */
export function startDeafProxy(to: number): DeafProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const done: Promise<unknown>[] = [];
  const accepting = (async () => {
    for await (const client of listener) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port: to });
      for (const conn of [client, server]) open.add(conn);
      const ends = () => {
        for (const conn of [client, server]) {
          if (open.delete(conn)) conn.close();
        }
      };
      done.push(
        copy(client, server, (octets) => octets).catch(() => {}).finally(ends),
        copy(server, client, withoutNotifications()).catch(() => {}).finally(ends),
      );
    }
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const conn of [...open]) {
        if (open.delete(conn)) conn.close();
      }
      await Promise.all(done);
    },
  };
}

async function copy(
  from: Deno.Conn,
  to: Deno.Conn,
  change: (octets: Uint8Array) => Uint8Array,
): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    let rest = change(buffer.slice(0, count));
    while (rest.length > 0) rest = rest.subarray(await to.write(rest));
  }
}

/** Cuts a server's stream into messages, and drops those that notify. */
function withoutNotifications(): (octets: Uint8Array) => Uint8Array {
  let held = new Uint8Array(0);
  return (octets) => {
    const all = new Uint8Array([...held, ...octets]);
    const kept: number[] = [];
    let at = 0;
    while (at + HEADER <= all.length) {
      const length = 1 + new DataView(all.buffer, at + 1, 4).getUint32(0);
      if (at + length > all.length) break;
      if (all[at] !== NOTIFICATION) kept.push(...all.subarray(at, at + length));
      at += length;
    }
    held = all.slice(at);
    return new Uint8Array(kept);
  };
}
