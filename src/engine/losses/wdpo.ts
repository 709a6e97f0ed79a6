import { betaSpec } from "./betaSpec.ts";
import { choiceOf, choiceSpec } from "./choiceSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { inputOf, parameterOf } from "./objective.ts";
import { marginLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";
import { normaliseKnob, weightedDpo } from "./weightedDpo.ts";

const beta2: ParameterSpec = {
  key: "beta2",
  label: "β₂",
  help: "How much a gap between the judge's scores counts; judges here score from −1 to 1.",
  default: 4,
  minimum: 0.01,
  maximum: 100,
  scale: "log",
};

const formulas = [
  "−w·log σ( β[Δ(y⁺) − Δ(y⁻)] ), w = σ( β₂·(score⁺ − score⁻) )",
  "−w·log σ( β[Δ(y⁺) − Δ(y⁻)] ), w = max( 0, β₂·(score⁺ − score⁻) )",
  "−w·log σ( β[Δ(y⁺) − Δ(y⁻)] ), w = 1",
  "−p·log σ(u) − (1−p)·log σ(−u), u = β[Δ(y⁺) − Δ(y⁻)], p = σ( β₂·(score⁺ − score⁻) )",
] as const;

const weightingKnob = choiceSpec({
  key: "weighting",
  label: "Weighting",
  help: "How the gap becomes a weight; a soft label blends both directions instead and is not normalised.",
  choices: ["sigmoid", "linear", "none", "softLabel"],
  formulas,
});

/** Weight of a pair by its scaled gap. */
const weightOf: Readonly<Record<string, (gap: number) => number>> = {
  sigmoid,
  linear: (gap) => Math.max(0, gap),
  none: () => 1,
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const scale = parameterOf(parameters, "beta2");
  const gaps = inputOf(statistics.rewardGaps, "gaps between judge scores", statistics).map(
    (gap) => scale * gap,
  );
  const input = { statistics, totals, beta: parameterOf(parameters, "beta") };
  const weight = weightOf[choiceOf(parameters, weightingKnob)];
  if (weight !== undefined) return weightedDpo(input, parameters, gaps.map(weight));
  // The label says how sure the preference is; every pair counts once.
  const result = marginLoss(input, (u, pair) => {
    const [preferred, other] = [sigmoid(gaps[pair]!), sigmoid(-gaps[pair]!)];
    return {
      loss: preferred * softplus(-u) + other * softplus(u),
      slope: other * sigmoid(u) - preferred * sigmoid(-u),
    };
  });
  return { ...result, weights: gaps.map(() => 1) };
}

/** DPO weighted by the judge's score gap. Source: arXiv 2406.07657; its exact weight is not public, this is a reading. */
export const wdpo: Objective = {
  id: "wdpo",
  label: "wDPO",
  group: "weighted",
  sentence: "DPO in which pairs count more the further apart the judge scores their answers.",
  formula: formulas[0],
  parameters: [betaSpec(), beta2, weightingKnob, normaliseKnob],
  needs: ["referenceLogps", "rewardGap"],
  watch: "The mean weight, the effective sample size and the margin.",
  healthy: "Pairs with a large gap lead on the Pair Map, and the effective sample size stays near the batch.",
  trouble: "The effective sample size collapses to a few pairs: lower β₂.",
  paper: {
    title: "OPTune: Efficient Online Preference Tuning",
    url: "https://arxiv.org/abs/2406.07657",
  },
  compute,
};
