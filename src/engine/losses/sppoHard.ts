import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const target = 1 / (2 * beta);
  return ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio) => {
    const chosenMiss = chosenRatio - target;
    const rejectedMiss = rejectedRatio + target;
    return {
      loss: chosenMiss ** 2 + rejectedMiss ** 2,
      chosenSlope: 2 * chosenMiss,
      rejectedSlope: 2 * rejectedMiss,
    };
  });
}

/** Self-play preference optimisation with win probabilities of 1 and 0. Source: arXiv 2405.00675. */
export const sppoHard: Objective = {
  id: "sppo_hard",
  label: "SPPO",
  group: "reference",
  sentence: "Raise the chosen answer by 1/(2β) and lower the rejected one by as much, each on its own.",
  formula: "( Δ(y⁺) − 1/(2β) )² + ( Δ(y⁻) + 1/(2β) )²",
  parameters: [
    betaSpec({
      help: "Each answer is to move by 1/(2β) nats: small values ask for much.",
      default: 0.25,
      minimum: 0.001,
      paper: "paper: 0.001",
    }),
  ],
  needs: ["referenceLogps"],
  watch: "Both log-probabilities: they have a target each.",
  healthy: "The chosen log-ratio climbs towards 1/(2β) while the rejected one falls towards −1/(2β).",
  trouble: "The loss hardly moves because the targets are far: raise β.",
  paper: {
    title: "Self-Play Preference Optimization for Language Model Alignment",
    url: "https://arxiv.org/abs/2405.00675",
  },
  compute,
};
