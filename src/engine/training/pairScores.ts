/** From numbers per scored token to numbers per pair, and back to one gradient per scored token. */
import type { FlatBatch } from "../data/batch.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { ObjectiveResult, PairStatistics } from "../losses/objective.ts";
import type { ReferenceCache } from "../reference/referenceCache.ts";
import type { MetricBatch } from "./metrics.ts";
import { sumBySequence, type EntryStatistics } from "./scoring.ts";

/** What an objective needs of a batch laid out by `pairBatch`: chosen answers first, then rejected ones. */
export function pairStatistics(
  pairs: readonly TokenPair[],
  flat: FlatBatch,
  logps: Float64Array,
  reference: ReferenceCache,
): PairStatistics {
  const sums = sumBySequence(flat, logps); // [2 · pairs]
  const referenceOf = (side: "chosen" | "rejected") =>
    Float64Array.from(pairs, (pair) => {
      const known = reference.get(pair);
      if (known === undefined) throw new Error("A pair is trained on whose reference log-probs are unknown.");
      return known[side];
    });
  return {
    pairs: pairs.length,
    chosen: {
      logps: sums.slice(0, pairs.length),
      tokens: Float64Array.from(pairs, ({ chosen }) => chosen.length),
      referenceLogps: referenceOf("chosen"),
    },
    rejected: {
      logps: sums.slice(pairs.length),
      tokens: Float64Array.from(pairs, ({ rejected }) => rejected.length),
      referenceLogps: referenceOf("rejected"),
    },
  };
}

/** Every scored token of an answer carries the gradient of the answer's summed log-prob. */
export function tokenGradients(flat: FlatBatch, result: ObjectiveResult): Float64Array {
  const perSequence = [...result.chosenGradient, ...result.rejectedGradient]; // [2 · pairs]
  return Float64Array.from(flat.entrySequence, (sequence) => perSequence[sequence] ?? NaN);
}

/** Everything the metrics of a batch are made of. */
export function metricBatch(
  flat: FlatBatch,
  entries: EntryStatistics,
  outcome: { readonly statistics: PairStatistics; readonly result: ObjectiveResult; readonly hasKl: boolean },
): MetricBatch {
  const { statistics, result, hasKl } = outcome;
  const entropies = sumBySequence(flat, entries.entropies); // [2 · pairs]
  const meanLogits = sumBySequence(flat, entries.meanLogits);
  const hits = sumBySequence(flat, entries.isTop);
  const divergences = sumBySequence(flat, entries.divergences);
  const reverseDivergences = sumBySequence(flat, entries.reverseDivergences);
  const side = (start: number, end: number) => ({
    entropies: entropies.slice(start, end),
    meanLogits: meanLogits.slice(start, end),
    hits: hits.slice(start, end),
    ...(hasKl
      ? {
          divergences: divergences.slice(start, end),
          reverseDivergences: reverseDivergences.slice(start, end),
        }
      : {}),
  });
  const { pairs } = statistics;
  return { statistics, result, chosen: side(0, pairs), rejected: side(pairs, 2 * pairs) };
}
