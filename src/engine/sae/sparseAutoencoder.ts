/** A sparse autoencoder of the residual stream, from its files to the device; `training/` makes new ones. */
import { FileFormatError } from "../files/fileFormatError.ts";
import type { FeatureEncoder } from "../kernels/featurePool/featurePool.ts";
import { jumpRelu } from "../kernels/jumpRelu/jumpRelu.ts";
import { matmul } from "../kernels/matmul/matmul.ts";
import { dispose, largestBinding, tensor } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import type { ReadSaeOptions, SaeArrays, SaeFile } from "./layouts/layout.ts";
import { readSae } from "./readSae.ts";

/** A loaded autoencoder: features are JumpReLU(h We^T + b) of the stream h after block `layer`, as it is. */
export interface SparseAutoencoder extends FeatureEncoder {
  /** Numbers of a row of the stream. */
  readonly inputSize: number;
  /** Number of features. */
  readonly width: number;
  /** Block whose output it reads, from 0 on. */
  readonly layer: number;
  /** The place's name in its file. */
  readonly hook: string;
  /** Model it was trained on, as its file says; null where it does not. */
  readonly modelName: string | null;
  /** Weight [width, inputSize] and bias [inputSize] of the way back to the stream; null unless asked for. */
  readonly decoder: { readonly weight: Tensor; readonly bias: Tensor } | null;
  readonly dispose: () => void;
}

const FLOAT_BYTES = 4;

/**
 * Loads an autoencoder from its files, whichever layout they have. Rejects with `FileFormatError` that names the file and
 * what is wrong with it; nothing is kept on the device then.
 */
export async function loadSae(
  files: readonly SaeFile[],
  options: ReadSaeOptions = {},
): Promise<SparseAutoencoder> {
  return uploadSae(await readSae(files, options), options);
}

/**
 * Puts an autoencoder on the active device. Throws `FileFormatError` for an encoder that the device cannot read at once,
 * RangeError for a decoder that was not read.
 */
export function uploadSae(
  arrays: SaeArrays,
  { needsDecoder = false }: Pick<ReadSaeOptions, "needsDecoder"> = {},
): SparseAutoencoder {
  const { inputSize, width, layer, hook, modelName } = arrays;
  const bytes = arrays.encoder.length * FLOAT_BYTES;
  if (bytes > largestBinding())
    throw new FileFormatError(
      "FIL-1",
      hook,
      `the encoder has ${bytes} bytes, and this device reads at most ${largestBinding()} at once.`,
    );
  const back = needsDecoder ? decoderOf(arrays) : null;
  const encoder = tensor(arrays.encoder, [width, inputSize]);
  const bias = tensor(arrays.bias, [width]);
  const threshold = tensor(arrays.threshold, [width]);
  const decoder =
    back === null
      ? null
      : { weight: tensor(back.weight, [width, inputSize]), bias: tensor(back.bias, [inputSize]) };
  return {
    inputSize,
    width,
    layer,
    hook,
    modelName,
    encoder,
    bias,
    threshold,
    decoder,
    dispose: () => {
      dispose([encoder, bias, threshold, ...(decoder === null ? [] : [decoder.weight, decoder.bias])]);
    },
  };
}

function decoderOf({ decoder: weight, decoderBias: bias }: SaeArrays) {
  if (weight === null || bias === null) throw new RangeError("The autoencoder's decoder was not read.");
  return { weight, bias };
}

/** Activations [rows, width] of a stream [rows, inputSize]; for some hundred rows at a time. The caller disposes them. */
export function encodeFeatures({ encoder, bias, threshold }: FeatureEncoder, hidden: Tensor): Tensor {
  const activations = matmul(hidden, encoder, { form: "abt", bias });
  jumpRelu(activations, threshold);
  return activations;
}
