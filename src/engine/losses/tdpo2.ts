import { betaSpec } from "./betaSpec.ts";
import { divergenceLoss } from "./divergenceLoss.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";

const alpha: ParameterSpec = {
  key: "alpha",
  label: "α",
  help: "How tightly KL is held; 0 is plain DPO.",
  default: 0.5,
  minimum: 0,
  maximum: 2,
  scale: "linear",
  paper: "paper: 0.5",
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  return divergenceLoss({
    statistics,
    totals,
    beta: parameterOf(parameters, "beta"),
    strength: parameterOf(parameters, "alpha"),
    isChosenHeld: true,
  });
}

/** Token-level DPO that holds the KL of the rejected answer; the chosen one counts as a constant. Source: arXiv 2404.11999. */
export const tdpo2: Objective = {
  id: "tdpo2",
  label: "TDPO₂",
  group: "token",
  sentence: "DPO with a leash on drift at every token, tighter on the rejected side.",
  formula: "−log σ( β[Δ(y⁺) − Δ(y⁻)] − αβ[D(y⁻) − sg D(y⁺)] ), D = Σₜ KL(π_ref ‖ π_θ)",
  parameters: [betaSpec({ paper: "paper: 0.1" }), alpha],
  needs: ["referenceLogps", "tokenKl"],
  watch: "KL of both sides.",
  healthy: "Both KLs grow slowly and together.",
  trouble: "The margin is flat: lower α.",
  paper: {
    title: "Token-level Direct Preference Optimization",
    url: "https://arxiv.org/abs/2404.11999",
  },
  compute,
};
