/** A file system of the test's own, small enough to be filled. */
import { assert, assertRejects } from "@std/assert";

export interface SmallDisk extends AsyncDisposable {
  /** Makes it read-only, or writable again; nothing on it may be open for writing. */
  remount(mode: "ro" | "rw"): Promise<void>;
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Mounts a file system in memory, to be unmounted when nothing uses it any more.
 *
 * @param at  a directory
 * @param size  as `mount` takes it
 * @returns undefined where that is not allowed, which is said
 */
export async function smallDisk(at: string, size = "1m"): Promise<SmallDisk | undefined> {
  if (!await run("mount", "-t", "tmpfs", "-o", `size=${size}`, "none", at)) {
    console.log("skipped: a small disk can be mounted by root only");
    return undefined;
  }
  return {
    async remount(mode) {
      assert(await run("mount", "-o", `remount,${mode}`, at), `remount ${at} ${mode}`);
    },
    async [Symbol.asyncDispose]() {
      assert(await run("umount", at), `umount ${at}`);
    },
  };
}

/** Writes a file, or goes on writing it, until the disk is full. */
export async function fillDisk(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, append: true });
  const forever = async () => {
    while (true) await file.write(new Uint8Array(4096));
  };
  await assertRejects(forever, Error, "os error 28");
}
