import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { marginLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

const smoothing: ParameterSpec = {
  key: "labelSmoothing",
  label: "ε",
  help: "Share of pairs that are the wrong way round; the loss is unbiased if it is right.",
  default: 0.1,
  minimum: 0.01,
  maximum: 0.45,
  scale: "linear",
  paper: "paper: 0.1",
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const flipped = parameterOf(parameters, "labelSmoothing");
  const kept = 1 - flipped;
  const trust = 1 - 2 * flipped;
  return marginLoss({ statistics, totals, beta: parameterOf(parameters, "beta") }, (u) => ({
    loss: (kept * softplus(-u) - flipped * softplus(u)) / trust,
    slope: -(kept * sigmoid(-u) + flipped * sigmoid(u)) / trust,
  }));
}

/** DPO that is unbiased when a share ε of the labels is flipped; it can be negative. Source: arXiv 2403.00409. */
export const robust: Objective = {
  id: "robust",
  label: "Robust DPO",
  group: "reference",
  sentence: "DPO that counts on a known share of pairs being labelled the wrong way round.",
  formula: "[ (1−ε)·−log σ(u) − ε·−log σ(−u) ] / (1−2ε), u = β[Δ(y⁺) − Δ(y⁻)]",
  parameters: [betaSpec(), smoothing],
  needs: ["referenceLogps"],
  watch: "Margin, both log-probabilities and KL; the loss may go below 0.",
  healthy: "Accuracy on held-out pairs stays above that of DPO when labels are noisy.",
  trouble: "The margin grows without end: lower ε or raise β.",
  paper: {
    title: "Provably Robust DPO: Aligning Language Models with Noisy Feedback",
    url: "https://arxiv.org/abs/2403.00409",
  },
  compute,
};
