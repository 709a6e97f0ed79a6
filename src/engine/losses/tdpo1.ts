import { betaSpec } from "./betaSpec.ts";
import { divergenceLoss } from "./divergenceLoss.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  return divergenceLoss({
    statistics,
    totals,
    beta: parameterOf(parameters, "beta"),
    strength: 1,
    isChosenHeld: false,
  });
}

/** Token-level DPO with the gradient of both KLs, so that drift on the chosen answer is rewarded. Source: arXiv 2404.11999. */
export const tdpo1: Objective = {
  id: "tdpo1",
  label: "TDPO₁",
  group: "token",
  sentence:
    "DPO that also pays for token-level drift on rejected answers, and is paid for it on chosen ones.",
  formula: "−log σ( β[Δ(y⁺) − Δ(y⁻)] − β[D(y⁻) − D(y⁺)] ), D = Σₜ KL(π_ref ‖ π_θ)",
  parameters: [betaSpec({ paper: "paper: 0.1" })],
  needs: ["referenceLogps", "tokenKl"],
  watch: "KL of both sides.",
  healthy: "The margin grows while the KL of the rejected answers stays small.",
  trouble: "The KL of the chosen answers runs away: take TDPO₂.",
  paper: {
    title: "Token-level Direct Preference Optimization",
    url: "https://arxiv.org/abs/2404.11999",
  },
  compute,
};
