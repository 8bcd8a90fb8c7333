/**
 * The secrets of a test run, and the search of all that zonecast wrote for them.
 *
 * Owns: the secrets noted by this test file, and where one was seen.
 */

/** A secret is looked for by this many characters of its middle, too: a part gives it away. */
const PART = 16;

const secrets = new Set<string>();
const leaks: string[] = [];

/** Has everything zonecast writes from now on searched for a secret; returns it. */
export function noteSecret(secret: string): string {
  secrets.add(secret);
  const middle = Math.max(0, Math.floor((secret.length - PART) / 2));
  if (secret.length > PART) secrets.add(secret.slice(middle, middle + PART));
  return secret;
}

/** Searches what a process wrote. */
export function searchForSecrets(writer: string, text: string): void {
  for (const secret of secrets) {
    // What it says must not say it again.
    if (text.includes(secret)) {
      leaks.push(`${writer} wrote a secret of ${secret.length} characters`);
    }
  }
}

/** @throws {Error} a secret was seen since the last call */
export function assertNoSecretSeen(): void {
  const seen = leaks.splice(0);
  if (seen.length > 0) throw new Error(seen.join("; "));
}
