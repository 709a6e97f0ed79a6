import type { Model } from "../models/decoder.ts";
import { headLogits } from "../models/headLogits.ts";
import { parameter, type Weights } from "../models/weights.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import { topFeatures } from "../sae/topFeatures.ts";
import { read, tensor, tidy, view } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { tokenText, type TokenDecoder } from "./tokenTexts.ts";

/** A token and how much a feature's direction adds to its logit. */
export interface TokenLogit {
  readonly token: string;
  readonly logit: number;
}

/** The tokens that a feature's direction raises and lowers most, the strongest first. */
export interface FeatureLogits {
  readonly positive: readonly TokenLogit[];
  readonly negative: readonly TokenLogit[];
}

const LISTED = 10;

/**
 * What one activation's worth of a feature adds to the logits on the shortest way, from its block straight to the
 * head: its row of the decoder, times the final norm's gain (less its mean first where the norm subtracts one), times
 * the head. An approximation: the norm's division by the size of the stream is left out, as if that size were 1, so that
 * the order counts and not the size; so are the layers between, and the soft cap of logits. Null without a decoder.
 */
export async function directLogits(
  {
    model,
    weights,
    sae,
  }: { readonly model: Model; readonly weights: Weights; readonly sae: SparseAutoencoder },
  feature: number,
): Promise<Float32Array | null> {
  if (sae.decoder === null) return null;
  if (!Number.isInteger(feature) || feature < 0 || feature >= sae.width)
    throw new RangeError(`Feature ${feature} is unknown: the autoencoder has 0 to ${sae.width - 1}.`);
  const [direction, gain] = await Promise.all([
    readRow(sae.decoder.weight, feature),
    read(parameter(weights, "model.norm.weight")),
  ]);
  const isCentred = model.config.norm === "layer";
  const mean = isCentred
    ? Float64Array.from(direction).reduce((sum, value) => sum + value, 0) / direction.length
    : 0;
  const normed = Float32Array.from(direction, (value, i) => (value - mean) * gain[i]!);
  const logits = tidy(() => headLogits(model, weights, tensor(normed, [1, normed.length]))); // [1, vocabulary]
  try {
    return Float32Array.from(await read(logits));
  } finally {
    logits.dispose();
  }
}

/** One row of a matrix [rows, width]. */
async function readRow(matrix: Tensor, row: number): Promise<ArrayLike<number> & Iterable<number>> {
  const width = matrix.shape[1] ?? 0;
  const part = view(matrix, row * width, [1, width]);
  try {
    return await read(part);
  } finally {
    part.dispose();
  }
}

/** The ten tokens of the largest logits above 0, and of the smallest below. */
export function strongestLogits(logits: Float32Array | null, decoder: TokenDecoder): FeatureLogits {
  if (logits === null) return { positive: [], negative: [] };
  const listed = (values: Float32Array) =>
    Array.from(topFeatures(values, LISTED), (id) => ({ token: tokenText(decoder, id), logit: logits[id]! }));
  return { positive: listed(logits), negative: listed(logits.map((logit) => -logit)) };
}
