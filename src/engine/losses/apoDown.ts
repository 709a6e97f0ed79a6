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
    const chosen = beta * chosenRatio;
    const u = beta * (chosenRatio - rejectedRatio);
    const marginSlope = beta * sigmoid(u) * sigmoid(-u);
    return {
      loss: sigmoid(chosen) + sigmoid(-u),
      chosenSlope: beta * sigmoid(chosen) * sigmoid(-chosen) - marginSlope,
      rejectedSlope: marginSlope,
    };
  });
}

/** Anchored preference optimisation that lowers both answers, the rejected one more. Source: arXiv 2408.06266, equation 8. */
export const apoDown: Objective = {
  id: "apo_down",
  label: "APO-down",
  group: "reference",
  sentence:
    "Lower both answers, the rejected one more; for a model that already writes better than the chosen ones.",
  formula: "σ(βΔ(y⁺)) + 1 − σ( β[Δ(y⁺) − Δ(y⁻)] )",
  parameters: [betaSpec({ paper: "paper: 0.1" })],
  needs: ["referenceLogps"],
  watch: "Both log-probabilities and KL.",
  healthy: "Both fall, the rejected one faster, and the margin grows.",
  trouble: "The text gets worse: the chosen answers are better than the model, take APO-zero.",
  paper: {
    title:
      "Anchored Preference Optimization and Contrastive Revisions: Addressing Underspecification in Alignment",
    url: "https://arxiv.org/abs/2408.06266",
  },
  compute,
};
