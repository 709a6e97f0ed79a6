import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { logRatioPairs, parameterOf } from "./objective.ts";
import { sigmoid, softplus } from "./softplus.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const ratios = logRatioPairs(statistics);
  const sigmoidArguments = ratios.chosen.map((ratio, pair) => beta * (ratio - ratios.rejected[pair]!));
  const chosenGradient = sigmoidArguments.map((u) => (-beta * sigmoid(-u)) / totals.pairs);
  return {
    losses: sigmoidArguments.map((u) => softplus(-u)),
    chosenGradient,
    rejectedGradient: chosenGradient.map((gradient) => -gradient),
    chosenRewards: ratios.chosen.map((ratio) => beta * ratio),
    rejectedRewards: ratios.rejected.map((ratio) => beta * ratio),
    arguments: sigmoidArguments,
  };
}

/** Direct preference optimisation on summed log-ratios. Source: arXiv 2305.18290, equation 7. */
export const dpo: Objective = {
  id: "dpo",
  label: "DPO",
  group: "reference",
  sentence: "Pull the two answers apart, counting from the starting model.",
  formula: "−log σ( β[Δ(y⁺) − Δ(y⁻)] ), Δ(y) = log π_θ(y|x) − log π_ref(y|x)",
  parameters: [
    {
      key: "beta",
      label: "β",
      help: "How strongly the model is held to where it started: small values let it move far.",
      default: 0.5,
      minimum: 0.01,
      maximum: 1,
      scale: "log",
      paper: "paper: 0.1",
    },
  ],
  needs: ["referenceLogps"],
  watch: "Pair Map, both log-probabilities and KL.",
  healthy: "Accuracy settles between 0.7 and 0.95 and the chosen answers dip a little.",
  trouble:
    "The chosen answers plunge and the text repeats: raise β, lower the learning rate or start with SFT.",
  paper: {
    title: "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
    url: "https://arxiv.org/abs/2305.18290",
  },
  compute,
};
