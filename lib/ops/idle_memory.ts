/**
 * Memory that is held and not used, given back to the system after large work.
 *
 * Two kinds. What malloc has free within its arenas; and pages of the executable file itself: a
 * start runs through most of it, some 50 MB, and serving needs a quarter. These are only let go
 * of by this process: what is needed again comes from the page cache, or the file.
 */

const SYMBOLS = {
  getauxval: { parameters: ["u64"], result: "u64" },
  madvise: { parameters: ["u64", "usize", "i32"], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What it takes of the C library. */
export const IDLE_MEMORY_SYMBOLS = SYMBOLS;

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Entries of the auxiliary vector (getauxval(3)). */
const AUXILIARY = { programHeaders: 3n, headerOctets: 4n, headers: 5n, pageOctets: 6n };
/** Types and flags of program headers (elf(5)). */
const LOADED = 1;
const HEADERS_THEMSELVES = 6;
const WRITABLE = 2;
/** Offsets in a program header of 64 bits (elf(5)). */
const AT = { type: 0, flags: 4, address: 16, octets: 40 };
const MADV_DONTNEED = 4;

/** Addresses of memory. */
interface Range {
  readonly start: bigint;
  readonly octets: bigint;
}

/**
 * A function that gives back what is held and not used; it takes a millisecond or two.
 *
 * To be called while memory may be looked at by its address.
 */
export function idleMemory({ getauxval, madvise, malloc_trim }: Calls): () => void {
  const ranges = unwritable(getauxval);
  return () => {
    malloc_trim(0n);
    for (const { start, octets } of ranges) madvise(start, octets, MADV_DONTNEED); // else it stays
  };
}

/**
 * Where the executable lies that nothing can write to, so that the file has all of it: whole
 * pages. What the loader has written and locked then is in a segment that counts as writable.
 */
function unwritable(getauxval: Calls["getauxval"]): Range[] {
  const at = getauxval(AUXILIARY.programHeaders);
  const headers = Deno.UnsafePointer.create(at);
  const page = getauxval(AUXILIARY.pageOctets);
  if (headers === null || page === 0n) return [];
  const size = Number(getauxval(AUXILIARY.headerOctets));
  const view = new Deno.UnsafePointerView(headers);
  const offsets = Array.from(
    { length: Number(getauxval(AUXILIARY.headers)) },
    (_, index) => index * size,
  );
  const ofType = (type: number) =>
    offsets.filter((offset) => view.getUint32(offset + AT.type) === type);
  const [own] = ofType(HEADERS_THEMSELVES);
  if (own === undefined) return []; // where the program lies cannot be told
  const base = at - view.getBigUint64(own + AT.address);
  return ofType(LOADED).filter((offset) => (view.getUint32(offset + AT.flags) & WRITABLE) === 0)
    .map((offset) => {
      const start = base + view.getBigUint64(offset + AT.address);
      const end = start + view.getBigUint64(offset + AT.octets);
      const first = (start + page - 1n) / page * page;
      return { start: first, octets: end / page * page - first };
    }).filter(({ octets }) => octets > 0n);
}
