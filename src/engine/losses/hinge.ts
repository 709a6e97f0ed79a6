import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { marginLoss } from "./ratioLoss.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  return marginLoss({ statistics, totals, beta: parameterOf(parameters, "beta") }, (u) => ({
    loss: Math.max(0, 1 - u),
    slope: u < 1 ? -1 : 0,
  }));
}

/** Hinge loss on the scaled log-ratio margin. Source: SLiC-HF, arXiv 2305.10425, with the reference of DPO. */
export const hinge: Objective = {
  id: "hinge",
  label: "Hinge",
  group: "reference",
  sentence: "Pull with full force until the chosen answer leads by 1/β, then let go.",
  formula: "max( 0, 1 − β[Δ(y⁺) − Δ(y⁻)] )",
  parameters: [
    betaSpec({
      paper: "paper: 0.1",
      help: "The lead to reach is 1/β nats; until then every pair pulls equally.",
    }),
  ],
  needs: ["referenceLogps"],
  watch: "Margin, both log-probabilities and the share of pairs that still pull.",
  healthy: "The loss falls to near 0 and the margin settles just above 1/β.",
  trouble: "The margin oscillates around 1/β: lower the learning rate.",
  paper: {
    title: "SLiC-HF: Sequence Likelihood Calibration with Human Feedback",
    url: "https://arxiv.org/abs/2305.10425",
  },
  compute,
};
