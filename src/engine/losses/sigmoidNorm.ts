import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { ratioLoss } from "./ratioLoss.ts";
import { sigmoid, softplus } from "./softplus.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const { chosen, rejected } = statistics;
  const sigmoidArguments = new Float64Array(statistics.pairs);
  const result = ratioLoss({ statistics, totals, beta }, (chosenRatio, rejectedRatio, pair) => {
    const [chosenTokens, rejectedTokens] = [chosen.tokens[pair]!, rejected.tokens[pair]!];
    const u = beta * (chosenRatio / chosenTokens - rejectedRatio / rejectedTokens);
    sigmoidArguments[pair] = u;
    const slope = -beta * sigmoid(-u);
    return {
      loss: softplus(-u),
      chosenSlope: slope / chosenTokens,
      rejectedSlope: -slope / rejectedTokens,
    };
  });
  return { ...result, arguments: sigmoidArguments };
}

/** DPO on log-ratios per token; its rewards stay those of the sums. Source: arXiv 2411.15124. */
export const sigmoidNorm: Objective = {
  id: "sigmoid_norm",
  label: "DPO per token",
  group: "reference",
  sentence: "DPO on log-ratios per token, so that long answers do not count more.",
  formula: "−log σ( β[Δ(y⁺)/|y⁺| − Δ(y⁻)/|y⁻|] )",
  parameters: [
    betaSpec({
      help: "Scale of the log-ratios per token; not comparable with DPO's β.",
      default: 2,
      minimum: 0.1,
      maximum: 10,
      paper: "paper: 2–10",
    }),
  ],
  needs: ["referenceLogps"],
  watch: "Margin per token, length and KL.",
  healthy: "Accuracy rises as with DPO and lengths stay where they are.",
  trouble: "The loss stays near 0.69: raise β.",
  paper: {
    title: "Tulu 3: Pushing Frontiers in Open Language Model Post-Training",
    url: "https://arxiv.org/abs/2411.15124",
  },
  compute,
};
