/** From numbers per scored token to numbers per pair, and back to one gradient per scored token. */
import type { FlatBatch } from "../data/batch.ts";
import { isOfOnePrompt, type TokenPair } from "../data/tokenPair.ts";
import type { ObjectiveResult, PairStatistics } from "../losses/objective.ts";
import type { ReferenceAnswer, ReferenceCache } from "../reference/referenceCache.ts";
import { gradientLists, longestList, type FeatureError, type GradientLists } from "../sae/featureErrors.ts";
import { blocksOf, featureErrorsOf, totalWidth, type FeatureTap, type PooledFeatures } from "./featureTap.ts";
import type { Measured, MeasuredModel, TokenGradients } from "./gradients.ts";
import type { Measures } from "./measures.ts";
import type { MetricBatch } from "./metrics.ts";
import { sumBySequence } from "./scoring.ts";

/** Where the numbers of pairs come from that a pass over the policy does not measure. */
export interface PairSources {
  /** Remembered log-probs; not asked where the reference ran within the pass. */
  readonly reference: ReferenceCache;
  /** Log-ratios of mismatched answers, where the objective needs them. */
  readonly mismatchedRatios?: Float64Array | undefined;
  /** Drift of the features of every answer, chosen ones first; null where none are pooled. */
  readonly drift?: readonly FeatureError[] | null;
}

/** Drift of every answer of a batch, chosen ones first; null where it is not measured. */
export interface Drifts {
  /** What the objective compares. */
  readonly own: readonly FeatureError[] | null;
  /** What methods are compared by. */
  readonly compared: readonly FeatureError[] | null;
  /** Of the held features alone. */
  readonly held: readonly FeatureError[] | null;
}

/** Where the pooled features of a batch come from. */
export interface DriftSources {
  readonly pooled: PooledFeatures | null;
  /** Null where the reference's features are remembered. */
  readonly referencePooled: PooledFeatures | null;
  readonly reference: ReferenceCache;
}

/** The drift of every answer of a batch, where features were pooled. */
export function driftsOf(
  { tap, evaluationTap, heldTap }: Pick<Measures, "tap" | "evaluationTap" | "heldTap">,
  pairs: readonly TokenPair[],
  flat: FlatBatch,
  sources: DriftSources,
): Drifts {
  return {
    own: driftOf(tap, pairs, flat, sources),
    compared: driftOf(evaluationTap, pairs, flat, sources),
    held: driftOf(heldTap, pairs, flat, sources),
  };
}

function driftOf(
  tap: FeatureTap | null,
  pairs: readonly TokenPair[],
  flat: FlatBatch,
  { pooled, referencePooled, reference }: DriftSources,
): FeatureError[] | null {
  if (tap === null || pooled === null) return null;
  const width = totalWidth(tap);
  const rows =
    referencePooled === null
      ? rememberedAnswers(pairs, reference).map(({ features }) => {
          if (features === undefined) throw new Error("The reference's features of an answer are unknown.");
          return features;
        })
      : Array.from({ length: flat.sequences }, (_, answer) =>
          referencePooled.means.subarray(answer * width, (answer + 1) * width),
        );
  return featureErrorsOf(tap, flat, { policy: pooled.means, reference: rows });
}

/** What an objective needs of a batch laid out by `pairBatch`: chosen answers first, then rejected ones. */
export function pairStatistics(
  pairs: readonly TokenPair[],
  flat: FlatBatch,
  measured: Measured,
  sources: PairSources,
): PairStatistics {
  const { entries } = measured;
  const count = pairs.length;
  const tokens = Float64Array.from(
    [...pairs.map(({ chosen }) => chosen), ...pairs.map(({ rejected }) => rejected)],
    (answer) => answer.length,
  ); // [2 · pairs]
  const sums = {
    logps: sumBySequence(flat, entries.logps),
    tokens,
    referenceLogps:
      measured.reference === null
        ? Float64Array.from(rememberedAnswers(pairs, sources.reference), ({ sumLogps }) => sumLogps)
        : sumBySequence(flat, measured.reference.entries.logps),
    divergences: sumBySequence(flat, entries.divergences),
    confidences: sumBySequence(
      flat,
      entries.logps.map((logp, entry) => logp - (entries.logSumSquares[entry] ?? NaN)),
    ).map((sum, sequence) => sum / (tokens[sequence] ?? NaN)),
  };
  const drift = sources.drift ?? null;
  const side = (start: number) => ({
    logps: sums.logps.slice(start, start + count),
    tokens: sums.tokens.slice(start, start + count),
    referenceLogps: sums.referenceLogps.slice(start, start + count),
    divergences: sums.divergences.slice(start, start + count),
    confidences: sums.confidences.slice(start, start + count),
    ...(drift === null
      ? {}
      : { featureErrors: Float64Array.from(drift.slice(start, start + count), ({ distance }) => distance) }),
  });
  const { mismatchedRatios } = sources;
  const rewardGaps = knownOfAll(pairs, ({ rewardGap }) => rewardGap);
  const pairWeights = knownOfAll(pairs, ({ weight }) => weight);
  return {
    pairs: count,
    chosen: side(0),
    rejected: side(count),
    ...(mismatchedRatios === undefined ? {} : { mismatchedRatios }),
    ...(rewardGaps === null ? {} : { rewardGaps }),
    ...(pairWeights === null ? {} : { pairWeights }),
    ...(pairs.every(isOfOnePrompt)
      ? {}
      : { isOfOnePrompt: Uint8Array.from(pairs, (pair) => Number(isOfOnePrompt(pair))) }),
  };
}

