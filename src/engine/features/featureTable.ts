import type { FeatureCorpus } from "./encodePairs.ts";
import { nameFeatures } from "./featureNames.ts";
import { eachPosition } from "./pairRows.ts";
import { eachActive } from "./sparseRows.ts";
import type { TokenDecoder } from "./tokenTexts.ts";

/** What every feature of an autoencoder does on pairs, under the untouched model; arrays have one value per feature. */
export interface FeatureTable {
  /** Positions that were looked at: rows that predict a token of an answer. */
  readonly positions: number;
  /** Names that the likeliest tokens suggest, see `nameFeatures`; "" for a feature that was never active. */
  readonly names: readonly string[];
  /** Share of positions at which the feature is active. */
  readonly density: Float32Array;
  /** Mean and largest activation, over all positions. */
  readonly mean: Float32Array;
  readonly max: Float32Array;
  /** Mean of the pooled activations over chosen and over rejected answers. */
  readonly chosenMean: Float32Array;
  readonly rejectedMean: Float32Array;
  /** Mean number of active features at a position. */
  readonly l0: number;
  /** Share of the stream's variance that the autoencoder does not explain; null without a decoder. */
  readonly unexplained: number | null;
}

/** The table of a corpus. Throws RangeError for one without positions. */
export function featureTable(corpus: FeatureCorpus, decoder: TokenDecoder): FeatureTable {
  const { pairs, startToken, before } = corpus;
  const { rows, l0, unexplained } = before;
  const arrays = ["density", "mean", "max", "chosen", "rejected"].map(() => new Float64Array(rows.width));
  const [active, sum, max, chosen, rejected] = arrays as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let positions = 0;
  eachPosition(pairs, startToken, ({ row, side, share }) => {
    positions++;
    const pooled = side === "chosen" ? chosen : rejected;
    eachActive(rows, row, (feature, value) => {
      active[feature]! += 1;
      sum[feature]! += value;
      max[feature] = Math.max(max[feature]!, value);
      pooled[feature]! += share * value;
    });
  });
  if (positions === 0) throw new RangeError("The pairs have no position to look at: no answer has a token.");
  const shareOf = (values: Float64Array, count: number) =>
    Float32Array.from(values, (value) => value / count);
  return {
    positions,
    names: nameFeatures(corpus, decoder),
    density: shareOf(active, positions),
    mean: shareOf(sum, positions),
    max: Float32Array.from(max),
    chosenMean: shareOf(chosen, pairs.length),
    rejectedMean: shareOf(rejected, pairs.length),
    l0,
    unexplained,
  };
}
