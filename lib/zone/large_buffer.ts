/**
 * Memory for much work that is over soon. Pure.
 *
 * What malloc carves from its heap stays with the process while anything lies
 * above it. A block larger than {@link APART_OCTETS} comes from the system and
 * goes back to it whole, and costs no more than what is written of it.
 */

/** The largest block glibc's malloc may come to take from its heap (DEFAULT_MMAP_THRESHOLD_MAX). */
const APART_OCTETS = 32 * 1024 * 1024;
/** Smaller blocks are not worth the pages of address space. */
const LARGE_OCTETS = 512 * 1024;

/** A buffer of zeros with at least so many octets. */
export function largeBuffer(octets: number): ArrayBuffer {
  return new ArrayBuffer(octets < LARGE_OCTETS ? octets : Math.max(octets, APART_OCTETS + 4096));
}

/** Gives buffers back now, not when they are found to be garbage; views of them become empty. */
export function releaseBuffers(views: Iterable<ArrayBufferView>): void {
  for (const { buffer } of views) (buffer as ArrayBuffer).transfer(0);
}
