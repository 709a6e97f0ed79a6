import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { inputOf, parameterOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";
import { sigmoid } from "./softplus.ts";

function weightSpec(key: string, side: string): ParameterSpec {
  return {
    key,
    label: `${side} weight`,
    help: `How much the ${side.toLowerCase()} answers count.`,
    default: 1,
    minimum: 0,
    maximum: 5,
    scale: "linear",
    paper: "paper: 1",
  };
}

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const desirable = parameterOf(parameters, "desirableWeight");
  const undesirable = parameterOf(parameters, "undesirableWeight");
  const mismatched = inputOf(statistics.mismatchedRatios, "log-ratios of mismatched answers", statistics);
  const mean = mismatched.reduce((sum, ratio) => sum + ratio, 0) / mismatched.length;
  const baseline = Math.max(0, mean);
  // The step's loss is the mean over answers, so an answer counts half of its pair.
  const result = ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio) => {
    const chosen = beta * (chosenRatio - baseline);
    const rejected = beta * (baseline - rejectedRatio);
    return {
      loss: (desirable * sigmoid(-chosen) + undesirable * sigmoid(-rejected)) / 2,
      chosenSlope: (-desirable * beta * sigmoid(chosen) * sigmoid(-chosen)) / 2,
      rejectedSlope: (undesirable * beta * sigmoid(rejected) * sigmoid(-rejected)) / 2,
    };
  });
  return { ...result, metrics: { kl: { sum: baseline, weight: 1 } } };
}

/** Kahneman-Tversky optimisation; its baseline ζ carries no gradient. Source: arXiv 2402.01306. */
export const kto: Objective = {
  id: "kto",
  label: "KTO",
  group: "unpaired",
  sentence:
    "Judge every answer on its own as good or bad, measured from how far the model has drifted altogether.",
  formula:
    "½w₊( 1 − σ(β[Δ(y⁺) − ζ]) ) + ½w₋( 1 − σ(β[ζ − Δ(y⁻)]) ), ζ = max(0, mean Δ of mismatched answers)",
  parameters: [
    betaSpec({ paper: "paper: 0.1" }),
    weightSpec("desirableWeight", "Desirable"),
    weightSpec("undesirableWeight", "Undesirable"),
  ],
  needs: ["referenceLogps", "mismatchedAnswers"],
  comparesPairs: true,
  watch: "Both rewards and the baseline kl.",
  healthy: "Chosen rewards rise above the baseline and rejected ones fall below it.",
  trouble: "The baseline grows without end: raise β or lower the learning rate.",
  paper: {
    title: "KTO: Model Alignment as Prospect Theoretic Optimization",
    url: "https://arxiv.org/abs/2402.01306",
  },
  compute,
};
