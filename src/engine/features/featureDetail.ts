import { activationIntervals, type ActivationInterval, type ActivePosition } from "./activationExamples.ts";
import type { EncodedPairs, FeatureCorpus } from "./encodePairs.ts";
import { strongestLogits, type FeatureLogits } from "./featureLogits.ts";
import { eachPosition } from "./pairRows.ts";
import { activationAt } from "./sparseRows.ts";
import type { TokenDecoder } from "./tokenTexts.ts";

/** A feature on pairs, under one model. */
export interface FeatureUse {
  /** Share of positions at which it is active. */
  readonly density: number;
  /** Positions by activation, zeros left out; bin i goes from `edges[i]` to `edges[i + 1]`. */
  readonly counts: Float32Array;
  /** Pooled activation of each pair's answers. */
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
}

/** Everything the feature view shows of one feature. */
export interface FeatureDetail extends FeatureLogits {
  readonly feature: number;
  /** Name that the likeliest tokens suggest. */
  readonly name: string;
  readonly positions: number;
  /** From 0 to the largest activation under either model; the bins of both are the same. */
  readonly edges: Float32Array;
  readonly before: FeatureUse;
  /** Under the tuned model; null before a run. */
  readonly after: FeatureUse | null;
  /** From the strongest down; by the tuned model's activations where the untouched one has none. */
  readonly intervals: readonly ActivationInterval[];
}

const BINS = 20;

/** What a feature does on the pairs of a corpus, with the numbers of its table and of `directLogits`. */
export function featureDetail(
  corpus: FeatureCorpus,
  feature: number,
  {
    name,
    logits,
    decoder,
  }: { readonly name: string; readonly logits: Float32Array | null; readonly decoder: TokenDecoder },
): FeatureDetail {
  const { width } = corpus.before.rows;
  if (!Number.isInteger(feature) || feature < 0 || feature >= width)
    throw new RangeError(`Feature ${feature} is unknown: the autoencoder has 0 to ${width - 1}.`);
  const before = lookUp(corpus, corpus.before, feature);
  const after = corpus.after === null ? null : lookUp(corpus, corpus.after, feature);
  const largest = Math.max(before.largest, after?.largest ?? 0) || 1;
  const edges = Float32Array.from({ length: BINS + 1 }, (_, i) => (i / BINS) * largest);
  const shown = before.active.length > 0 ? before.active : (after?.active ?? []);
  return {
    feature,
    name,
    positions: before.positions,
    edges,
    before: usageOf(before, largest),
    after: after === null ? null : usageOf(after, largest),
    ...strongestLogits(logits, decoder),
    intervals: activationIntervals(corpus, feature, { active: shown, decoder }),
  };
}

/** One feature under one model. */
interface Found extends Pick<FeatureUse, "chosen" | "rejected"> {
  readonly active: ActivePosition[];
  readonly positions: number;
  readonly largest: number;
}

function lookUp({ pairs, startToken }: FeatureCorpus, { rows }: EncodedPairs, feature: number): Found {
  const active: ActivePosition[] = [];
  const pooled = { chosen: new Float64Array(pairs.length), rejected: new Float64Array(pairs.length) };
  let [positions, largest] = [0, 0];
  eachPosition(pairs, startToken, (position) => {
    positions++;
    const value = activationAt(rows, position.row, feature);
    if (value === 0) return;
    active.push({ ...position, value });
    largest = Math.max(largest, value);
    pooled[position.side][position.pair]! += position.share * value;
  });
  const { chosen, rejected } = pooled;
  return {
    active,
    positions,
    largest,
    chosen: Float32Array.from(chosen),
    rejected: Float32Array.from(rejected),
  };
}

function usageOf({ active, positions, chosen, rejected }: Found, largest: number): FeatureUse {
  const counts = new Float32Array(BINS);
  for (const { value } of active) counts[Math.min(BINS - 1, Math.floor((value / largest) * BINS))]! += 1;
  return { density: active.length / positions, counts, chosen, rejected };
}
