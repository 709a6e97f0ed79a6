import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  return ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio) => {
    const [chosen, rejected] = [beta * chosenRatio, beta * rejectedRatio];
    return {
      loss: softplus(-chosen) + 0.5 * softplus(chosen) + 0.5 * softplus(rejected),
      chosenSlope: beta * (0.5 * sigmoid(chosen) - sigmoid(-chosen)),
      rejectedSlope: 0.5 * beta * sigmoid(rejected),
    };
  });
}

/** Noise-contrastive alignment of a pair. Source: arXiv 2402.05369. */
export const ncaPair: Objective = {
  id: "nca_pair",
  label: "NCA",
  group: "reference",
  sentence: "Raise the chosen answer itself, not only its lead, and lower the rejected one.",
  formula: "−log σ(r⁺) − ½ log σ(−r⁺) − ½ log σ(−r⁻), r = βΔ(y)",
  parameters: [betaSpec({ paper: "paper: 0.01" })],
  needs: ["referenceLogps"],
  watch: "Both log-probabilities and rewards.",
  healthy: "The chosen log-probability holds or rises while the rejected one falls.",
  trouble: "The rejected reward goes on falling: raise β or lower the learning rate.",
  paper: {
    title: "Noise Contrastive Alignment of Language Models with Explicit Rewards",
    url: "https://arxiv.org/abs/2402.05369",
  },
  compute,
};
