import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { inputOf, ObjectiveInputError, parameterOf } from "./objective.ts";
import { normaliseKnob, weightedDpo } from "./weightedDpo.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const weights = inputOf(statistics.pairWeights, "weights from the data", statistics);
  const wrong = weights.find((weight) => !(weight >= 0 && Number.isFinite(weight)));
  if (wrong !== undefined) {
    throw new ObjectiveInputError(`a pair has the weight ${wrong}; weights are 0 or more`);
  }
  return weightedDpo({ statistics, totals, beta }, parameters, weights);
}

/** DPO whose pairs are weighted by a column of the data. Source of the unweighted loss: arXiv 2305.18290. */
export const wdpoColumn: Objective = {
  id: "wdpo_column",
  label: "DPO with weights",
  group: "weighted",
  sentence: "DPO in which every pair counts as much as the data says.",
  formula: "−w·log σ( β[Δ(y⁺) − Δ(y⁻)] ), w = the pair's weight in the data",
  parameters: [betaSpec(), normaliseKnob],
  needs: ["referenceLogps", "pairWeight"],
  watch: "The mean weight, the effective sample size and the margin.",
  healthy: "Accuracy rises, first on the pairs with large weights.",
  trouble: "Steps are too large or too small for the learning rate: switch normalising on.",
  paper: {
    title: "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
    url: "https://arxiv.org/abs/2305.18290",
  },
  compute,
};
