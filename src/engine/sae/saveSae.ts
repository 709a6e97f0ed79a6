import { transposed } from "../files/transposed.ts";
import { writeSafetensors } from "../files/safetensors.ts";
import { hookOfLayer } from "./layouts/hooks.ts";
import type { SaeArrays } from "./layouts/layout.ts";
import { SAE_LENS_CONFIG, SAE_LENS_WEIGHTS } from "./layouts/saeLens.ts";

/** The layout that is written: versions below 6 are read with other defaults. */
const LAYOUT_VERSION = "6.0.0";
const TRANSFORMER_LENS_HOOK = /^blocks\./;

/** A written file. */
export interface SavedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * An autoencoder as SAELens 6 keeps a JumpReLU: arrays W_enc [inputSize, width], W_dec [width, inputSize], b_enc, b_dec
 * and threshold in 32 bits, and the configuration. Reading it again gives the same bits. Throws RangeError without a decoder.
 */
export function saveSae(arrays: SaeArrays): readonly SavedFile[] {
  const { inputSize, width, encoder, bias, threshold, decoder, decoderBias } = arrays;
  if (decoder === null || decoderBias === null)
    throw new RangeError("An autoencoder is saved with its decoder, which was not read.");
  const weights = writeSafetensors(
    new Map([
      ["W_enc", { shape: [inputSize, width], values: transposed(encoder, width, inputSize) }],
      ["W_dec", { shape: [width, inputSize], values: decoder }],
      ["b_enc", { shape: [width], values: bias }],
      ["b_dec", { shape: [inputSize], values: decoderBias }],
      ["threshold", { shape: [width], values: threshold }],
    ]),
  );
  return [
    { name: SAE_LENS_WEIGHTS, bytes: weights },
    { name: SAE_LENS_CONFIG, bytes: new TextEncoder().encode(JSON.stringify(configOf(arrays), null, 2)) },
  ];
}

/** Whatever was done to the stream is folded into the weights, so nothing is left to do. */
function configOf({ inputSize, width, layer, hook, modelName }: SaeArrays): object {
  return {
    d_in: inputSize,
    d_sae: width,
    dtype: "float32",
    device: "cpu",
    apply_b_dec_to_input: false,
    normalize_activations: "none",
    reshape_activations: "none",
    metadata: {
      sae_lens_version: LAYOUT_VERSION,
      model_name: modelName,
      hook_name: TRANSFORMER_LENS_HOOK.test(hook) ? hook : hookOfLayer(layer),
      hook_head_index: null,
    },
    architecture: "jumprelu",
  };
}
