import type { Objective, ObjectiveResult, PairStatistics, SideStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { sigmoid, softplus } from "./softplus.ts";

function perTokenRewards({ logps, tokens }: SideStatistics, beta: number): Float64Array {
  return logps.map((logp, pair) => (beta * logp) / tokens[pair]!);
}

function compute(
  { chosen, rejected }: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const gamma = parameterOf(parameters, "gamma");
  const chosenRewards = perTokenRewards(chosen, beta);
  const rejectedRewards = perTokenRewards(rejected, beta);
  const sigmoidArguments = chosenRewards.map((reward, pair) => reward - rejectedRewards[pair]! - gamma);
  const slopes = sigmoidArguments.map((u) => (-beta * sigmoid(-u)) / totals.pairs);
  return {
    losses: sigmoidArguments.map((u) => softplus(-u)),
    chosenGradient: slopes.map((slope, pair) => slope / chosen.tokens[pair]!),
    rejectedGradient: slopes.map((slope, pair) => -slope / rejected.tokens[pair]!),
    chosenRewards,
    rejectedRewards,
    arguments: sigmoidArguments,
  };
}

/** Simple preference optimisation; γ is absolute, as in the paper. Source: arXiv 2405.14734, equation 6. */
export const simpo: Objective = {
  id: "simpo",
  label: "SimPO",
  group: "reference-free",
  sentence: "No reference: compare per-token probability and demand a lead γ.",
  formula: "−log σ( β/|y⁺|·log π_θ(y⁺) − β/|y⁻|·log π_θ(y⁻) − γ )",
  parameters: [
    {
      key: "beta",
      label: "β",
      help: "Scale of the per-token log-probabilities; not comparable with DPO's β.",
      default: 2,
      minimum: 0.5,
      maximum: 10,
      scale: "log",
      paper: "paper: 2–10",
    },
    {
      key: "gamma",
      label: "γ",
      help: "Lead that the chosen answer must have before the loss lets go.",
      default: 0.5,
      minimum: 0,
      maximum: 5,
      scale: "linear",
      paper: "paper: 1–1.6 at β 2",
    },
  ],
  needs: [],
  watch: "Length, entropy and KL.",
  healthy: "Lengths stay stable and the margin passes γ.",
  trouble: "The text degenerates: lower the learning rate or γ.",
  paper: {
    title: "SimPO: Simple Preference Optimization with a Reference-Free Reward",
    url: "https://arxiv.org/abs/2405.14734",
  },
  compute,
};
