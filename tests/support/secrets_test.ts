/** The search for secrets finds them, whole or in part, and says none. */
import { assertThrows } from "@std/assert";
import { assertNoSecretSeen, noteSecret, searchForSecrets } from "./secrets.ts";

Deno.test("a secret that zonecast writes, whole or its middle, fails the test without being shown", () => {
  const secret = noteSecret("c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0");
  searchForSecrets("zonecast serve", "all is well");
  assertNoSecretSeen();
  for (const text of [`key=${secret}`, secret.slice(8, -8)]) {
    searchForSecrets("zonecast serve", text);
    const error = assertThrows(() => assertNoSecretSeen(), Error, "zonecast serve wrote a secret");
    if (error.message.includes(secret.slice(8, 24))) throw new Error("it is shown");
  }
});
