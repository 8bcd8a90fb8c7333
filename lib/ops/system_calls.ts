/**
 * The calls of the C library that the runtime has no function for: several datagrams at a time,
 * large transfers handed to the kernel at once, and memory given back.
 *
 * Owns: the library, and memory whose address is known. Code that may call any function of
 * the C library needs no other permission, so these are taken as the program starts, before it
 * has read anything or loaded a package of others, and the permission is given back at once: from
 * then on there are these and no more, in every Worker too.
 *
 * Limitation: Linux with glibc on x86_64 and aarch64, where the structures lie as
 * `datagram_batch.ts` writes them.
 */

import { IDLE_MEMORY_SYMBOLS, idleMemory } from "./idle_memory.ts";

const SYMBOLS = {
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** As section 2 of the manual has them; each returns -1 when it fails. */
export type SystemCalls =
  & Deno.DynamicLibrary<typeof SYMBOLS>["symbols"]
  & {
    /** For what the calls are given the address of; it never moves. Octets: {@link MEMORY_OCTETS}. */
    readonly memory: Uint8Array<ArrayBuffer>;
    /** Its address. */
    readonly address: bigint;
    /** Gives back memory that is not used, see {@link idleMemory}. */
    giveBack(): void;
  };

/** Untouched it costs nothing: the kernel gives pages as they are written. */
export const MEMORY_OCTETS = 512 * 1024;

/**
 * Takes them, once, and gives the permission for more back.
 *
 * @returns undefined where they cannot be had: without the permission, as when the program is run
 *   from its sources without --allow-ffi, and where there is no glibc
 */
export function takeSystemCalls(): SystemCalls | undefined {
  const permission = { name: "ffi" } as const;
  if (Deno.permissions.querySync(permission).state !== "granted") return undefined;
  try {
    const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
    const memory = new Uint8Array(MEMORY_OCTETS);
    return {
      ...symbols,
      memory,
      address: Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory)),
      giveBack: idleMemory(Deno.dlopen("libc.so.6", IDLE_MEMORY_SYMBOLS).symbols),
    };
  } catch (error) {
    if (error instanceof Error && /Could not open library/.test(error.message)) return undefined;
    throw error;
  } finally {
    Deno.permissions.revokeSync(permission);
  }
}
