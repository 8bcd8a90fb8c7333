/**
 * The command's end of the control socket.
 *
 * Owns: one connection per request, closed when the answers are read or left.
 */
import {
  ANSWER_DEADLINE_MS,
  ControlError,
  type ControlLine,
  type ControlRequest,
  encodeLine,
  LineReader,
  MAX_ANSWER_OCTETS,
  writeAll,
} from "./control_protocol.ts";
import type { JsonValue } from "./json.ts";

/**
 * The running server's answers to a request, as they come.
 *
 * @param idleMs  how long to wait for the next answer
 * @throws {ControlError} "no-server" when none answers there, "control-denied",
 *   "control-timeout", "control-cut"; else the server's own code, message and hint
 */
export async function* askServer(
  path: string,
  request: ControlRequest,
  idleMs: number = ANSWER_DEADLINE_MS,
): AsyncGenerator<JsonValue, void> {
  const conn = await connect(path);
  let late = false;
  const expire = () => {
    late = true;
    conn.close(); // ends the pending read
  };
  let timer = setTimeout(expire, idleMs);
  try {
    await writeAll(conn, encodeLine(request));
    const lines = new LineReader(conn, MAX_ANSWER_OCTETS);
    while (true) {
      const text = await lines.next();
      clearTimeout(timer);
      if (text === undefined) throw cutError(path);
      const line = parseLine(text, path);
      if ("end" in line) return;
      if ("error" in line) {
        const { code, message, hint } = line.error;
        throw new ControlError(code, message, hint);
      }
      yield line.answer;
      timer = setTimeout(expire, idleMs);
    }
  } catch (error) {
    if (error instanceof ControlError && error.code !== "control-cut") throw error;
    if (late) {
      throw new ControlError(
        "control-timeout",
        `The server at ${path} did not answer within ${idleMs} ms`,
        "it is stopped or overloaded: see its log",
      );
    }
    throw cutError(path, error);
  } finally {
    clearTimeout(timer);
    if (!late) conn.close();
  }
}

/** The single answer to a request; see {@link askServer}. */
export async function askServerOnce(
  path: string,
  request: ControlRequest,
  idleMs: number = ANSWER_DEADLINE_MS,
): Promise<JsonValue> {
  for await (const answer of askServer(path, request, idleMs)) return answer;
  throw cutError(path);
}

async function connect(path: string): Promise<Deno.UnixConn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused
    ) {
      throw new ControlError(
        "no-server",
        `No server is running at ${path}`,
        "start one with `zonecast serve`, or name its control socket with --control",
        { cause: error },
      );
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new ControlError(
        "control-denied",
        `You may not use the control socket ${path}`,
        "run as its user or in its group",
        { cause: error },
      );
    }
    throw new ControlError(
      "control-unusable",
      `Cannot use control socket ${path}: ${error instanceof Error ? error.message : error}`,
      "name the server's control socket with --control",
      { cause: error },
    );
  }
}

function parseLine(text: string, path: string): ControlLine {
  try {
    const value = JSON.parse(text);
    if (value && ("answer" in value || "end" in value || "error" in value)) return value;
  } catch {
    // Said below: what came is not ours.
  }
  throw new ControlError(
    "control-malformed",
    `What answers at ${path} is no zonecast server`,
    "name the server's control socket with --control",
  );
}

function cutError(path: string, cause?: unknown): ControlError {
  return new ControlError(
    "control-cut",
    `The server at ${path} went away before its answer was complete`,
    "see its log, then try again",
    { cause },
  );
}
