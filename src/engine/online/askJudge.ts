/** Asks a judge so that whatever it does becomes one verdict an answer. */
import type { AnswerJudge, JudgedAnswer, Verdict } from "../judges/answerJudge.ts";

/** What a judge gave for one answer, checked: a score that is no finite number becomes the reason why there is none. */
function checkedVerdict(verdict: Verdict | undefined, count: number, asked: number): Verdict {
  if (verdict === undefined) {
    return { reason: `The judge gave ${count} verdicts for ${asked} answers, and none for this one.` };
  }
  if (!("score" in verdict)) return { reason: verdict.reason };
  const { score } = verdict;
  if (Number.isFinite(score)) return { score: score === 0 ? 0 : score };
  return { reason: `The judge gave ${String(score)}, which is no finite score.` };
}

/**
 * A verdict for every answer, in order. A judge that throws fails for all of them. Rejects with the signal's reason once it
 * is aborted, whatever the judge has made of that.
 */
export async function askJudge(
  judge: AnswerJudge,
  answers: readonly JudgedAnswer[],
  signal: AbortSignal,
): Promise<Verdict[]> {
  signal.throwIfAborted();
  try {
    const verdicts = await judge.score(answers, signal);
    signal.throwIfAborted();
    return answers.map((_, place) => checkedVerdict(verdicts[place], verdicts.length, answers.length));
  } catch (cause) {
    signal.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    return answers.map(() => ({ reason }));
  }
}
