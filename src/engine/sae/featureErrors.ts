/**
 * How far the policy's pooled features have drifted from the reference's, and what that asks of the stream. Plain
 * float64 numbers. Source: arXiv 2411.07618, equations 4 to 6 and 10.
 */
import { topFeatures, valueReader, widthOf, type FeatureBlock, type FeatureRow } from "./topFeatures.ts";

/**
 * Which features count: `paper` those in the policy's or the reference's top k; `released` those in the policy's, as
 * in the paper's code; `held` a fixed list.
 */
export type FeatureMode = "paper" | "released" | "held";

/** What counts as drift, for a whole run. */
export interface FeatureErrorOptions {
  readonly mode: FeatureMode;
  /** Features of a top k of each autoencoder; it is the divisor of the squares unless a list is held. */
  readonly topK: number;
  /** The features of `held`, numbered through all autoencoders, without repetition. */
  readonly heldFeatures?: readonly number[];
}

/** Pooled features of one answer, as `featurePool` means them, under both models; autoencoder after autoencoder. */
export interface PooledAnswer {
  readonly policy: FeatureRow;
  readonly reference: FeatureRow;
  /** Scored tokens T of the answer: what its mean was divided by. */
  readonly tokens: number;
  /** What the sum is to be divided by instead, such as the padded length less one; T when left out. */
  readonly divisor?: number;
}

/** The drift of one answer. */
export interface FeatureError {
  /** D = (1/k) Σ (C_policy − C_reference)² over the features that count: the sum of every autoencoder's own D. */
  readonly distance: number;
  /** Share of the top k that both models have in common, of a mean autoencoder; what is not active is in no top k. */
  readonly overlap: number;
  /** The features that count, ascending. */
  readonly features: Int32Array;
  /** ∂D / ∂(activation of that feature at any one pooled position). */
  readonly slopes: Float64Array;
}

/** Tables of `featurePoolGradient` on the host: [answers, listed], padded with −1 and 0. */
export interface GradientLists {
  readonly indices: Int32Array<ArrayBuffer>;
  readonly coefficients: Float32Array<ArrayBuffer>;
}

/** Throws RangeError with the reason why these options cannot be used with autoencoders of `width` features in all. */
export function checkFeatureOptions({ mode, topK, heldFeatures }: FeatureErrorOptions, width: number): void {
  if (!Number.isInteger(topK) || topK < 1)
    throw new RangeError(`A top k of ${topK} features is impossible: it has 1 to ${width}.`);
  if (mode !== "held") return;
  const held = heldFeatures ?? [];
  if (held.length === 0)
    throw new RangeError("No feature is held: list at least one, or choose another feature mode.");
  const twice = held.find((feature, place) => held.indexOf(feature) !== place);
  if (twice !== undefined) throw new RangeError(`Feature ${twice} is held twice: list it once.`);
  const outside = held.find((feature) => !Number.isInteger(feature) || feature < 0 || feature >= width);
  if (outside !== undefined)
    throw new RangeError(
      `Feature ${outside} is held, and the last of the ${width} features is ${width - 1}.`,
    );
}

/** Longest list of one autoencoder's features that an answer can have: the second axis of the gradient's tables. */
export function longestList({ mode, topK, heldFeatures }: FeatureErrorOptions): number {
  // A table has at least one column, even while nothing has been chosen to be held.
  return Math.max(1, { paper: 2 * topK, released: topK, held: heldFeatures?.length ?? 0 }[mode]);
}

/** Where the features of each autoencoder lie in rows that hold those of all, from the number that each has. */
export function featureBlocks(widths: readonly number[]): FeatureBlock[] {
  let end = 0;
  return widths.map((width) => ({ first: end, end: (end += width) }));
}

/** The drift of an answer, by one autoencoder when no blocks are given; throws RangeError for rows of two widths. */
export function featureError(
  answer: PooledAnswer,
  options: FeatureErrorOptions,
  blocks: readonly FeatureBlock[] = featureBlocks([widthOf(answer.policy)]),
): FeatureError {
  const { policy, reference, tokens, divisor = tokens } = answer;
  const { mode, topK, heldFeatures = [] } = options;
  if (widthOf(policy) !== widthOf(reference))
    throw new RangeError(
      `The policy has ${widthOf(policy)} features, what is kept of the reference ${widthOf(reference)}.`,
    );
  const topOf = (row: FeatureRow) => blocks.map((block) => topFeatures(row, topK, block));
  const [policyTops, referenceTops] = [topOf(policy), topOf(reference)];
  const [ofPolicy, ofReference] = [policyTops, referenceTops].map((tops) => tops.flatMap((top) => [...top]));
  const union = new Set([...ofPolicy!, ...ofReference!]);
  const counted = { paper: [...union], released: ofPolicy!, held: heldFeatures }[mode];
  const features = Int32Array.from(counted).sort();
  const squares = mode === "held" ? features.length : topK;
  const [policyAt, referenceAt] = [valueReader(policy), valueReader(reference)];
  const differences = Float64Array.from(
    features,
    (feature) => (tokens / divisor) * (policyAt(feature) - referenceAt(feature)),
  );
  return {
    distance: differences.reduce((sum, difference) => sum + difference ** 2, 0) / squares,
    overlap: policyTops.reduce((sum, top, at) => sum + sharedOf(top, referenceTops[at]!), 0) / blocks.length,
    features,
    slopes: differences.map((difference) => (2 / squares) * (difference / divisor)),
  };
}

/** Share of the longer list that is in both; 1 where both are empty. */
function sharedOf(first: Int32Array, second: Int32Array): number {
  const longest = Math.max(first.length, second.length);
  return longest === 0 ? 1 : first.filter((feature) => second.includes(feature)).length / longest;
}

/**
 * The lists that `featurePoolGradient` reads for one autoencoder, whose features are numbered from 0 in them, from the
 * drift of every answer and ∂L/∂D of each. An answer without a gradient has an empty list. Throws RangeError when a list
 * is longer than `listed`.
 */
export function gradientLists(
  errors: readonly FeatureError[],
  distanceGradients: ArrayLike<number>,
  { listed, block = { first: 0, end: Infinity } }: { readonly listed: number; readonly block?: FeatureBlock },
): GradientLists {
  const indices = new Int32Array(errors.length * listed).fill(-1);
  const coefficients = new Float32Array(errors.length * listed);
  errors.forEach(({ features: all, slopes }, answer) => {
    const gradient = distanceGradients[answer] ?? 0;
    if (gradient === 0) return;
    const [from, to] = [block.first, block.end].map(
      (bound) => all.filter((feature) => feature < bound).length,
    );
    const features = all.subarray(from, to);
    if (features.length > listed)
      throw new RangeError(
        `A list of ${features.length} features does not fit a table of ${listed} columns.`,
      );
    indices.set(
      features.map((feature) => feature - block.first),
      answer * listed,
    );
    coefficients.set(
      slopes.subarray(from, to).map((slope) => gradient * slope),
      answer * listed,
    );
  });
  return { indices, coefficients };
}
