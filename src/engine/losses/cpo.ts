import { betaSpec } from "./betaSpec.ts";
import { chosenLikelihood } from "./chosenLikelihood.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { sigmoid, softplus } from "./softplus.ts";

const cpoAlpha: ParameterSpec = {
  key: "cpoAlpha",
  label: "λ",
  help: "Weight of copying the chosen answers.",
  default: 1,
  minimum: 0,
  maximum: 10,
  scale: "linear",
  paper: "paper: 1",
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const weight = parameterOf(parameters, "cpoAlpha");
  const { chosen, rejected } = statistics;
  const likelihood = chosenLikelihood(chosen, totals);
  const sigmoidArguments = chosen.logps.map((logp, pair) => beta * (logp - rejected.logps[pair]!));
  const slopes = sigmoidArguments.map((u) => (-beta * sigmoid(-u)) / totals.pairs);
  return {
    losses: sigmoidArguments.map((u, pair) => softplus(-u) + weight * likelihood.shares[pair]!),
    chosenGradient: slopes.map((slope) => slope + weight * likelihood.chosenGradient),
    rejectedGradient: slopes.map((slope) => -slope),
    chosenRewards: chosen.logps.map((logp) => beta * logp),
    rejectedRewards: rejected.logps.map((logp) => beta * logp),
    arguments: sigmoidArguments,
    metrics: likelihood.metrics,
  };
}

/** Contrastive preference optimisation: DPO without a reference, plus copying. Source: arXiv 2401.08417. */
export const cpo: Objective = {
  id: "cpo",
  label: "CPO",
  group: "reference-free",
  sentence: "No reference: pull the answers apart and copy the chosen one so that it does not fall.",
  formula: "−log σ( β[log π_θ(y⁺) − log π_θ(y⁻)] ) + λ·nll, nll = −log π_θ(y⁺) per token",
  parameters: [
    betaSpec({
      paper: "paper: 0.1",
      help: "Scale of the summed log-probabilities; longer answers need a smaller one.",
      default: 0.1,
    }),
    cpoAlpha,
  ],
  needs: [],
  watch: "Both log-probabilities and length.",
  healthy: "The chosen log-probability rises while the rejected one falls.",
  trouble: "The rejected answers plunge and the text breaks: raise λ or lower β.",
  paper: {
    title:
      "Contrastive Preference Optimization: Pushing the Boundaries of LLM Performance in Machine Translation",
    url: "https://arxiv.org/abs/2401.08417",
  },
  compute,
};
