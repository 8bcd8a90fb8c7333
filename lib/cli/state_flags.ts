/** Where the running server is reached, and where its state lies. */
import type { Context } from "./command.ts";
import { optional } from "./flags.ts";
import { FILE, SOCKET_PATH } from "./forms.ts";
import type { ServerPaths } from "./live.ts";

/** The flag that names the state file. */
export const STATE_FLAG = {
  state: optional(FILE, {
    help: "the state file: last known zones and journal",
    defaultText: "$STATE_DIRECTORY/zonecast.db, else ./zonecast.db",
  }),
};

/** The flag that names the control socket. */
export const CONTROL_FLAG = {
  control: optional(SOCKET_PATH, {
    help: "the running server's control socket",
    defaultText: "$RUNTIME_DIRECTORY/control.sock, else the state file's path with .sock behind it",
  }),
};

/** The state file's path. */
export function statePath(flag: string | undefined, context: Context): string {
  if (flag !== undefined) return flag;
  const directory = firstDirectory(context.env("STATE_DIRECTORY"));
  return directory ? `${directory}/zonecast.db` : "./zonecast.db";
}

/** The control socket's path. */
export function controlPath(flag: string | undefined, state: string, context: Context): string {
  if (flag !== undefined) return flag;
  const directory = firstDirectory(context.env("RUNTIME_DIRECTORY"));
  return directory ? `${directory}/control.sock` : `${state}.sock`;
}

/** Where a command looks for the server whose flags it was given. */
export function serverPaths(
  flags: { readonly control: string | undefined; readonly state: string | undefined },
  context: Context,
): ServerPaths {
  const state = statePath(flags.state, context);
  return { state, control: controlPath(flags.control, state, context) };
}

/** systemd sets these to one directory, or several with colons between. */
function firstDirectory(text: string | undefined): string | undefined {
  return text?.split(":")[0] || undefined;
}
