/**
 * IDs of messages we send: unpredictable, so that replies are hard to forge (RFC 5452 §9.2).
 *
 * Owns: random numbers, drawn many at a time, each used once.
 */
const DRAWN = 512;
const drawn = new Uint16Array(DRAWN);
let used = DRAWN;

/** IDs tried before one in use is taken all the same. */
const MAX_TRIES = 64;

/** An ID not in use. */
export function freeId(inUse: { has(id: number): boolean }): number {
  let id = nextId();
  for (let tries = 1; inUse.has(id) && tries < MAX_TRIES; tries++) id = nextId();
  return id;
}

function nextId(): number {
  if (used === DRAWN) {
    crypto.getRandomValues(drawn);
    used = 0;
  }
  return drawn[used++];
}
