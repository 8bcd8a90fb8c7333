/**
 * Commands about a running server: asked through its control socket; with none
 * running, answered from its state file, read-only, which is said.
 */
import { askServer, ControlError, type ControlRequest, type JsonValue } from "../ops/mod.ts";
import { openStateFile, type StateStore } from "../store/mod.ts";
import type { Context } from "./command.ts";
import { CommandError } from "./errors.ts";
import { Progress } from "./progress.ts";

/** Where to look. */
export interface ServerPaths {
  readonly control: string;
  readonly state: string;
}

/**
 * The running server's answers, or what `offline` finds in the state file.
 *
 * @throws {ControlError} a server runs and cannot answer, or none runs and
 *   there is no state file either
 */
export async function* askOrRead(
  paths: ServerPaths,
  request: ControlRequest,
  offline: (store: StateStore) => AsyncIterable<JsonValue>,
  context: Context,
): AsyncGenerator<JsonValue, void> {
  try {
    yield* withProgress(askServer(paths.control, request), context);
    return;
  } catch (error) {
    const store = await openWithoutServer(error, paths, context);
    try {
      yield* offline(store);
    } finally {
      await store.close();
    }
  }
}

/** The answers as they come; on a terminal it is shown that the next one is waited for. */
async function* withProgress<T>(
  answers: AsyncGenerator<T, void>,
  context: Context,
): AsyncGenerator<T, void> {
  using progress = new Progress(context);
  try {
    while (true) {
      const next = await progress.during("waiting for the server", answers.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await answers.return(); // where nobody wants the rest
  }
}

/**
 * The state file, read-only, when asking a server failed because none runs;
 * that is said on standard error.
 *
 * @throws the error given, when it says anything else
 * @throws {CommandError} there is no state file either
 */
export async function openWithoutServer(
  error: unknown,
  paths: ServerPaths,
  context: Context,
): Promise<StateStore> {
  if (!(error instanceof ControlError) || error.code !== "no-server") throw error;
  if (!await exists(paths.state)) {
    throw new CommandError(
      "no-server",
      `${error.message}, and there is no state file at ${paths.state}`,
      "start a server with `zonecast serve`, or name its socket with --control or its file with --state",
    );
  }
  const store = await openStateFile(paths.state, { readOnly: true });
  context.complain(
    `zonecast: no server is running at ${paths.control}; reading the state file ${paths.state}`,
  );
  return store;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
