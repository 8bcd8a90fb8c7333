/**
 * Asks for an SOA all the time, in a thread of its own: what the rest of the soak does is not
 * measured with it.
 *
 * Takes a {@link LatencyQuestion}; posts a {@link SecondOfAnswers} each second.
 */
/// <reference lib="deno.worker" />
import { percentile } from "../support/process_figures.ts";

/** What to ask, and whom. */
export interface LatencyQuestion {
  readonly addr: string;
  readonly port: number;
  /** Overwritten: its ID. */
  readonly message: Uint8Array;
}

/** What came back in a second, ms. */
export interface SecondOfAnswers {
  readonly answers: number;
  readonly p50: number;
  readonly p99: number;
  /** Questions given up. */
  readonly lost: number;
  /** Answers that were none: another RCODE than NOERROR, no authority, or no record. */
  readonly wrong: number;
}

/** Between two questions, ms. */
const INTERVAL_MS = 5;
/** A question without an answer is given up after this, ms: a frozen machine may be slow. */
const LOST_MS = 10_000;

async function measure({ addr, port, message }: LatencyQuestion): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to = { transport: "udp", hostname: addr, port } as const;
  const asked = new Map<number, number>();
  let times: number[] = [];
  let wrong = 0;
  let id = 0;
  setInterval(async () => {
    id = id + 1 & 0xffff;
    [message[0], message[1]] = [id >> 8, id & 0xff];
    asked.set(id, performance.now());
    await socket.send(message, to);
  }, INTERVAL_MS);
  setInterval(() => {
    const late = [...asked].filter(([, at]) => performance.now() - at > LOST_MS);
    for (const [id] of late) asked.delete(id);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(times, share));
    const second: SecondOfAnswers = { answers: times.length, p50, p99, lost: late.length, wrong };
    [times, wrong] = [[], 0];
    self.postMessage(second);
  }, 1_000);
  for await (const [answer] of socket) {
    const at = asked.get(answer[0] << 8 | answer[1]);
    if (at === undefined) continue;
    asked.delete(answer[0] << 8 | answer[1]);
    times.push(performance.now() - at);
    const isRight = (answer[2] & 4) !== 0 && (answer[3] & 0xf) === 0 && answer[7] === 1;
    if (!isRight) wrong++;
  }
}

self.onmessage = ({ data }: MessageEvent<LatencyQuestion>) => measure(data);
