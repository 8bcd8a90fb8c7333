/**
 * Long work in short slices, so that no question waits for it.
 *
 * Effects: timers only.
 */

/** Longest time a slice of work holds the event loop, in ms. */
export const SLICE_MS = 5;

/** Lets everything else that is due run first: sockets, timers, messages. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/**
 * Many small pieces of work in slices.
 *
 * Owns: when the slice ends.
 */
export class Slices {
  #ends = performance.now() + SLICE_MS;

  /** To be awaited between two pieces: a pause where the slice is over, else nothing. */
  next(): Promise<void> | undefined {
    if (performance.now() < this.#ends) return undefined;
    return pause().then(() => {
      this.#ends = performance.now() + SLICE_MS;
    });
  }
}

/**
 * Runs a generator to its end and gives what it returns; pauses whenever it
 * has run for {@link SLICE_MS}.
 *
 * @param onValue  called with each value yielded
 */
export async function runSliced<T, R>(
  steps: Iterator<T, R>,
  onValue?: (value: T) => void,
): Promise<R> {
  let sliceEnds = performance.now() + SLICE_MS;
  while (true) {
    const step = steps.next();
    if (step.done) return step.value;
    onValue?.(step.value);
    if (performance.now() >= sliceEnds) {
      await pause();
      sliceEnds = performance.now() + SLICE_MS;
    }
  }
}
