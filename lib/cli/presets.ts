/** `zonecast presets`: what is known of providers of secondary DNS. */
import { defineCommand } from "./command.ts";
import { EXIT } from "./errors.ts";
import { toggle } from "./flags.ts";
import { list, maybe, object, text } from "./json_shape.ts";
import { transferOf } from "./preset_flag.ts";
import { type Preset, PRESETS } from "./preset_table.ts";

const addresses = (help: string) => list(help, text("an IP address or prefix"));

export const presets = defineCommand({
  name: "presets",
  summary: "list providers of secondary DNS: who pulls, whom to NOTIFY, TSIG, quirks",
  details: [
    "What `zonecast serve --preset NAME` stands for. Providers change their addresses: each is " +
    "dated, and their own documentation goes before this list. --secondary says the same by hand.",
    "Of a server with addresses of both families, NOTIFY and questions for its SOA go to the IPv4 " +
    "one, or, where --listen names no IPv4 address, to the IPv6 one.",
  ],
  positionals: [],
  flags: { json: toggle({ help: "print a JSON array", env: false }) },
  json: list(
    "one for each provider",
    object("a provider", {
      name: text("as --preset takes it"),
      title: text("the provider, for people"),
      asOf: text("when this was last found to be so: YYYY-MM"),
      servers: list(
        "its servers, each a secondary of ours",
        object("a server", {
          name: maybe(text("its public name")),
          notify: addresses("whom NOTIFY goes to; empty where nobody is known"),
          transfer: addresses("who may transfer"),
          watch: addresses("whose SOA is watched; empty: none"),
        }),
      ),
      tsig: text("what is known of TSIG there"),
      quirks: list("what to know before relying on it", text("a sentence")),
    }),
  ),
  examples: ["presets", "presets --json"],
  async run({ flags }, context) {
    await context.print(
      flags.json
        ? JSON.stringify(PRESETS.map(presetJson), null, 2) + "\n"
        : PRESETS.map(presetText).join("\n"),
    );
    return EXIT.GOOD;
  },
});

function presetJson(preset: Preset) {
  const { name, title, asOf, servers, tsig, quirks } = preset;
  const all = servers.map((server) => ({
    name: server.name,
    notify: server.notify,
    transfer: transferOf(preset, server),
    watch: server.watch,
  }));
  return { name, title, asOf, servers: all, tsig, quirks };
}

function presetText(preset: Preset): string {
  const { name, title, asOf, servers, tsig, quirks } = preset;
  const every = (pick: (server: Preset["servers"][number]) => readonly string[]) =>
    [...new Set(servers.flatMap(pick))].join(", ");
  const lines = [
    `${name}  ${title}, as of ${asOf}`,
    `  pulls from  ${every((server) => transferOf(preset, server))}`,
    `  NOTIFY to   ${every(({ notify }) => notify) || "nobody is known"}`,
    `  watched     ${every(({ watch }) => watch) || "none: a finished transfer counts"}`,
    `  TSIG        ${tsig}`,
    ...quirks.map((quirk) => `  note        ${quirk}`),
  ];
  return lines.join("\n") + "\n";
}
