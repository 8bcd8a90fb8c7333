/** The process as commands see it. Owns nothing; reads and writes the standard streams. */
import type { SystemCalls } from "../ops/mod.ts";
import type { Context } from "./command.ts";

const encoder = new TextEncoder();

/** The context of a real run. */
export function processContext(systemCalls: SystemCalls | undefined): Context {
  return {
    systemCalls,
    env: (name) => Deno.env.get(name),
    envNames: () => Object.keys(Deno.env.toObject()),
    print: async (text) => {
      const octets = encoder.encode(text);
      try {
        for (let at = 0; at < octets.length;) at += await Deno.stdout.write(octets.subarray(at));
      } catch (error) {
        // The reader, `head` say, has what it wanted.
        if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
        throw error;
      }
    },
    complain: (line) => console.error("%s", line),
    draw: (text) => {
      // Some octets of a bar: what a full pipe leaves out harms nobody.
      Deno.stderr.writeSync(encoder.encode(text));
    },
    readInput: () => new Response(Deno.stdin.readable).text(),
    outIsTerminal: Deno.stdout.isTerminal(),
    errIsTerminal: Deno.stderr.isTerminal(),
  };
}
