import { betaSpec } from "./betaSpec.ts";
import { choiceOf, choiceSpec } from "./choiceSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";

const formulas = [
  "( Δ(y⁺)/|y⁺| − Δ(y⁻)/|y⁻| − 1/(2β) )², Δ(y) = log π_θ(y|x) − log π_ref(y|x)",
  "( Δ(y⁺) − Δ(y⁻) − 1/(2β) )², Δ(y) = log π_θ(y|x) − log π_ref(y|x)",
] as const;

const scaleKnob = choiceSpec({
  key: "scale",
  label: "Scale",
  help: "Log-ratios per token, or summed over the answer; β means something else in each.",
  choices: ["averaged", "summed"],
  formulas,
});

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const { chosen, rejected } = statistics;
  const isSummed = choiceOf(parameters, scaleKnob) === "summed";
  const target = 1 / (2 * beta);
  return ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio, pair) => {
    const chosenLength = isSummed ? 1 : chosen.tokens[pair]!;
    const rejectedLength = isSummed ? 1 : rejected.tokens[pair]!;
    const miss = chosenRatio / chosenLength - rejectedRatio / rejectedLength - target;
    return {
      loss: miss ** 2,
      chosenSlope: (2 * miss) / chosenLength,
      rejectedSlope: (-2 * miss) / rejectedLength,
    };
  });
}

/** Identity preference optimisation, per token or on sums. Source: arXiv 2310.12036, equation 17. */
export const ipo: Objective = {
  id: "ipo",
  label: "IPO",
  group: "reference",
  sentence: "Move the answers apart by a fixed distance 1/(2β), then stop.",
  formula: formulas[0],
  parameters: [
    betaSpec({
      paper: "paper: 0.1",
      help: "The distance to reach is 1/(2β): small values push the answers far apart.",
      default: 1,
      maximum: 10,
    }),
    scaleKnob,
  ],
  needs: ["referenceLogps"],
  watch: "The margin of the log-ratios and both log-probabilities.",
  healthy: "The margin climbs to 1/(2β) and stays there.",
  trouble: "The loss stays large and both log-probabilities fall: raise β, so that the distance is shorter.",
  paper: {
    title: "A General Theoretical Paradigm to Understand Learning from Human Preferences",
    url: "https://arxiv.org/abs/2310.12036",
  },
  compute,
};
