/**
 * How far the policy's pooled features have drifted from the reference's, and what that asks of the stream. Plain
 * float64 numbers. Source: arXiv 2411.07618, equations 4 to 6 and 10.
 */
import { topFeatures, valueReader, widthOf, type FeatureRow } from "./topFeatures.ts";

/**
 * Which features count: `paper` those in the policy's or the reference's top k; `released` those in the policy's, as
 * in the paper's code; `held` a fixed list.
 */
export type FeatureMode = "paper" | "released" | "held";

/** What counts as drift, for a whole run. */
export interface FeatureErrorOptions {
  readonly mode: FeatureMode;
  /** Features of a top k; it is the divisor of the squares unless a list is held. */
  readonly topK: number;
  /** The features of `held`, without repetition. */
  readonly heldFeatures?: readonly number[];
}

/** Pooled features of one answer, as `featurePool` means them, under both models. */
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
  /** D = (1/k) Σ (C_policy − C_reference)² over the features that count. */
  readonly distance: number;
  /** Share of the top k that both models have in common. */
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

/** Throws RangeError with the reason why these options cannot be used with an autoencoder of `width` features. */
export function checkFeatureOptions({ mode, topK, heldFeatures }: FeatureErrorOptions, width: number): void {
  if (!Number.isInteger(topK) || topK < 1)
    throw new RangeError(`A top k of ${topK} features is impossible: it has 1 to ${width}.`);
  if (mode !== "held") return;
  const held = heldFeatures ?? [];
  if (held.length === 0) throw new RangeError("The list of held features is empty.");
  if (new Set(held).size !== held.length) throw new RangeError("A held feature is listed twice.");
  const outside = held.find((feature) => !Number.isInteger(feature) || feature < 0 || feature >= width);
  if (outside !== undefined)
    throw new RangeError(`Feature ${outside} is held, but the autoencoder has ${width} features.`);
}

/** Longest list of features that one answer can have: the second axis of the gradient's tables. */
export function longestList({ mode, topK, heldFeatures }: FeatureErrorOptions): number {
  return { paper: 2 * topK, released: topK, held: heldFeatures?.length ?? 0 }[mode];
}

/** The drift of an answer; throws RangeError for rows of different widths. */
export function featureError(answer: PooledAnswer, options: FeatureErrorOptions): FeatureError {
  const { policy, reference, tokens, divisor = tokens } = answer;
  const { mode, topK, heldFeatures = [] } = options;
  if (widthOf(policy) !== widthOf(reference))
    throw new RangeError(
      `The policy has ${widthOf(policy)} features, what is kept of the reference ${widthOf(reference)}.`,
    );
  const ofPolicy = topFeatures(policy, topK);
  const ofReference = topFeatures(reference, topK);
  const union = new Set([...ofPolicy, ...ofReference]);
  const counted = { paper: [...union], released: ofPolicy, held: heldFeatures }[mode];
  const features = Int32Array.from(counted).sort();
  const squares = mode === "held" ? features.length : topK;
  const [policyAt, referenceAt] = [valueReader(policy), valueReader(reference)];
  const differences = Float64Array.from(
    features,
    (feature) => (tokens / divisor) * (policyAt(feature) - referenceAt(feature)),
  );
  return {
    distance: differences.reduce((sum, difference) => sum + difference ** 2, 0) / squares,
    overlap: (ofPolicy.length + ofReference.length - union.size) / topK,
    features,
    slopes: differences.map((difference) => (2 / squares) * (difference / divisor)),
  };
}

/**
 * The lists that `featurePoolGradient` reads, from the drift of every answer and ∂L/∂D of each. An answer without a
 * gradient has an empty list. Throws RangeError when a list is longer than `listed`.
 */
export function gradientLists(
  errors: readonly FeatureError[],
  distanceGradients: ArrayLike<number>,
  listed: number,
): GradientLists {
  const indices = new Int32Array(errors.length * listed).fill(-1);
  const coefficients = new Float32Array(errors.length * listed);
  errors.forEach(({ features, slopes }, answer) => {
    const gradient = distanceGradients[answer] ?? 0;
    if (gradient === 0) return;
    if (features.length > listed)
      throw new RangeError(
        `A list of ${features.length} features does not fit a table of ${listed} columns.`,
      );
    indices.set(features, answer * listed);
    coefficients.set(
      slopes.map((slope) => gradient * slope),
      answer * listed,
    );
  });
  return { indices, coefficients };
}
