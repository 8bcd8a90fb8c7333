/** What keeps the server from starting. */
import { ZonecastError } from "../dns/mod.ts";

export class ServerError extends ZonecastError {
  override readonly name = "ServerError";
}

/** Why a socket could not be bound, for an operator. */
export function bindError(what: string, address: string, cause: unknown): ServerError {
  const options = { cause };
  const cannot = `Cannot ${what} ${address}`;
  if (cause instanceof Deno.errors.AddrInUse) {
    return new ServerError(
      "address-in-use",
      `${cannot}: the address is in use`,
      "stop the other server (ss -lnptu shows it), or choose another address or port",
      options,
    );
  }
  if (cause instanceof Deno.errors.PermissionDenied || cause instanceof Deno.errors.NotCapable) {
    return new ServerError(
      "address-permission",
      `${cannot}: permission denied`,
      "a port below 1024 needs CAP_NET_BIND_SERVICE; or listen on a higher one, as in --listen 127.0.0.1:5300",
      options,
    );
  }
  if (cause instanceof Deno.errors.AddrNotAvailable) {
    return new ServerError(
      "address-not-here",
      `${cannot}: this machine does not have the address`,
      "ip address shows what it has",
      options,
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServerError("address-failed", `${cannot}: ${reason}`, undefined, options);
}
