/**
 * What systemd is told of this process: sd_notify's protocol, spoken directly.
 *
 * Owns: one datagram socket, which must have a path of its own in this runtime.
 * Source: sd_notify(3), datagrams of assignments such as READY=1 to $NOTIFY_SOCKET.
 */
import type { Logger } from "./log.ts";

/** What the service manager gave the process, from its environment. */
export interface ServiceManager {
  /** $NOTIFY_SOCKET; undefined where no service manager waits for word. */
  readonly notifySocket: string | undefined;
  /** The time within which it wants to hear of us, ms; undefined for no watchdog. */
  readonly watchdogMs: number | undefined;
}

/**
 * What the environment says of a service manager.
 *
 * @param pid  ours: a watchdog set for another process is not for us
 */
export function serviceManager(
  env: (name: string) => string | undefined,
  pid: number,
): ServiceManager {
  const microseconds = Number(env("WATCHDOG_USEC") || NaN);
  const isOurs = (env("WATCHDOG_PID") || String(pid)) === String(pid);
  return {
    notifySocket: env("NOTIFY_SOCKET") || undefined,
    watchdogMs: isOurs && microseconds > 0 ? microseconds / 1000 : undefined,
  };
}

/** Tells the service manager how we are; where there is none, says nothing. */
export interface ServiceNotifier {
  /** Serving has begun, or goes on after a reload. */
  ready(status: string): Promise<void>;
  /** One line for `systemctl status`. */
  status(text: string): Promise<void>;
  reloading(): Promise<void>;
  stopping(status: string): Promise<void>;
  /** We are well: the watchdog waits anew. */
  alive(): Promise<void>;
  close(): void;
}

const SILENT: ServiceNotifier = {
  ready: () => Promise.resolve(),
  status: () => Promise.resolve(),
  reloading: () => Promise.resolve(),
  stopping: () => Promise.resolve(),
  alive: () => Promise.resolve(),
  close: () => {},
};

/**
 * A way to tell the service manager.
 *
 * An abstract socket (`@…`) cannot be reached from this runtime: that is logged,
 * and nothing is told.
 *
 * @param ownPath  where our own socket may lie; a stale one there is removed
 */
export function openServiceNotifier(
  manager: ServiceManager,
  ownPath: string,
  log: Logger,
): ServiceNotifier {
  const { notifySocket } = manager;
  if (!notifySocket) return SILENT;
  if (!notifySocket.startsWith("/")) {
    log.warn("the service manager cannot be told that we are ready", {
      socket: notifySocket,
      hint: "an abstract socket is out of reach; use Type=exec without a watchdog",
    });
    return SILENT;
  }
  try {
    removeStale(ownPath);
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: ownPath });
    return new DatagramNotifier(socket, ownPath, notifySocket, log);
  } catch (error) {
    log.warn("the service manager cannot be told that we are ready", {
      socket: ownPath,
      error: error instanceof Error ? error : new Error(String(error)),
      hint: "the directory of the control socket must be writable",
    });
    return SILENT;
  }
}

function removeStale(path: string): void {
  try {
    if (Deno.lstatSync(path).isSocket) Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

class DatagramNotifier implements ServiceNotifier {
  #failed = false;

  constructor(
    readonly socket: Deno.DatagramConn,
    readonly ownPath: string,
    readonly notifySocket: string,
    readonly log: Logger,
  ) {}

  ready(status: string): Promise<void> {
    return this.#tell("READY=1", `STATUS=${oneLine(status)}`);
  }

  status(text: string): Promise<void> {
    return this.#tell(`STATUS=${oneLine(text)}`);
  }

  reloading(): Promise<void> {
    return this.#tell("RELOADING=1");
  }

  stopping(status: string): Promise<void> {
    return this.#tell("STOPPING=1", `STATUS=${oneLine(status)}`);
  }

  alive(): Promise<void> {
    return this.#tell("WATCHDOG=1");
  }

  close(): void {
    this.socket.close();
    removeStale(this.ownPath);
  }

  async #tell(...assignments: string[]): Promise<void> {
    const text = assignments.join("\n");
    try {
      await this.socket.send(new TextEncoder().encode(text), {
        transport: "unixpacket",
        path: this.notifySocket,
      });
      this.#failed = false;
    } catch (error) {
      if (this.#failed) return; // said once
      this.#failed = true;
      this.log.warn("the service manager could not be told", {
        what: assignments[0],
        error: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
