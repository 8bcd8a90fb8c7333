/** What changes when a running server reads its flags again. */
import type { Logger } from "../ops/mod.ts";
import { UsageError } from "./errors.ts";
import type { ServeFlags } from "./serve_config.ts";

/** Flags that a reload changes; the others wait for a restart. */
const CHANGEABLE = [
  "allow-query",
  "allow-transfer",
  "drain-timeout",
  "log-level",
  "rrl-exempt",
  "tsig-key-file",
];

/** The flags read again, and which of them differ. */
export class Reload {
  /** @param flags  those in force; @param apply  puts into force what may change */
  constructor(
    private flags: ServeFlags,
    readonly reread: () => ServeFlags,
    readonly apply: (flags: ServeFlags) => void,
    readonly log: Logger,
  ) {}

  /** The flags with those that cannot change as they were; undefined when they are wrong. */
  read(): ServeFlags | undefined {
    try {
      const fresh = this.reread();
      const differ = this.#differing(fresh).filter((name) => !CHANGEABLE.includes(name));
      if (differ.length > 0) {
        this.log.warn("flags have changed that need a restart", {
          flags: differ.map((name) => `--${name}`).join(" "),
        });
      }
      const kept = Object.entries(this.flags).filter(([name]) => !CHANGEABLE.includes(name));
      return { ...fresh, ...Object.fromEntries(kept) };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.log.error("the flags stay as they were", { error, hint: error.hint });
      return undefined;
    }
  }

  take(flags: ServeFlags): void {
    const differ = this.#differing(flags);
    this.apply(flags);
    this.flags = flags;
    if (differ.length === 0) return;
    this.log.info("flags changed", { flags: differ.map((name) => `--${name}`).join(" ") });
  }

  #differing(fresh: ServeFlags): string[] {
    const text = (value: unknown) =>
      Deno.inspect(value, { depth: 20, iterableLimit: Infinity, strAbbreviateSize: Infinity });
    const before = new Map<string, unknown>(Object.entries(this.flags));
    return Object.entries(fresh)
      .filter(([name, value]) => text(value) !== text(before.get(name)))
      .map(([name]) => name);
  }
}
