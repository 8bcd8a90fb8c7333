/** Another clock for a program: libfaketime's, loaded into it, set while it runs. */
import { FAKETIME } from "./interop.ts";
import { tempDir } from "./tempdir.ts";

export interface FakedClock {
  /** For the program's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Sets it so many hours fast, from the next look on; below 0, slow. */
  set(hours: number): Promise<void>;
}

/** A clock that goes right at first. */
export async function startFakedClock(running: AsyncDisposableStack): Promise<FakedClock> {
  const file = await running.use(await tempDir()).write("clock", "+0h");
  return {
    env: {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    set: (hours) => Deno.writeTextFile(file, `${hours < 0 ? "" : "+"}${hours}h`),
  };
}
