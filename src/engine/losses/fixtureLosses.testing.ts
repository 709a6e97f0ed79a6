/** Losses in the form in which the fixtures list them; for tests. */
import type { Measured } from "./fixtureStatistics.testing.ts";
import { totalsOf } from "./fixtureStatistics.testing.ts";
import type { ObjectiveResult } from "./objective.ts";

/** Mean of a list. */
export function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** Losses of a result as they can be compared, and how the file's list is brought to the same length. */
interface ListedLosses {
  readonly losses: Float64Array;
  readonly listed: (losses: readonly number[]) => number[];
}

/**
 * A file repeats the likelihood of the whole batch in every loss, where ours have each pair's share; KTO's list has the
 * chosen losses first and then the rejected ones, where a pair's loss here is the mean of its two; AOT's list is in the
 * order of the ranks, where ours is in that of the pairs that hold them.
 */
export function batchLosses(
  key: string,
  { losses }: ObjectiveResult,
  { parameters, measured }: { parameters: Readonly<Record<string, number>>; measured: Measured },
): ListedLosses {
  const { logps } = measured.chosen;
  const totals = totalsOf(measured);
  const weight = { sft: 1, orpo: 1, cpo: parameters["cpoAlpha"] ?? 0 }[key] ?? 0;
  const shares = logps.map((logp) => (-logp * totals.pairs) / totals.chosenTokens);
  const likelihood = meanOf(shares);
  const { chosen, rejected } = measured;
  const raised = {
    aot: chosen.logps.map((logp, pair) => logp - rejected.logps[pair]!),
    aot_unpaired: chosen.logps.map((logp, pair) => logp - chosen.referenceLogps[pair]!),
  }[key];
  const rankOf = (value: number) => raised?.filter((other) => other < value).length ?? NaN;
  return {
    losses: losses.map((loss, pair) => loss + weight * (likelihood - shares[pair]!)),
    listed: (values) => {
      if (raised !== undefined) return Array.from(raised, (value) => values[rankOf(value)]!);
      if (key !== "kto") return [...values];
      return Array.from(losses, (_, pair) => (values[pair]! + values[pair + losses.length]!) / 2);
    },
  };
}
