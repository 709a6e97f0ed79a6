/** The common part of the TDPO objectives: DPO whose margin pays for sequential KL. */
import type { ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { inputOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

/** What a TDPO objective is computed from. */
interface DivergenceInput {
  readonly statistics: PairStatistics;
  readonly totals: StepTotals;
  readonly beta: number;
  /** Share of the KL difference that is taken from the margin. */
  readonly strength: number;
  /** The chosen answer's KL is a constant for the gradient. */
  readonly isChosenHeld: boolean;
}

/**
 * Logistic loss of u = β(margin) − strength × β(K⁻ − K⁺). Rewards leave KL out; `repoRewards/*` have it, as the authors
 * log them. Throws `ObjectiveInputError` without log-ratios or sequential KL. Source: arXiv 2404.11999.
 */
export function divergenceLoss(input: DivergenceInput): ObjectiveResult {
  const { statistics, totals, beta, strength, isChosenHeld } = input;
  const chosen = inputOf(statistics.chosen.divergences, "sequential KLs of the chosen answers", statistics);
  const rejected = inputOf(
    statistics.rejected.divergences,
    "sequential KLs of the rejected answers",
    statistics,
  );
  const sigmoidArguments = new Float64Array(statistics.pairs);
  const result = ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio, pair) => {
    const u = beta * (chosenRatio - rejectedRatio - strength * (rejected[pair]! - chosen[pair]!));
    sigmoidArguments[pair] = u;
    const slope = -beta * sigmoid(-u);
    return { loss: softplus(-u), chosenSlope: slope, rejectedSlope: -slope };
  });
  const pull = result.chosenGradient.map((gradient) => strength * gradient);
  const withDivergence = (rewards: Float64Array, divergences: Float64Array) => ({
    sum: rewards.reduce((sum, reward, pair) => sum + reward + beta * divergences[pair]!, 0),
    weight: statistics.pairs,
  });
  return {
    ...result,
    arguments: sigmoidArguments,
    ...(isChosenHeld ? {} : { chosenDivergenceGradient: pull }),
    rejectedDivergenceGradient: pull.map((gradient) => -gradient),
    metrics: {
      "repoRewards/chosen": withDivergence(result.chosenRewards, chosen),
      "repoRewards/rejected": withDivergence(result.rejectedRewards, rejected),
    },
  };
}
