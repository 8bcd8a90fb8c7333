/** The TSIG keys of a server, and how they are read again. */
import { formatName, ZonecastError } from "../dns/mod.ts";
import type { Logger } from "../ops/mod.ts";
import { KeyRing } from "../server/mod.ts";
import type { TsigKey } from "../wire/mod.ts";
import type { Context } from "./command.ts";
import type { Reload } from "./reload.ts";
import { secondariesOf, type ServeFlags } from "./serve_config.ts";
import { loadKeys } from "./tsig_keys.ts";

/** The TSIG keys, and where they are read again from. */
export class KeySource {
  private constructor(
    readonly ring: KeyRing,
    readonly load: (flags: ServeFlags) => Promise<TsigKey[]>,
    readonly log: Logger,
  ) {}

  /** @throws {KeyFileError | ServerError} a file cannot be used, or a key that is named is in none */
  static async open(flags: ServeFlags, context: Context, log: Logger): Promise<KeySource> {
    const load = (flags: ServeFlags) =>
      loadKeys(flags["tsig-key-file"], context.env("CREDENTIALS_DIRECTORY"));
    const keys = await load(flags);
    const source = new KeySource(new KeyRing(keys, { needed: neededKeys(flags) }), load, log);
    source.#warn(keys);
    return source;
  }

  /** Reads them again, then takes the flags; where that fails all stays as it was. */
  async reload(flags: ServeFlags | undefined, reload: Reload): Promise<void> {
    if (!flags) return;
    try {
      const keys = await this.load(flags);
      this.ring.replace(keys, neededKeys(flags));
      reload.take(flags);
      this.log.info("TSIG keys read again", { keys: this.ring.size });
      this.#warn(keys);
    } catch (error) {
      if (!(error instanceof ZonecastError)) throw error;
      this.log.error("the TSIG keys stay as they were", { error, hint: error.hint });
    }
  }

  /** Says what works and may yet be wrong with the keys. */
  #warn(keys: readonly TsigKey[]): void {
    for (const { name, algorithm } of keys) {
      if (algorithm.name !== "hmac-md5") continue;
      this.log.warn("a TSIG key's algorithm is weak", {
        key: formatName(name),
        algorithm: algorithm.name,
        hint: "RFC 8945 forbids hmac-md5 for new keys: `zonecast keygen` makes a better one",
      });
    }
    for (const name of this.ring.absent) {
      this.log.warn("a TSIG key that is named is in no file", {
        key: formatName(name),
        hint: "requests signed with it are refused; the other keys named beside it work",
      });
    }
  }
}

/** Lists of keys of which one each must be there. */
function neededKeys(flags: ServeFlags) {
  return [...secondariesOf(flags), ...flags["allow-transfer"]].map(({ keys }) => keys);
}
