/**
 * Problems as they travel to the worker: as octets, which are handed over, since ten
 * thousand objects or texts hold up the event loop while they are copied. Pure.
 */
import type { PutProblems, WireProblems } from "./protocol.ts";
import type { ProblemsChange } from "./state_store.ts";

/** Problems written between two pauses: some tenths of a millisecond. */
const PROBLEMS_PER_PAUSE = 64;
/** Room for each at first, octets; they take what they take. */
const USUAL_OCTETS = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A change of the problems for the worker; yields as places to pause. */
export function* wireProblems({ put, gone }: ProblemsChange): Generator<undefined, WireProblems> {
  return { put: put.size > 0 ? yield* putProblems(put) : undefined, gone: [...gone.keys()] };
}

function* putProblems(put: ProblemsChange["put"]): Generator<undefined, PutProblems> {
  const ids = new Float64Array(put.size);
  const ends = new Uint32Array(put.size);
  let octets = new Uint8Array(put.size * USUAL_OCTETS);
  let [at, taken] = [0, 0];
  for (const [id, problem] of put) {
    const text = JSON.stringify(problem);
    const most = at + 3 * text.length;
    if (most > octets.length) octets = grown(octets, Math.max(most, 2 * octets.length));
    at += encoder.encodeInto(text, octets.subarray(at)).written;
    ids[taken] = id;
    ends[taken] = at;
    if (++taken % PROBLEMS_PER_PAUSE === 0) yield;
  }
  return { ids, ends, octets };
}

function grown(octets: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(octets.buffer.transfer(length));
}

/** The problems put: identity and JSON. */
export function* problemTexts(
  put: PutProblems | undefined,
): Generator<[id: number, text: string], void> {
  if (!put) return;
  let from = 0;
  for (const [i, end] of put.ends.entries()) {
    yield [put.ids[i], decoder.decode(put.octets.subarray(from, end))];
    from = end;
  }
}

/** The buffers to be handed over with a change. */
export function problemBuffers(problems: WireProblems | undefined): ArrayBuffer[] {
  const put = problems?.put;
  return put ? [put.ids.buffer, put.ends.buffer, put.octets.buffer] : [];
}
