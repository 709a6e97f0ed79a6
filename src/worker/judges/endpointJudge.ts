/** A language model behind an OpenAI-compatible address as a judge: one request for every different answer. */
import type { AnswerJudge, JudgedAnswer, Verdict } from "../../engine/judges/answerJudge.ts";
import { kindLabel } from "../../engine/judges/programJudge.ts";
import { withReasons } from "../../engine/judges/withReasons.ts";
import type { JudgeEndpoint } from "../protocol.ts";
import { askEndpoint, endpointDoor, type EndpointDoor, type Told } from "./endpointRequest.ts";

/** Requests under way at a time. */
const REQUESTS_AT_ONCE = 4;
const MOST_TRIES = 4;
/** Waits before further tries where the endpoint does not say how long. */
const BACKOFF_MS = [1000, 3000, 8000];
/** An endpoint that asks for a longer wait is not waited for. */
const LONGEST_WAIT_MS = 60_000;
const MS_PER_SECOND = 1000;
const forgotten = "The language model has no address any more: type it in again under Judges.";

/**
 * The judge behind an endpoint, which is looked up whenever answers are to be scored: null once it was forgotten. What stands in the
 * way of every answer (a refused key, a wrong address, nobody there) is met once a call: answers that were not asked for yet get the
 * same reason.
 */
export function endpointJudge(
  present: () => JudgeEndpoint | null,
  door: EndpointDoor = endpointDoor,
): AnswerJudge {
  return withReasons({
    spec: { kind: "endpoint" },
    label: present()?.model ?? kindLabel("endpoint"),
    score: async (answers, signal) => {
      const endpoint = present();
      if (endpoint === null) return answers.map(() => ({ reason: forgotten }));
      const keyOf = ({ prompt, answer }: JudgedAnswer) => JSON.stringify([prompt, answer]);
      const different = new Map(answers.map((answer) => [keyOf(answer), answer]));
      const verdicts = await scoreEach([...different.values()], (answer) =>
        askAgain({ endpoint, door, signal }, answer),
      );
      const byKey = new Map([...different.keys()].map((key, at) => [key, verdicts[at]]));
      return answers.map((answer) => byKey.get(keyOf(answer)) ?? { reason: "It was not asked for." });
    },
  });
}

/** Asks for a few answers at a time, until something stands in the way of all of them. */
async function scoreEach(
  answers: readonly JudgedAnswer[],
  ask: (answer: JudgedAnswer) => Promise<Told>,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  let [next, isAnswered] = [0, false];
  let obstacle: Verdict | null = null;
  const work = async () => {
    for (let answer = answers[next]; answer !== undefined; answer = answers[next]) {
      const at = next++;
      if (obstacle !== null) {
        verdicts[at] = obstacle;
        continue;
      }
      const { verdict, scope } = await ask(answer);
      verdicts[at] = verdict;
      if (scope === "answer") isAnswered = true;
      // A connection that carried something may carry more.
      if (scope === "all" || (scope === "connection" && !isAnswered)) obstacle = verdict;
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, work));
  return verdicts;
}

/** How an answer is asked for. */
interface Asking {
  readonly endpoint: JudgeEndpoint;
  readonly door: EndpointDoor;
  readonly signal: AbortSignal;
}

/** Asks again while the endpoint is busy or failing. Rejects with the signal's reason alone. */
async function askAgain({ endpoint, door, signal }: Asking, answer: JudgedAnswer): Promise<Told> {
  for (let tries = 1; ; tries += 1) {
    const told = await askEndpoint(endpoint, answer, { door, signal });
    if (!told.isPassing) return told;
    const { waitMs = null } = told;
    if (waitMs !== null && waitMs > LONGEST_WAIT_MS) {
      const seconds = Math.ceil(waitMs / MS_PER_SECOND);
      const reason = `${new URL(endpoint.url).host} asks to wait ${seconds} s before the next request: try again then.`;
      return { ...told, verdict: { reason }, scope: "all" };
    }
    const wait = waitMs ?? BACKOFF_MS[tries - 1];
    if (tries === MOST_TRIES || wait === undefined) return told;
    await door.wait(wait, signal);
  }
}
