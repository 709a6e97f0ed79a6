import { betaSpec } from "./betaSpec.ts";
import { chosenLikelihood } from "./chosenLikelihood.ts";
import type { Objective, ObjectiveResult, PairStatistics, SideStatistics, StepTotals } from "./objective.ts";
import { parameterOf } from "./objective.ts";
import { sigmoid, softplus } from "./softplus.ts";

/** Above this mean log-prob the odds are those at it: at 0 they would be infinite. */
const highestMean = -1e-6;

/** Log odds of the geometric-mean token probability per answer, and their derivatives by the summed log-prob. */
function logOdds({ logps, tokens }: SideStatistics): { odds: Float64Array; slopes: Float64Array } {
  const slopes = new Float64Array(logps.length);
  const odds = logps.map((logp, pair) => {
    const mean = Math.min(logp / tokens[pair]!, highestMean);
    slopes[pair] = mean < highestMean ? -1 / (tokens[pair]! * Math.expm1(mean)) : 0;
    // log(1 - e^mean), by the form that keeps its digits there.
    return mean - (mean > -Math.LN2 ? Math.log(-Math.expm1(mean)) : Math.log1p(-Math.exp(mean)));
  });
  return { odds, slopes };
}

function compute(
  statistics: PairStatistics,
  parameters: Readonly<Record<string, number>>,
  totals: StepTotals,
): ObjectiveResult {
  const beta = parameterOf(parameters, "beta");
  const { pairs, chosen, rejected } = statistics;
  const likelihood = chosenLikelihood(chosen, totals);
  const [chosenOdds, rejectedOdds] = [logOdds(chosen), logOdds(rejected)];
  const ratios = chosenOdds.odds.map((odds, pair) => odds - rejectedOdds.odds[pair]!);
  const slopes = ratios.map((ratio) => (-beta * sigmoid(-ratio)) / totals.pairs);
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);
  return {
    losses: ratios.map((ratio, pair) => beta * softplus(-ratio) + likelihood.shares[pair]!),
    chosenGradient: slopes.map((slope, pair) => slope * chosenOdds.slopes[pair]! + likelihood.chosenGradient),
    rejectedGradient: slopes.map((slope, pair) => -slope * rejectedOdds.slopes[pair]!),
    chosenRewards: chosen.logps.map((logp, pair) => (beta * logp) / chosen.tokens[pair]!),
    rejectedRewards: rejected.logps.map((logp, pair) => (beta * logp) / rejected.tokens[pair]!),
    arguments: ratios,
    metrics: {
      ...likelihood.metrics,
      log_odds_chosen: { sum: sum(ratios), weight: pairs },
      log_odds_ratio: { sum: -sum(ratios.map((ratio) => softplus(-ratio))), weight: pairs },
    },
  };
}

/** Odds-ratio preference optimisation; its likelihood covers answer tokens only. Source: arXiv 2403.07691. */
export const orpo: Objective = {
  id: "orpo",
  label: "ORPO",
  group: "reference-free",
  sentence: "No reference: copy the chosen answer and make its odds higher than those of the rejected one.",
  formula: "nll − β·log σ( logit P(y⁺) − logit P(y⁻) ), P(y) = π_θ(y)^(1/|y|), nll = −log π_θ(y⁺) per token",
  parameters: [
    betaSpec({
      paper: "paper: 0.1",
      help: "Weight of the odds ratio beside copying (λ in the paper).",
      default: 1,
      maximum: 10,
    }),
  ],
  needs: [],
  watch: "Both log-probabilities and the log odds ratio.",
  healthy: "Both log-probabilities rise at first, then the rejected one turns down.",
  trouble: "The log odds ratio stays where it is: raise β.",
  paper: {
    title: "ORPO: Monolithic Preference Optimization without Reference Model",
    url: "https://arxiv.org/abs/2403.07691",
  },
  compute,
};
