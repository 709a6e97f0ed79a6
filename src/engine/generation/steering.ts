/** Steering: what a feature of an autoencoder writes is added to the stream while a text is read and written. */
import { steerStream } from "../kernels/steerStream/steerStream.ts";
import type { DecoderPass } from "../models/pass.ts";
import type { SparseAutoencoder } from "../sae/sparseAutoencoder.ts";
import type { Tensor } from "../tensor/tfjs.ts";

/** A feature that is turned up or down behind the autoencoder's block, at every token of prompt and answer. */
export interface FeatureSteering {
  /** With its decoder. */
  readonly sae: SparseAutoencoder;
  readonly feature: number;
  /** `add` adds `value` activations' worth of its direction, `clamp` sets its activation to `value`. */
  readonly mode: "add" | "clamp";
  readonly value: number;
  /** The start of a text, whose rows the autoencoder does not know and which are left alone; null for none. */
  readonly startToken: number | null;
}

/** Throws RangeError for an autoencoder without a decoder, an unknown feature, or a value that is no number. */
export function checkSteering({ sae, feature, value }: FeatureSteering): void {
  if (sae.decoder === null)
    throw new RangeError("The autoencoder has no decoder to steer with: load it with needsDecoder.");
  if (!Number.isInteger(feature) || feature < 0 || feature >= sae.width)
    throw new RangeError(`Feature ${feature} is unknown: the autoencoder has 0 to ${sae.width - 1}.`);
  if (!Number.isFinite(value)) throw new RangeError(`A feature cannot be steered by ${value}.`);
}

/** Steers the stream of a pass behind the autoencoder's block; `tokenIds` [rows] are the pass's own. */
export function steerPass(
  pass: Pick<DecoderPass, "changeStream">,
  tokenIds: Tensor,
  steering: FeatureSteering,
): void {
  const { sae, feature, mode, value, startToken } = steering;
  const decoder = sae.decoder?.weight;
  if (decoder === undefined) return checkSteering(steering);
  pass.changeStream((stream) => {
    const { encoder, bias, threshold } = sae;
    const tensors = { stream, tokenIds, decoder, encoder, bias, threshold };
    steerStream(tensors, { mode, feature, value, skippedToken: startToken });
  });
}
