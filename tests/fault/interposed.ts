/** Nights in which zonecast's clock and the writes to its state file are in the scenario's hands. */
import { type Interpose, startInterpose } from "../support/interpose.ts";
import { freePort } from "../support/ports.ts";
import { tempDir } from "../support/tempdir.ts";
import type { Fault } from "./fault.ts";
import type { Night, NightOptions } from "./night.ts";

/** A fault without its night, which is given what stands between. */
export interface InterposedFault extends Omit<Fault, "night" | "run"> {
  /** Further flags of `serve`. */
  readonly args?: readonly string[];
  readonly night?: Omit<NightOptions, "serve">;
  /** @param readyz  where it says whether it is ready */
  run(night: Night, interpose: Interpose, readyz: string): Promise<void>;
}

/** The fault, with zonecast interposed from its start; its state file lies alone in a directory. */
export function interposed({ args = [], night, run, ...fault }: InterposedFault): Fault {
  let interpose: Interpose | undefined;
  let http = "";
  return {
    ...fault,
    needs: ["gcc"],
    night: {
      ...night,
      async serve({ running }) {
        const dir = running.use(await tempDir());
        const path = await Deno.realPath(dir.path);
        interpose = running.use(await startInterpose(path));
        http = `127.0.0.1:${freePort()}`;
        const state = `${path}/state.db`;
        return { env: interpose.env, state, args: ["--http", http, ...args] };
      },
    },
    async run(night) {
      await run(night, interpose!, `http://${http}/readyz`);
    },
  };
}
