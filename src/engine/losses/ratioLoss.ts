/** The common frame of objectives that see a pair through its two log-ratios to the reference. */
import type { ObjectiveResult, PairStatistics, StepTotals } from "./objective.ts";
import { logRatioPairs } from "./objective.ts";

/** What every objective on log-ratios is computed from. */
export interface RatioInput {
  readonly statistics: PairStatistics;
  readonly totals: StepTotals;
  /** Scale of the logged rewards, and of the margin where there is one. */
  readonly beta: number;
}

/** Loss of one pair and its derivatives with respect to the log-ratios of its answers. */
export interface RatioLoss {
  readonly loss: number;
  readonly chosenSlope: number;
  readonly rejectedSlope: number;
}

/** Loss of one pair and its derivative with respect to the argument u. */
export interface ArgumentLoss {
  readonly loss: number;
  readonly slope: number;
}

/** An objective whose loss of a pair is a function of the two summed log-ratios; rewards are β times these. */
export function ratioLoss(
  { statistics, totals, beta }: RatioInput,
  lossAt: (chosenRatio: number, rejectedRatio: number, pair: number) => RatioLoss,
): ObjectiveResult {
  const ratios = logRatioPairs(statistics);
  const perPair = Array.from(ratios.chosen, (ratio, pair) => lossAt(ratio, ratios.rejected[pair]!, pair));
  return {
    losses: Float64Array.from(perPair, ({ loss }) => loss),
    chosenGradient: Float64Array.from(perPair, ({ chosenSlope }) => chosenSlope / totals.pairs),
    rejectedGradient: Float64Array.from(perPair, ({ rejectedSlope }) => rejectedSlope / totals.pairs),
    chosenRewards: ratios.chosen.map((ratio) => beta * ratio),
    rejectedRewards: ratios.rejected.map((ratio) => beta * ratio),
  };
}

/** An objective whose loss of a pair is a function of u = β × (chosen log-ratio − rejected log-ratio). */
export function marginLoss(
  input: RatioInput,
  lossAt: (u: number, pair: number) => ArgumentLoss,
): ObjectiveResult {
  const { beta } = input;
  const sigmoidArguments = new Float64Array(input.statistics.pairs);
  const result = ratioLoss(input, (chosenRatio, rejectedRatio, pair) => {
    const u = beta * (chosenRatio - rejectedRatio);
    sigmoidArguments[pair] = u;
    const { loss, slope } = lossAt(u, pair);
    return { loss, chosenSlope: beta * slope, rejectedSlope: -beta * slope };
  });
  return { ...result, arguments: sigmoidArguments };
}
