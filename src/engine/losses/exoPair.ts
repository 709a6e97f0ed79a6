import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { marginLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

const smoothing: ParameterSpec = {
  key: "labelSmoothing",
  label: "ε",
  help: "Probability that the rejected answer is the better one; without it there would be no finite target.",
  default: 0.1,
  minimum: 0.001,
  maximum: 0.45,
  scale: "log",
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const flipped = parameterOf(parameters, "labelSmoothing");
  const logKept = Math.log(1 - flipped);
  const logFlipped = Math.log(flipped);
  return marginLoss({ statistics, totals, beta: parameterOf(parameters, "beta") }, (u) => {
    const [preferred, other] = [sigmoid(u), sigmoid(-u)];
    return {
      loss: preferred * (-softplus(-u) - logKept) + other * (-softplus(u) - logFlipped),
      slope: preferred * other * (u - (logKept - logFlipped)),
    };
  });
}

/** Efficient exact optimisation of a pair: reverse KL to the smoothed label. Source: arXiv 2402.00856, equation 16. */
export const exoPair: Objective = {
  id: "exo_pair",
  label: "EXO",
  group: "reference",
  sentence:
    "Match the preference of the model to the label by reverse KL, which seeks one mode instead of covering all.",
  formula: "s(log s − log(1−ε)) + (1−s)(log(1−s) − log ε), s = σ( β[Δ(y⁺) − Δ(y⁻)] )",
  parameters: [betaSpec(), smoothing],
  needs: ["referenceLogps"],
  watch: "Margin and both log-probabilities.",
  healthy: "β × margin settles at log((1−ε)/ε).",
  trouble: "Pairs that are far on the wrong side stop moving: lower β, so that they pull again.",
  paper: {
    title: "Towards Efficient Exact Optimization of Language Model Alignment",
    url: "https://arxiv.org/abs/2402.00856",
  },
  compute,
};
