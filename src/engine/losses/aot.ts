import { betaSpec } from "./betaSpec.ts";
import type { Objective, ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { logRatioPairs, parameterOf } from "./objective.ts";
import { rankedLoss } from "./rankedLoss.ts";

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const ratios = logRatioPairs(statistics);
  const { chosen, rejected } = statistics;
  const policyMargins = chosen.logps.map((logp, pair) => logp - rejected.logps[pair]!);
  const referenceMargins = chosen.referenceLogps!.map((logp, pair) => logp - rejected.referenceLogps![pair]!);
  const ranked = rankedLoss(beta, policyMargins, referenceMargins);
  return {
    losses: ranked.losses,
    chosenGradient: ranked.raisedSlopes.map((slope) => slope / totals.pairs),
    rejectedGradient: ranked.raisedSlopes.map((slope) => -slope / totals.pairs),
    chosenRewards: ratios.chosen.map((ratio) => beta * ratio),
    rejectedRewards: ratios.rejected.map((ratio) => beta * ratio),
    arguments: ranked.arguments,
  };
}

/** Alignment by optimal transport: margins of policy and reference, rank by rank. Source: arXiv 2406.05882. */
export const aot: Objective = {
  id: "aot",
  label: "AOT",
  group: "reference",
  sentence:
    "Compare sorted margins with the sorted margins of the reference, so that all of the distribution moves.",
  formula: "−log σ( β[sort(m)ⱼ − sort(m_ref)ⱼ] ) for every rank j, m = log π(y⁺|x) − log π(y⁻|x)",
  parameters: [betaSpec({ paper: "paper: 0.1" })],
  needs: ["referenceLogps"],
  comparesPairs: true,
  watch: "Margin and accuracy; the losses belong to ranks, not to pairs.",
  healthy: "The whole cloud of the Pair Map moves, its slow pairs as well.",
  trouble: "The run is uneven: put more pairs into a micro-batch, ranks of a few say little.",
  paper: {
    title: "Distributional Preference Alignment of LLMs via Optimal Transport",
    url: "https://arxiv.org/abs/2406.05882",
  },
  compute,
};
