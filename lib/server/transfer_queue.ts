/**
 * Which transfers run and which wait: so many at a time, so many for each client.
 *
 * A transfer whose client hardly takes anything goes on but no longer holds up others, for it
 * costs next to no processor time: clients that read slowly, by fault or will, leave the rest as
 * it was. What they do cost is the kernel's memory, which a close does not free while a write is
 * pending (a zombie): so the slow ones and the zombies have a bound of their own, above which
 * only a client without any is let in.
 *
 * Of those that wait, the client with the fewest is next; among such, who came first.
 *
 * Owns: who runs and who waits; a timer while somebody waits.
 */
import type { Clock } from "./clock.ts";
import {
  type ServerLimits,
  SLOW_LOOK_MS,
  SLOW_TRANSFERS,
  SLOW_WRITE_MS,
  SLOW_WRITE_OCTETS,
  TRANSFER_QUEUE_MS,
  TRANSFERS_QUEUED,
} from "./limits.ts";

/** A transfer's leave to run. */
export interface TransferSlot {
  /** A write begins, of so many octets. */
  writing(octets?: number): void;
  /** It has ended. */
  written(): void;
  /**
   * The transfer is over; at most once.
   *
   * @param pending  the write that has not ended: the socket counts until it has
   */
  leave(pending?: Promise<unknown>): void;
}

/** A transfer that waits. */
export interface TransferWait {
  /** Undefined: it waited too long, or was cancelled. */
  readonly slot: Promise<TransferSlot | undefined>;
  cancel(): void;
}

interface ClientShare {
  /** Transfers that run, fast or slow, and sockets that a stalled one left. */
  held: number;
  readonly waiting: Waiter[];
}

interface Waiter {
  readonly order: number;
  readonly deadline: number;
  admit(slot: TransferSlot | undefined): void;
}

interface Run {
  /** When the write on its way takes too long, ms; undefined between two. */
  slowAt: number | undefined;
  isSlow: boolean;
}

export class TransferQueue {
  readonly #limits: Pick<ServerLimits, "transfers" | "transfersPerClient">;
  readonly #clock: Clock;
  readonly #clients = new Map<string, ClientShare>();
  readonly #moving = new Set<Run>();
  /** Slow transfers and zombies. */
  #slow = 0;
  #waiting = 0;
  #order = 0;
  #cancelLook: (() => void) | undefined;

  constructor(limits: Pick<ServerLimits, "transfers" | "transfersPerClient">, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** How many transfers move, hardly move (or left a socket behind), and wait. */
  get counts(): { readonly moving: number; readonly slow: number; readonly waiting: number } {
    return { moving: this.#moving.size, slow: this.#slow, waiting: this.#waiting };
  }

  /** Leave for one transfer: now, after a wait, or undefined when too many wait. */
  enter(client: string): TransferSlot | TransferWait | undefined {
    let share = this.#clients.get(client);
    if (!share) this.#clients.set(client, share = { held: 0, waiting: [] });
    if (share.waiting.length === 0 && this.#mayRun(share)) return this.#run(client, share);
    if (this.#waiting >= TRANSFERS_QUEUED) {
      this.#forget(client, share);
      return undefined;
    }
    return this.#wait(client, share);
  }

  #mayRun(share: ClientShare): boolean {
    return this.#moving.size < this.#limits.transfers &&
      share.held < this.#limits.transfersPerClient &&
      (share.held === 0 || this.#slow < SLOW_TRANSFERS);
  }

  #wait(client: string, share: ClientShare): TransferWait {
    const { promise, resolve } = Promise.withResolvers<TransferSlot | undefined>();
    const deadline = this.#clock.now() + TRANSFER_QUEUE_MS;
    const waiter: Waiter = { order: this.#order++, deadline, admit: resolve };
    share.waiting.push(waiter);
    this.#waiting++;
    this.#cancelLook ??= this.#clock.after(SLOW_LOOK_MS, () => this.#look());
    return {
      slot: promise,
      cancel: () => {
        const index = share.waiting.indexOf(waiter);
        if (index >= 0) this.#dismiss(client, share, index);
      },
    };
  }

  /** Ends one wait in vain. */
  #dismiss(client: string, share: ClientShare, index: number): void {
    const [waiter] = share.waiting.splice(index, 1);
    this.#waiting--;
    waiter.admit(undefined);
    this.#forget(client, share);
  }

  #run(client: string, share: ClientShare): TransferSlot {
    const run: Run = { slowAt: undefined, isSlow: false };
    share.held++;
    this.#moving.add(run);
    return {
      writing: (octets = 0) => {
        const times = Math.max(1, octets / SLOW_WRITE_OCTETS);
        run.slowAt = this.#clock.now() + times * SLOW_WRITE_MS;
      },
      written: () => {
        run.slowAt = undefined;
      },
      leave: (pending) => {
        const gone = () => {
          this.#slow--;
          this.#release(client, share);
        };
        if (pending) {
          this.#becomeSlow(run);
          pending.then(gone, gone);
        } else if (run.isSlow) gone();
        else {
          this.#moving.delete(run);
          this.#release(client, share);
        }
        this.#admit();
      },
    };
  }

  #release(client: string, share: ClientShare): void {
    share.held--;
    this.#forget(client, share);
    this.#admit();
  }

  #forget(client: string, share: ClientShare): void {
    if (share.held === 0 && share.waiting.length === 0) this.#clients.delete(client);
  }

  #becomeSlow(run: Run): void {
    if (run.isSlow) return;
    run.isSlow = true;
    this.#moving.delete(run);
    this.#slow++;
  }

  /** Lets in whom there is room for. */
  #admit(): void {
    while (this.#waiting > 0) {
      const next = this.#next();
      if (!next) return;
      const [client, share] = next;
      const waiter = share.waiting.shift()!;
      this.#waiting--;
      waiter.admit(this.#run(client, share));
    }
  }

  /** The client next in turn, of those that may run. */
  #next(): [string, ClientShare] | undefined {
    let best: [string, ClientShare] | undefined;
    for (const entry of this.#clients) {
      const [, share] = entry;
      if (share.waiting.length === 0 || !this.#mayRun(share)) continue;
      if (!best || isBefore(share, best[1])) best = entry;
    }
    return best;
  }

  /** Finds transfers that hardly move, and waits that are too long. */
  #look(): void {
    this.#cancelLook = undefined;
    const now = this.#clock.now();
    for (const run of this.#moving) {
      if (run.slowAt !== undefined && now >= run.slowAt) this.#becomeSlow(run);
    }
    for (const [client, share] of this.#clients) {
      while (share.waiting[0]?.deadline <= now) this.#dismiss(client, share, 0);
    }
    this.#admit();
    if (this.#waiting > 0) this.#cancelLook = this.#clock.after(SLOW_LOOK_MS, () => this.#look());
  }

  /** Ends all waits. */
  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    for (const [client, share] of this.#clients) {
      while (share.waiting.length > 0) this.#dismiss(client, share, 0);
    }
  }
}

function isBefore(a: ClientShare, b: ClientShare): boolean {
  return a.held < b.held || a.held === b.held && a.waiting[0].order < b.waiting[0].order;
}
