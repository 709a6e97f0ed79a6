import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { logRatioPairs, parameterOf } from "./objective.ts";
import { rankedLoss } from "./rankedLoss.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const ratios = logRatioPairs(statistics);
  const ranked = rankedLoss(beta, ratios.chosen, ratios.rejected);
  return {
    losses: ranked.losses,
    chosenGradient: ranked.raisedSlopes.map((slope) => slope / totals.pairs),
    rejectedGradient: ranked.loweredSlopes.map((slope) => slope / totals.pairs),
    chosenRewards: ratios.chosen.map((ratio) => beta * ratio),
    rejectedRewards: ratios.rejected.map((ratio) => beta * ratio),
    arguments: ranked.arguments,
  };
}

/** Alignment by optimal transport without pairs: chosen and rejected log-ratios, rank by rank. Source: arXiv 2406.05882. */
export const aotUnpaired: Objective = {
  id: "aot_unpaired",
  label: "AOT unpaired",
  group: "unpaired",
  sentence:
    "Sort chosen and rejected answers apart and let every rank of the chosen lead that of the rejected.",
  formula: "−log σ( β[sort(Δ⁺)ⱼ − sort(Δ⁻)ⱼ] ) for every rank j, Δ(y) = log π_θ(y|x) − log π_ref(y|x)",
  parameters: [betaSpec({ paper: "paper: 0.1" })],
  needs: ["referenceLogps"],
  comparesPairs: true,
  watch: "Margin and accuracy; the losses belong to ranks, not to pairs.",
  healthy: "The two reward distributions part from end to end.",
  trouble: "The run is uneven: put more pairs into a micro-batch, ranks of a few say little.",
  paper: {
    title: "Distributional Preference Alignment of LLMs via Optimal Transport",
    url: "https://arxiv.org/abs/2406.05882",
  },
  compute,
};
