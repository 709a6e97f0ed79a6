/** From scored answers to the pair that is trained on. */
import type { Verdict } from "../judges/answerJudge.ts";
import type { PromptOutcome } from "./roundRecord.ts";

/** An answer with the combined score of the judges; null where one of them has none. */
export interface RatedAnswer {
  readonly ids: readonly number[];
  readonly text: string;
  readonly score: number | null;
}

/** Places of the best and the worst answer, or why there is no pair. */
export type Pairing =
  | { readonly best: number; readonly worst: number }
  | { readonly reason: Exclude<PromptOutcome["reason"], ""> };

/**
 * Σ weight · score over the judges of every answer, from verdicts [judges][answers]; null where a judge has no verdict or
 * no score, or where the sum is not finite.
 */
export function combinedScores(
  verdicts: readonly (readonly (Verdict | null)[])[],
  weights: readonly number[],
  answers: number,
): (number | null)[] {
  return Array.from({ length: answers }, (_, answer) => {
    let sum = 0;
    for (const [judge, weight] of weights.entries()) {
      const verdict = verdicts[judge]?.[answer] ?? null;
      if (verdict === null || !("score" in verdict)) return null;
      sum += weight * verdict.score;
    }
    return Number.isFinite(sum) ? sum : null;
  });
}

/** The best and the worst of the answers to one prompt; of equal scores the first answer. */
export function pairAnswers(answers: readonly RatedAnswer[]): Pairing {
  const written = [...answers.keys()].filter((place) => (answers[place]?.ids.length ?? 0) > 0);
  if (written.length < 2) return { reason: "emptyAnswers" };
  const scored = written.filter((place) => answers[place]?.score !== null);
  if (scored.length < 2) return { reason: "judgeFailed" };
  const scoreOf = (place: number) => answers[place]?.score ?? NaN;
  const textOf = (place: number) => answers[place]?.text;
  const best = scored.reduce((found, place) => (scoreOf(place) > scoreOf(found) ? place : found));
  const worst = scored.reduce((found, place) => (scoreOf(place) < scoreOf(found) ? place : found));
  if (best !== worst && textOf(best) === textOf(worst)) return { reason: "equalTexts" };
  if (best !== worst) return { best, worst };
  // All scores are equal.
  const isOneText = scored.every((place) => textOf(place) === textOf(best));
  return { reason: isOneText ? "equalTexts" : "equalScores" };
}
