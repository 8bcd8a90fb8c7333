/**
 * How many file descriptors there are left, so that connections never take the last.
 *
 * Deno cannot ask the kernel for the limit (it has raised the soft one to the hard one as it
 * started): descriptors are opened until one fails, and closed again, within some milliseconds.
 */

/** A file anybody may open, any number of times. */
const NULL_DEVICE = "/dev/null";

/**
 * The number of descriptors that can be opened now.
 *
 * Effects: opens and closes them. Blocks the event loop for 5 µs each.
 *
 * @param wanted  more than these are not tried
 * @param open  for tests
 * @returns at most `wanted`; `wanted` too when nothing can be found out
 */
export function freeDescriptors(
  wanted: number,
  open: () => Disposable = () => Deno.openSync(NULL_DEVICE),
): number {
  const files: Disposable[] = [];
  try {
    while (files.length < wanted) files.push(open());
    return wanted;
  } catch (error) {
    return isOutOfDescriptors(error) ? files.length : wanted;
  } finally {
    for (const file of files) file[Symbol.dispose]();
  }
}

/** Whether an error says that the process, or the machine, has no descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    (error.code === "EMFILE" || error.code === "ENFILE");
}
