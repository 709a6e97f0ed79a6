import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { optionOf, parameterOf } from "./objective.ts";
import { marginLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

const formulas = [
  "−log σ( β[Δ(y⁺) − Δ(y⁻)] ), Δ(y) = log π_θ(y|x) − log π_ref(y|x)",
  "−(1−ε)·log σ(u) − ε·log σ(−u), u = β[Δ(y⁺) − Δ(y⁻)], Δ(y) = log π_θ(y|x) − log π_ref(y|x)",
] as const;

const smoothing: ParameterSpec = {
  key: "labelSmoothing",
  label: "ε",
  help: "Share of pairs believed to be the wrong way round (cDPO); 0 trusts all of them.",
  default: 0,
  minimum: 0,
  maximum: 0.49,
  scale: "linear",
  isOptional: true,
  formulas,
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const flipped = optionOf(parameters, smoothing);
  const kept = 1 - flipped;
  return marginLoss({ statistics, totals, beta: parameterOf(parameters, "beta") }, (u) => ({
    loss: kept * softplus(-u) + flipped * softplus(u),
    slope: flipped * sigmoid(u) - kept * sigmoid(-u),
  }));
}

/**
 * Direct preference optimisation on summed log-ratios; with label smoothing it is conservative DPO. Source: arXiv
 * 2305.18290, equation 7.
 */
export const dpo: Objective = {
  id: "dpo",
  label: "DPO",
  group: "reference",
  sentence: "Pull the two answers apart, counting from the starting model.",
  formula: formulas[0],
  parameters: [betaSpec({ paper: "paper: 0.1" }), smoothing],
  needs: ["referenceLogps"],
  watch: "Pair Map, both log-probabilities and KL.",
  healthy: "Accuracy settles between 0.7 and 0.95 and the chosen answers dip a little.",
  trouble:
    "The chosen answers plunge and the text repeats: raise β, lower the learning rate or start with SFT.",
  paper: {
    title: "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
    url: "https://arxiv.org/abs/2305.18290",
  },
  compute,
};