/** What is remembered of all chosen answers, then of all rejected ones. */
export function rememberedAnswers(pairs: readonly TokenPair[], reference: ReferenceCache): ReferenceAnswer[] {
  const records = pairs.map((pair) => {
    const known = reference.get(pair);
    if (known === undefined)
      throw new Error("A pair is trained on of whose reference nothing is remembered.");
    return known;
  });
  return [...records.map(({ chosen }) => chosen), ...records.map(({ rejected }) => rejected)];
}

/** Remembered hidden states of every scored token of a batch by `pairBatch`: [entries · hidden]. */
export function rememberedStates(pairs: readonly TokenPair[], reference: ReferenceCache): Float32Array {
  const states = rememberedAnswers(pairs, reference).map(({ hidden }) => {
    if (hidden === undefined) throw new Error("The reference's hidden states of an answer are unknown.");
    return hidden;
  });
  const all = new Float32Array(states.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const some of states) {
    all.set(some, offset);
    offset += some.length;
  }
  return all;
}

/** A number of every pair; null when one of them has none. */
function knownOfAll(
  pairs: readonly TokenPair[],
  numberOf: (pair: TokenPair) => number | undefined,
): Float64Array | null {
  const numbers = pairs.map(numberOf);
  return numbers.some((value) => value === undefined) ? null : Float64Array.from(numbers as number[]);
}

/** Every scored token of an answer carries the gradients of the answer's sums, and its features those of their drift. */
export function tokenGradients(
  flat: FlatBatch,
  result: ObjectiveResult,
  features?: { readonly tap: FeatureTap; readonly drift: readonly FeatureError[] } | null,
): TokenGradients {
  const perToken = (chosen: Float64Array, rejected: Float64Array) => {
    const perSequence = [...chosen, ...rejected]; // [2 · pairs]
    return Float64Array.from(flat.entrySequence, (sequence) => perSequence[sequence] ?? NaN);
  };
  const { chosenDivergenceGradient: chosen, rejectedDivergenceGradient: rejected } = result;
  const none = new Float64Array(flat.sequences / 2);
  const { chosenFeatureGradient = none, rejectedFeatureGradient = none } = result;
  const drifts = [...chosenFeatureGradient, ...rejectedFeatureGradient]; // [2 · pairs]
  return {
    logps: perToken(result.chosenGradient, result.rejectedGradient),
    ...(chosen === undefined && rejected === undefined
      ? {}
      : { divergences: perToken(chosen ?? none, rejected ?? none) }),
    ...(features === undefined || features === null
      ? {}
      : { features: listsOf(features.tap, features.drift, drifts) }),
  };
}

/** The lists of every autoencoder of a tap. */
function listsOf(
  tap: FeatureTap,
  drift: readonly FeatureError[],
  gradients: readonly number[],
): GradientLists[] {
  const listed = longestList(tap.errors);
  return blocksOf(tap).map((block) => gradientLists(drift, gradients, { listed, block }));
}

/** What came of a batch. */
export interface BatchOutcome {
  readonly statistics: PairStatistics;
  readonly result: ObjectiveResult;
  readonly hasKl: boolean;
  readonly drifts: Pick<Drifts, "compared" | "held">;
}

/** Everything the metrics of a batch are made of. */
export function metricBatch(
  flat: FlatBatch,
  { entries, pooled }: MeasuredModel,
  { statistics, result, hasKl, drifts: { compared, held } }: BatchOutcome,
): MetricBatch {
  const entropies = sumBySequence(flat, entries.entropies); // [2 · pairs]
  const meanLogits = sumBySequence(flat, entries.meanLogits);
  const hits = sumBySequence(flat, entries.isTop);
  const divergences = sumBySequence(flat, entries.divergences);
  const reverseDivergences = sumBySequence(flat, entries.reverseDivergences);
  const tokens = sumBySequence(flat, new Float64Array(flat.labels.length).fill(1));
  const active = pooled?.active.map((count, answer) => count * (tokens[answer] ?? NaN));
  const distances = (drift: readonly FeatureError[], start: number, end: number) =>
    Float64Array.from(drift.slice(start, end), ({ distance }) => distance);
  const side = (start: number, end: number) => ({
    entropies: entropies.slice(start, end),
    meanLogits: meanLogits.slice(start, end),
    hits: hits.slice(start, end),
    ...(active === undefined ? {} : { activeFeatures: active.slice(start, end) }),
    ...(compared === null
      ? {}
      : {
          featureErrors: distances(compared, start, end),
          featureOverlaps: Float64Array.from(compared.slice(start, end), ({ overlap }) => overlap),
        }),
    ...(held === null ? {} : { heldErrors: distances(held, start, end) }),
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
