/** Why a server that we asked gave no answer to go by. */
import { ZonecastError } from "../dns/mod.ts";

export type AskErrorCode =
  /** Nothing came in time. */
  | "ask-silent"
  /** No connection: refused, or no way there. */
  | "ask-unreachable"
  /** TLS could not be agreed on, or the certificate is not believed. */
  | "ask-tls"
  /** What came is not rightly signed. */
  | "ask-disbelieved"
  /** What came cannot be read. */
  | "ask-malformed";

export class AskError extends ZonecastError {
  override readonly name = "AskError";

  constructor(
    override readonly code: AskErrorCode,
    message: string,
    hint?: string,
    options?: ErrorOptions,
  ) {
    super(code, message, hint, options);
  }
}

/** Nothing came over UDP. */
export function silent(peer: string): AskError {
  return new AskError(
    "ask-silent",
    `${peer} does not answer over UDP`,
    "is it running, and does a firewall let UDP through, both ways?",
  );
}

/** What came is not rightly signed: its fault ends the sentence. */
export function disbelieved(peer: string, fault: string): AskError {
  return new AskError(
    "ask-disbelieved",
    `The answer of ${peer} is not believed: ${fault}`,
    "both sides must have the key with the same name, algorithm and secret, and clocks within 300 s",
  );
}
