import { betaSpec } from "./betaSpec.ts";
import { choiceOf, choiceSpec } from "./choiceSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { inputOf, parameterOf } from "./objective.ts";
import { normaliseKnob, weightedDpo } from "./weightedDpo.ts";

const formulas = [
  "−ω⁺ω⁻·log σ( β[Δ(y⁺) − Δ(y⁻)] ), ω(y) = exp( (1/|y|) Σₜ [log π_θ(yₜ) − log Σᵥ π_θ(v)²] )",
  "−min(1, ω⁺ω⁻)·log σ( β[Δ(y⁺) − Δ(y⁻)] ), ω(y) = exp( (1/|y|) Σₜ [log π_θ(yₜ) − log Σᵥ π_θ(v)²] )",
] as const;

const clampKnob = choiceSpec({
  key: "clamp",
  label: "Clamp at 1",
  help: "No pair counts more than once, however likely the model finds its answers.",
  choices: ["off", "on"],
  formulas,
  default: 1,
});

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const highest = choiceOf(parameters, clampKnob) === "on" ? 1 : Infinity;
  const chosen = inputOf(statistics.chosen.confidences, "confidences in the chosen answers", statistics);
  const rejected = inputOf(
    statistics.rejected.confidences,
    "confidences in the rejected answers",
    statistics,
  );
  const weights = chosen.map((confidence, pair) => Math.min(highest, Math.exp(confidence + rejected[pair]!)));
  return weightedDpo({ statistics, totals, beta }, parameters, weights);
}

/** DPO weighted by how likely the policy is to write both answers. Source: arXiv 2406.11827, equation 2. */
export const wpo: Objective = {
  id: "wpo",
  label: "WPO",
  group: "weighted",
  sentence: "DPO in which pairs count more the likelier the model is to write such answers itself.",
  formula: formulas[1],
  parameters: [betaSpec(), clampKnob, normaliseKnob],
  needs: ["referenceLogps", "policyConfidence"],
  watch: "The mean weight, the effective sample size and the margin.",
  healthy: "The mean weight stays between 0.2 and 1.",
  trouble: "The weights go to 0 and training stops: switch normalising on.",
  paper: {
    title: "WPO: Enhancing RLHF with Weighted Preference Optimization",
    url: "https://arxiv.org/abs/2406.11827",
  },
  compute,
};
