/** `--preset`: from a provider's name to the secondaries it stands for. Pure. */
import { readIp, type SocketAddress } from "../ops/mod.ts";
import { parseSecondary, type Secondary, SecondaryError } from "../server/mod.ts";
import { CommandError } from "./errors.ts";
import type { ValueForm } from "./flags.ts";
import { type Preset, PRESETS, type PresetServer } from "./preset_table.ts";
import { nearest } from "./suggest.ts";

/** A preset, and what was said of it beside its name. */
export interface PresetChoice {
  readonly preset: Preset;
  /** Options of a secondary, as they were written: "key=ns1.example.org". */
  readonly options: readonly string[];
}

/** Options that make sense for a provider; who pulls and whom NOTIFY goes to it knows itself. */
const OPTIONS = /^(?:key=.+|watch=.+|via=.+|no-ixfr|notify=off)$/;

export const PRESET: ValueForm<PresetChoice> = {
  placeholder: "PRESET",
  takes: "NAME[,key=KEY][,watch=IP[:PORT]|off][,via=IP][,no-ixfr][,notify=off], NAME being " +
    `${PRESETS.map(({ name }) => name).join(", ")}`,
  words: PRESETS.map(({ name }) => name),
  parse: (text) => {
    const [name, ...options] = text.split(",").map((part) => part.trim());
    const preset = PRESETS.find((each) => each.name === name);
    if (!preset) {
      const meant = nearest(name, PRESETS.map((each) => each.name));
      throw new CommandError(
        "preset-unknown",
        `there is no preset "${name}"${meant ? `: did you mean ${meant}?` : ""}`,
      );
    }
    const stranger = options.find((option) => !OPTIONS.test(option));
    if (stranger !== undefined) {
      throw new CommandError("preset-option", `"${stranger}" is no option of a preset`);
    }
    const choice = { preset, options };
    try {
      presetSecondaries(choice, []);
    } catch (error) {
      if (!(error instanceof SecondaryError)) throw error;
      const reason = error.message.replace(/^Cannot read secondary ".*?": /, "");
      throw new CommandError(error.code, reason, undefined, { cause: error });
    }
    return choice;
  },
};

/**
 * The secondaries a provider stands for: one for each of its servers, named after it.
 *
 * NOTIFY and questions for its SOA go to each server over one family: IPv6 where we
 * listen on no IPv4 address, else IPv4. A server that we cannot reach would never be live.
 *
 * @param listen  where we listen; the family of `via` goes before it
 */
export function presetSecondaries(
  { preset, options }: PresetChoice,
  listen: readonly SocketAddress[],
): Secondary[] {
  const via = options.find((option) => option.startsWith("via="))?.slice("via=".length);
  const v6Only = via !== undefined
    ? via.includes(":")
    : listen.length > 0 && listen.every(({ ip }) => ip.includes(":") && ip !== "::");
  const watched = options.some((option) => option.startsWith("watch="));
  return preset.servers.map((server, index) => {
    const name = preset.servers.length > 1 ? `${preset.name}-${index + 1}` : preset.name;
    const reachable = server.watch.filter((ip) => isV6(ip) === v6Only);
    const watch = reachable.length > 0 ? reachable : server.watch;
    return parseSecondary([
      `${name}=${targetOf(preset, server, v6Only)}`,
      `from=${transferOf(preset, server).join("+")}`,
      ...(watched ? [] : [`watch=${watch.map(bracketed).join("+") || "off"}`]),
      ...(server.notify.length === 0 && !options.includes("notify=off") ? ["notify=off"] : []),
      ...options,
    ].join(","));
  });
}

/** Who a server pulls from. */
export function transferOf(preset: Preset, server: PresetServer): readonly string[] {
  return server.transfer.length > 0 ? server.transfer : preset.transfer;
}

/** Whom NOTIFY goes to; where that is nobody, an address that pulls stands for the server. */
function targetOf(preset: Preset, server: PresetServer, v6Only: boolean): string {
  const known = server.notify.length > 0 ? server.notify : transferOf(preset, server);
  const wanted = known.find((ip) => isV6(ip) === v6Only) ?? known[0];
  return bracketed(wanted);
}

function isV6(ip: string): boolean {
  return readIp(ip)?.length === 16;
}

/** An address as it stands where a port may follow. */
function bracketed(ip: string): string {
  return ip.includes(":") ? `[${ip}]` : ip;
}
