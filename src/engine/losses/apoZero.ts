import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";
import { sigmoid } from "./softplus.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  return ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio) => {
    const [chosen, rejected] = [beta * chosenRatio, beta * rejectedRatio];
    return {
      loss: sigmoid(-chosen) + sigmoid(rejected),
      chosenSlope: -beta * sigmoid(chosen) * sigmoid(-chosen),
      rejectedSlope: beta * sigmoid(rejected) * sigmoid(-rejected),
    };
  });
}

/** Anchored preference optimisation that raises chosen and lowers rejected answers. Source: arXiv 2408.06266, equation 7. */
export const apoZero: Objective = {
  id: "apo_zero",
  label: "APO-zero",
  group: "reference",
  sentence:
    "Raise chosen answers and lower rejected ones; for pairs whose chosen answer is better than what the model writes.",
  formula: "1 − σ(βΔ(y⁺)) + σ(βΔ(y⁻))",
  parameters: [betaSpec({ paper: "paper: 0.1" })],
  needs: ["referenceLogps"],
  watch: "Both log-probabilities.",
  healthy: "Chosen rises and rejected falls; the loss goes from 1 towards 0.",
  trouble: "Both stand still early because the sigmoids are saturated: lower β.",
  paper: {
    title:
      "Anchored Preference Optimization and Contrastive Revisions: Addressing Underspecification in Alignment",
    url: "https://arxiv.org/abs/2408.06266",
  },
  compute,
};
