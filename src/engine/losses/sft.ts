import { chosenLikelihood } from "./chosenLikelihood.ts";
import type { Objective, ObjectiveResult, PairStatistics, SideStatistics, StepTotals } from "./objective.ts";
import { logRatiosOf } from "./objective.ts";

/** SFT has no β; its rewards are log-ratios at DPO's published value so that the charts can be compared. */
const DISPLAYED_BETA = 0.1;

function displayedRewards(side: SideStatistics): Float64Array {
  return logRatiosOf(side)?.map((ratio) => DISPLAYED_BETA * ratio) ?? new Float64Array(0);
}

function compute(
  { pairs, chosen, rejected }: PairStatistics,
  _parameters: unknown,
  totals: StepTotals,
): ObjectiveResult {
  const likelihood = chosenLikelihood(chosen, totals);
  return {
    losses: likelihood.shares,
    chosenGradient: new Float64Array(pairs).fill(likelihood.chosenGradient),
    rejectedGradient: new Float64Array(pairs),
    chosenRewards: displayedRewards(chosen),
    rejectedRewards: displayedRewards(rejected),
    metrics: likelihood.metrics,
  };
}

/** Supervised fine-tuning: token-mean negative log-likelihood of the chosen answers. Source: arXiv 2203.02155. */
export const sft: Objective = {
  id: "sft",
  label: "SFT",
  group: "imitate",
  sentence: "Copy the answers people preferred.",
  formula: "−log π_θ(y⁺) / n, n = mean |y⁺|",
  parameters: [],
  needs: [],
  watch: "Loss and both log-probabilities.",
  healthy: "Both log-probabilities rise, the chosen one faster.",
  trouble: "The evaluation loss rises while the training loss falls: use fewer steps.",
  paper: {
    title: "Training language models to follow instructions with human feedback",
    url: "https://arxiv.org/abs/2203.02155",
  },
  compute,
};
