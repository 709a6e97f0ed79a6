/** How unevenly an objective weighs the pairs of a round. */
import type { TokenPair } from "../data/tokenPair.ts";
import type { Objective, ObjectiveNeed } from "../losses/objective.ts";

/** Weights that depend on nothing else are known before the first step. */
const KNOWN: readonly ObjectiveNeed[] = ["referenceLogps", "rewardGap", "pairWeight"];

/**
 * `weights/mean` and `weights/ess`, the effective sample size (Σw)²/Σw², over all pairs of a round; nothing where the
 * objective gives no weights, or where they depend on what only a step measures.
 */
export function roundWeights(
  objective: Objective,
  params: Readonly<Record<string, number>>,
  pairs: readonly TokenPair[],
): Record<string, number> {
  const gaps = pairs.flatMap(({ rewardGap }) => rewardGap ?? []);
  const own = pairs.flatMap(({ weight }) => weight ?? []);
  const isKnown = objective.needs.every(
    (need) =>
      KNOWN.includes(need) &&
      (need !== "rewardGap" || gaps.length === pairs.length) &&
      (need !== "pairWeight" || own.length === pairs.length),
  );
  if (!isKnown || pairs.length === 0) return {};
  const side = (answer: "chosen" | "rejected") => ({
    logps: new Float64Array(pairs.length),
    referenceLogps: new Float64Array(pairs.length),
    tokens: Float64Array.from(pairs, (pair) => pair[answer].length),
  });
  const { weights } = objective.compute(
    {
      pairs: pairs.length,
      chosen: side("chosen"),
      rejected: side("rejected"),
      rewardGaps: Float64Array.from(gaps),
      pairWeights: Float64Array.from(own),
    },
    params,
    { pairs: pairs.length, chosenTokens: pairs.reduce((sum, { chosen }) => sum + chosen.length, 0) },
  );
  if (weights === undefined) return {};
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight * weight, 0);
  // Where no pair counts, none is effective.
  return { "weights/mean": sum / weights.length, "weights/ess": squares > 0 ? (sum * sum) / squares : 0 };
}
