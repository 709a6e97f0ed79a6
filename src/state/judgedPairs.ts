/** Pairs that judges make of drawn answers: the best and the worst of every prompt. */
import type { JudgeSpec, SampledAnswers, Verdict, WeightedJudge } from "../worker/protocol.ts";
import type { MadePair } from "./annotationRules.ts";
import { sentenceOf } from "./asked.ts";
import { callTrainer } from "./connection.ts";
import { judgesInUse } from "./judges.ts";
import { useSetupStore } from "./setupStore.ts";

/** An answer that a judge could not score. */
export interface JudgedFailure {
  readonly judge: JudgeSpec;
  readonly prompt: string;
  readonly answer: string;
  readonly reason: string;
}

/** What judges made of drawn answers. */
export interface JudgedPairs {
  readonly pairs: readonly MadePair[];
  /** Prompts without a pair: all texts or all scores were equal, or fewer than two answers had a score. */
  readonly equal: number;
  readonly unscored: number;
  readonly failures: readonly JudgedFailure[];
}

/** Most answers that are judged at once. */
const batchSize = 256;

interface Item {
  readonly prompt: string;
  readonly answer: string;
}

/** Asks the judges in use about drawn answers. Refuses where there is no judge, or a person is among them. */
export async function judgeAnswers(sampled: readonly SampledAnswers[]): Promise<JudgedPairs> {
  const judges = judgesInUse(useSetupStore.getState()).filter(({ weight }) => weight !== 0);
  if (judges.length === 0) throw new Error("No judge is in use: add one on the Online screen.");
  if (judges.some(({ judge }) => judge.kind === "person")) {
    throw new Error("You are among the judges in use: choose yourself, or take yourself out of use.");
  }
  const items = sampled.flatMap(({ prompt, answers }) => answers.map((answer) => ({ prompt, answer })));
  const verdicts: Verdict[][] = [];
  for (const { judge } of judges) verdicts.push(await verdictsOf(judge, items));
  return pairsFrom(sampled, judges, verdicts);
}

async function verdictsOf(judge: JudgeSpec, items: readonly Item[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (let from = 0; from < items.length; from += batchSize) {
    const batch = items.slice(from, from + batchSize);
    try {
      const said = await callTrainer("scoreAnswers", { judge, items: batch });
      verdicts.push(...batch.map((_, place) => said[place] ?? { reason: "It said nothing." }));
    } catch (error) {
      verdicts.push(...batch.map(() => ({ reason: sentenceOf(error) })));
    }
  }
  return verdicts;
}

/** The pairs of judged answers: `verdicts` has one list per judge, over all answers in their order. */
export function pairsFrom(
  sampled: readonly SampledAnswers[],
  judges: readonly WeightedJudge[],
  verdicts: readonly (readonly Verdict[])[],
): JudgedPairs {
  const failures: JudgedFailure[] = [];
  const pairs: MadePair[] = [];
  let [equal, unscored, start] = [0, 0, 0];
  for (const { prompt, answers } of sampled) {
    const scored: { readonly answer: string; readonly score: number }[] = [];
    for (const [place, answer] of answers.entries()) {
      const score = combined(judges, verdicts, start + place, (judge, reason) =>
        failures.push({ judge, prompt, answer, reason }),
      );
      if (score !== null) scored.push({ answer, score });
    }
    start += answers.length;
    if (scored.length < 2) unscored += 1;
    else {
      const pair = bestAndWorst(prompt, scored);
      if (pair === null) equal += 1;
      else pairs.push(pair);
    }
  }
  return { pairs, equal, unscored, failures };
}

function combined(
  judges: readonly WeightedJudge[],
  verdicts: readonly (readonly Verdict[])[],
  place: number,
  onFailure: (judge: JudgeSpec, reason: string) => void,
): number | null {
  let sum: number | null = 0;
  for (const [index, { judge, weight }] of judges.entries()) {
    const verdict = verdicts[index]?.[place] ?? { reason: "It said nothing." };
    if ("reason" in verdict) {
      onFailure(judge, verdict.reason);
      sum = null;
    } else if (sum !== null) sum += weight * verdict.score;
  }
  return sum;
}

/** The first of the best and the first of the worst answers; null where scores or texts are equal. */
function bestAndWorst(
  prompt: string,
  scored: readonly { readonly answer: string; readonly score: number }[],
): MadePair | null {
  let [best, worst] = [scored[0]!, scored[0]!];
  for (const one of scored) {
    if (one.score > best.score) best = one;
    if (one.score < worst.score) worst = one;
  }
  if (best.score === worst.score || best.answer.trim() === worst.answer.trim()) return null;
  return {
    prompt,
    chosen: best.answer,
    rejected: worst.answer,
    score_chosen: best.score,
    score_rejected: worst.score,
  };
}
