/**
 * Which source a command works on: the flag, its environment, and the editor
 * opened on it.
 */
import { openEditor, type SourceEditor } from "../source/mod.ts";
import type { Context } from "./command.ts";
import { CommandError, UsageError } from "./errors.ts";
import { optional, type ValueForm } from "./flags.ts";
import { Progress } from "./progress.ts";

/** A source's URL; whether it can be opened is seen then. */
export const SOURCE_URL: ValueForm<string> = {
  placeholder: "URL",
  takes: "postgres://USER@HOST:PORT/DATABASE or sqlite:FILE",
  secret: true,
  parse: (text) => {
    if (/^(?:postgres|postgresql):\/\//.test(text) || /^sqlite:./.test(text)) return text;
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
    throw new CommandError("source-url", whatIsWrong(scheme));
  },
};

/** Names the source too, as other programs know it; `ZONECAST_SOURCE` goes before it. */
export const DATABASE_VARIABLE = "ZONECAST_DATABASE";

/** Says nothing of what stands behind the scheme: it may hold a password. */
function whatIsWrong(scheme: string | undefined): string {
  if (scheme === undefined) return "it has no scheme";
  if (scheme === "sqlite") return "no file stands behind sqlite:";
  if (scheme === "postgres" || scheme === "postgresql") return `no // stands behind ${scheme}:`;
  return `"${scheme}:" is no scheme known here`;
}

/** The flag of every command that reads or changes a source. */
export const SOURCE_FLAGS = {
  source: optional(SOURCE_URL, {
    help: "where zones and records live; a password belongs into the environment, not here",
    defaultText: `$${DATABASE_VARIABLE}`,
  }),
};

/** The URL a command line and its environment name; {@link SOURCE_FLAGS} has read it. */
export function sourceUrl(flag: string | undefined, context: Context): string {
  if (flag !== undefined) return flag;
  const database = context.env(DATABASE_VARIABLE)?.trim();
  if (!database) {
    throw new UsageError(
      `no source: give --source or set ZONECAST_SOURCE; it takes ${SOURCE_URL.takes}`,
    );
  }
  try {
    return SOURCE_URL.parse(database);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UsageError(`${DATABASE_VARIABLE}: ${error.message}; it takes ${SOURCE_URL.takes}`);
  }
}

/** Runs work on an editor and closes it, also when the work fails. */
export async function withEditor<R>(
  flag: string | undefined,
  context: Context,
  work: (editor: SourceEditor) => Promise<R>,
): Promise<R> {
  using progress = new Progress(context);
  const editor = await progress.during(
    "connecting to the source",
    openEditor(sourceUrl(flag, context)),
  );
  try {
    return await progress.during("waiting for the source", work(editor));
  } finally {
    await editor.close();
  }
}
