/** A sparse autoencoder of the residual stream, from its files to the device. It is never trained here. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { featurePool, type FeatureEncoder } from "../kernels/featurePool/featurePool.ts";
import { dispose, largestBinding, tensor } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { layouts } from "./layouts/index.ts";
import type { SaeArrays, SaeFile } from "./layouts/layout.ts";

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

/** What to load beside the encoder. */
export interface LoadSaeOptions {
  /** Only reconstructions need the decoder, which is as large as the encoder. */
  readonly needsDecoder?: boolean;
}

const FLOAT_BYTES = 4;

/**
 * Loads an autoencoder from its files, whichever layout they have. Throws `FileFormatError` that names the file and
 * what is wrong with it; nothing is kept on the device then.
 */
export function loadSae(files: readonly SaeFile[], options: LoadSaeOptions = {}): SparseAutoencoder {
  const layout = layouts.find(({ matches }) => matches(files));
  if (layout === undefined) {
    const known = layouts.map(({ fileNames }) => fileNames.join(" and ")).join(", or ");
    const given = files.map(({ name }) => name).join(", ") || "no file";
    throw new FileFormatError("FIL-1", given, `not an autoencoder that is known: that has ${known}.`);
  }
  const arrays = layout.read(files);
  const bytes = arrays.encoder.length * FLOAT_BYTES;
  if (bytes > largestBinding())
    throw new FileFormatError(
      "FIL-1",
      layout.fileNames[0] ?? "",
      `the encoder has ${bytes} bytes, and this device reads at most ${largestBinding()} at once.`,
    );
  return uploadSae(arrays, options);
}

/** Puts an autoencoder on the active device. */
export function uploadSae(
  arrays: SaeArrays,
  { needsDecoder = false }: LoadSaeOptions = {},
): SparseAutoencoder {
  const { inputSize, width, layer, hook, modelName } = arrays;
  const encoder = tensor(arrays.encoder, [width, inputSize]);
  const bias = tensor(arrays.bias, [width]);
  const threshold = tensor(arrays.threshold, [width]);
  const decoder = needsDecoder
    ? { weight: tensor(arrays.decoder, [width, inputSize]), bias: tensor(arrays.decoderBias, [inputSize]) }
    : null;
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

/** Activations [rows, width] of a stream [rows, inputSize], every row an answer of one entry; for a few rows only. */
export function encodeFeatures(sae: FeatureEncoder, hidden: Tensor): Tensor {
  const rows = hidden.shape[0] ?? 0;
  const scoredRows = tensor(
    Int32Array.from({ length: rows }, (_, row) => row),
    [rows],
  );
  const entryRanges = tensor(
    Int32Array.from({ length: 2 * rows }, (_, place) => Math.ceil(place / 2)),
    [rows, 2],
  );
  const { encoder, bias, threshold } = sae;
  const { pooled, activity } = featurePool({ hidden, scoredRows, entryRanges, encoder, bias, threshold });
  dispose([scoredRows, entryRanges, activity]);
  return pooled;
}
