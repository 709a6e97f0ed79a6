/** From the files of a model to a model on the device. Nothing is kept when anything is wrong. */
import { FileFormatError } from "../files/fileFormatError.ts";
import type { NamedArray } from "../files/safetensors.ts";
import { ropeTable } from "../kernels/rope/ropeTable.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { largestBinding, settle, tensor } from "../tensor/run.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { openStoredCheckpoint } from "./checkpoint.ts";
import type { ModelConfig } from "./config.ts";
import type { Model } from "./decoder.ts";
import { openModel, type ModelFile } from "./modelSource.ts";
import { disposeWeights, WeightTooLargeError, type UploadedWeights } from "./parcels.ts";
import { expectedShapes } from "./parameterNames.ts";
import { streamWeights, type LoadOptions } from "./streamWeights.ts";
import { uploadWeights } from "./uploadWeights.ts";
import type { WeightReport } from "./weightReport.ts";

export type { ModelFile } from "./modelSource.ts";

/** A model with its tokenizer; `dispose` frees the device memory. */
export interface LoadedModel {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** How its matrices lie on the device, and what their conversion changed. */
  readonly weights: WeightReport;
  readonly dispose: () => void;
}

/**
 * Loads a model from its folder or a zip archive of it, tensor by tensor. Throws `FileFormatError` that names the file
 * and what is wrong with it: configuration, tokenizer, names and shapes are checked before any tensor is read.
 */
export async function loadModel(
  files: readonly ModelFile[],
  options: LoadOptions = {},
): Promise<LoadedModel> {
  const { config, tensors, file, tokenizer: tokenizerFiles } = await openModel(files);
  const tokenizer = createTokenizer(tokenizerFiles);
  if (tokenizer.vocabularySize > config.vocabularySize) {
    throw new FileFormatError(
      "FIL-1",
      "tokenizer.json",
      `it has ${tokenizer.vocabularySize} tokens, the model's vocabulary has ${config.vocabularySize}.`,
    );
  }
  const parameters = openStoredCheckpoint(config, tensors, file);
  // The tables, whose size no file has confirmed, come first, so that nothing is on the device when they fail.
  const tables = ropeTables(config);
  const { report, ...weights } = await streamWeights(config, parameters, file, options);
  const uploaded = withTables(config, weights, tables);
  try {
    await settle();
  } catch (error) {
    uploaded.dispose();
    throw error;
  }
  return { ...uploaded, tokenizer, weights: report };
}

/** Puts checked weights that lie in memory on the device, matrices in `layout`. */
export function uploadModel(
  config: ModelConfig,
  arrays: Pick<ReadonlyMap<string, NamedArray>, "get">,
  layout: WeightLayout = "f32",
): Pick<LoadedModel, "model" | "dispose"> {
  const tables = ropeTables(config);
  const named = [...expectedShapes(config).keys()].flatMap((name) => {
    const array = arrays.get(name);
    return array === undefined ? [] : [[name, array] as const];
  });
  return withTables(config, uploadWeights(config, new Map(named), { layout }), tables);
}

function withTables(
  config: ModelConfig,
  weights: UploadedWeights,
  { main, local }: RopeTables,
): Pick<LoadedModel, "model" | "dispose"> {
  const shape = [config.maxPositions, config.rotaryDims / 2, 2];
  const model = {
    config,
    ...weights,
    ropeTable: main === null ? null : tensor(main, shape),
    localRopeTable: local === null ? null : tensor(local, shape),
  };
  return {
    model,
    dispose: () => {
      disposeWeights(weights);
      model.ropeTable?.dispose();
      model.localRopeTable?.dispose();
    },
  };
}

/** Values of both rotations. */
interface RopeTables {
  readonly main: Float32Array | null;
  readonly local: Float32Array | null;
}

/** A larger table is not made wherever it could be read: its size is two numbers of config.json, and no weight's. */
const LARGEST_TABLE_BYTES = 2 ** 30;

/** Cosines and sines of both rotations, where the model has them; throws `WeightTooLargeError` for too many positions. */
function ropeTables(config: ModelConfig): RopeTables {
  const { rotaryDims: headDim, maxPositions, ropeTheta, ropeScaling, localRopeTheta } = config;
  if (headDim === 0) return { main: null, local: null };
  const bytes = Float32Array.BYTES_PER_ELEMENT * maxPositions * headDim;
  const largest = Math.min(LARGEST_TABLE_BYTES, largestBinding());
  if (bytes > largest) {
    const [taken, most] = [bytes, largest].map((count) => Math.round(count / 1e6));
    throw new WeightTooLargeError(
      `The rotations of ${maxPositions} positions take ${taken} MB, at most ${most} MB are read at once here: lower max_position_embeddings in config.json to the length of your texts.`,
    );
  }
  const sizes = { headDim, maxPositions };
  const scaling = ropeScaling === null ? {} : { scaling: ropeScaling };
  return {
    main: ropeTable({ ...sizes, theta: ropeTheta, ...scaling }),
    local: localRopeTheta === null ? null : ropeTable({ ...sizes, theta: localRopeTheta }),
  };
}
