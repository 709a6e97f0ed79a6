import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, ParameterSpec, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { marginLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

const temperature: ParameterSpec = {
  key: "tau",
  label: "τ",
  help: "How sharply the loss changes from logistic to exponential; below 0.1 it pushes an untouched pair the wrong way.",
  default: 0.2,
  minimum: 0.01,
  maximum: 1,
  scale: "log",
  paper: "paper: 0.05",
};

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const tau = parameterOf(parameters, "tau");
  return marginLoss({ statistics, totals, beta: parameterOf(parameters, "beta") }, (u) => {
    const [blend, rest] = [sigmoid(u / tau), sigmoid(-u / tau)];
    // blend · e^-u in one exponential: alone, the second factor overflows where the first is 0.
    const exponential = Math.exp(-u - softplus(-u / tau));
    return {
      loss: rest * softplus(-u) + exponential,
      slope: -rest * sigmoid(-u) - exponential + (rest * (exponential - blend * softplus(-u))) / tau,
    };
  });
}

/** Log-ratio modulated loss, found by a language model. It is not monotone. Source: arXiv 2406.08414, equation 5. */
export const discopop: Objective = {
  id: "discopop",
  label: "DiscoPOP",
  group: "reference",
  sentence: "A blend of logistic and exponential loss that a language model discovered.",
  formula: "(1−μ)·−log σ(u) + μ·e^−u, μ = σ(u/τ), u = β[Δ(y⁺) − Δ(y⁻)]",
  parameters: [betaSpec(), temperature],
  needs: ["referenceLogps"],
  watch: "Accuracy and margin: the loss is not monotone, so it says less than elsewhere.",
  healthy: "Accuracy rises although the loss may rise at first.",
  trouble: "Accuracy falls below one half: raise τ.",
  paper: {
    title: "Discovering Preference Optimization Algorithms with and for Large Language Models",
    url: "https://arxiv.org/abs/2406.08414",
  },
  compute,
};
