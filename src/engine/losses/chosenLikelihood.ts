/** The token-mean negative log-likelihood of the chosen answers, as a term of an objective. */
import type { ObjectiveResult, SideStatistics, StepTotals } from "./objective.ts";

/** Shares of the pairs in the term, its gradient with respect to each chosen log-prob, and its metric. */
interface LikelihoodTerm {
  /** Their mean over the pairs of the step is the token mean of the step. */
  readonly shares: Float64Array;
  readonly chosenGradient: number;
  readonly metrics: NonNullable<ObjectiveResult["metrics"]>;
}

/** The negative log-likelihood of the chosen answers in nats per token, over all scored tokens of the step. */
export function chosenLikelihood({ logps, tokens }: SideStatistics, totals: StepTotals): LikelihoodTerm {
  const weight = totals.pairs / totals.chosenTokens;
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return {
    shares: logps.map((logp) => -logp * weight),
    chosenGradient: -1 / totals.chosenTokens,
    metrics: { nll_loss: { sum: -sum(logps), weight: sum(tokens) } },
  };
}
