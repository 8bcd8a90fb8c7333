/**
 * The root of zonecast's typed errors.
 *
 * Every error an operator may see says what happened, to what, and what to do
 * next; the last of these is {@link ZonecastError.hint}. Pure.
 */

/** An error with a stable code and, where there is one, the next step. */
export class ZonecastError extends Error {
  override readonly name: string = "ZonecastError";

  /**
   * @param code  stable, machine-readable, kebab-case ("name-too-long")
   * @param message  one sentence: what happened, to what
   * @param hint  what to do next; undefined when the message says it all
   */
  constructor(
    readonly code: string,
    message: string,
    readonly hint?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
