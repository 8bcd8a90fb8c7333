/**
 * Which serials the watched servers show for a zone, asked all at once.
 *
 * Of thousands of zones each is asked about when its questions can go soon: before that it takes
 * no timers. Owns: the zones that wait. Effects: some UDP messages.
 */
import type { Name, Serial } from "../dns/mod.ts";
import type { Clock } from "./clock.ts";
import {
  PACE_WINDOW_MS,
  SURVEY_MS,
  SURVEY_TRIES,
  SURVEY_TRY_MS,
  SURVEY_WINDOW_MESSAGES,
} from "./limits.ts";
import type { SoaAnswer, SoaPeer } from "./soa_client.ts";

/** What a survey found. */
export interface SerialSurvey {
  /** Servers asked. */
  readonly asked: number;
  /** Servers that answered anything, an error included. */
  readonly answered: number;
  /** Of those that showed the zone's SOA. */
  readonly serials: readonly Serial[];
}

/** Surveys begun in one turn of the event loop, at most; the next ones in the next, soon. */
const BEGUN_AT_A_TIME = 2 * SURVEY_WINDOW_MESSAGES;

/** A zone whose turn has not come, and who waits for it. */
interface Waiting {
  readonly apex: Name;
  readonly begun: (survey: Promise<SerialSurvey>) => void;
}

/** Surveys of the same servers. */
export class SerialSurveys {
  readonly #waiting = new Set<Waiting>();
  #cancelTimer: (() => void) | undefined;

  constructor(readonly peers: readonly SoaPeer[], readonly clock: Clock) {}

  /** As {@link surveySerials}, once the servers have room for its questions. */
  survey(apex: Name): Promise<SerialSurvey> {
    return new Promise((begun) => {
      this.#waiting.add({ apex, begun });
      if (!this.#cancelTimer) this.#run();
    });
  }

  /** Ends: what waits stays unanswered. */
  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const none = { asked: this.peers.length, answered: 0, serials: [] };
    for (const { begun } of this.#waiting) begun(Promise.resolve(none));
    this.#waiting.clear();
  }

  #run(): void {
    let begun = 0;
    for (const one of this.#waiting) {
      // Servers that are silent have room for all, which would be thousands in one turn.
      if (begun === BEGUN_AT_A_TIME || !this.peers.every(({ hasRoom }) => hasRoom)) break;
      this.#waiting.delete(one);
      one.begun(surveySerials(this.peers, one.apex, this.clock));
      begun++;
    }
    if (begun === 0 && this.#waiting.size === 0) return;
    this.#cancelTimer = this.clock.after(PACE_WINDOW_MS / 2, () => {
      this.#cancelTimer = undefined;
      this.#run();
    });
  }
}

/**
 * The serials that servers show; never rejects.
 *
 * Within {@link SURVEY_MS}, but for servers that answer and are asked about so many
 * zones that this one waits its turn: to give those up would publish thousands of
 * zones on a guess.
 *
 * @param peers  each asked up to {@link SURVEY_TRIES} times
 */
export async function surveySerials(
  peers: readonly SoaPeer[],
  apex: Name,
  clock: Clock,
): Promise<SerialSurvey> {
  /** How to give up on each server that has not answered yet. */
  const open = new Map<SoaPeer, () => void>();
  let cancelTimer = clock.after(SURVEY_MS, giveUp);
  function giveUp() {
    for (const [peer, end] of [...open]) if (!peer.isBusy) end();
    if (open.size > 0) cancelTimer = clock.after(SURVEY_TRY_MS, giveUp);
  }
  const answers = await Promise.all(
    peers.map((peer) =>
      new Promise<SoaAnswer | undefined>((resolve) => {
        let cancelQuestion = () => {};
        const end = (answer?: SoaAnswer) => {
          open.delete(peer);
          cancelQuestion();
          resolve(answer);
        };
        open.set(peer, end);
        const ask = (tries: number) => {
          const options = { urgent: true, answerMs: SURVEY_TRY_MS };
          cancelQuestion = peer.ask(apex, (answer) => {
            if (answer || tries === SURVEY_TRIES) end(answer);
            else ask(tries + 1);
          }, options);
        };
        ask(1);
      })
    ),
  );
  cancelTimer();
  const answered = answers.filter((answer) => answer !== undefined);
  const serials = answered.map(({ serial }) => serial).filter((serial) => serial !== undefined);
  return { asked: peers.length, answered: answered.length, serials };
}
