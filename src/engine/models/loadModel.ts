/** From the files of a model folder to a model on the device. Nothing is kept when anything is wrong. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { readSafetensors, type NamedArray } from "../files/safetensors.ts";
import type { WeightLayout } from "../kernels/weightLayout/weightLayout.ts";
import { ropeTable } from "../kernels/rope/ropeTable.ts";
import { tensor } from "../tensor/run.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { readModelConfig, type ModelConfig } from "./config.ts";
import { openCheckpoint } from "./checkpoint.ts";
import type { Model } from "./decoder.ts";
import { expectedShapes } from "./parameterNames.ts";
import { disposeWeights, uploadWeights } from "./stacks.ts";

/** A file by its name within the folder. */
export interface ModelFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A model with its tokenizer; `dispose` frees the device memory. */
export interface LoadedModel {
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  readonly dispose: () => void;
}

/** Files a folder must have; the rest of what it holds is optional or ignored. */
export const requiredModelFiles = ["config.json", "model.safetensors", "tokenizer.json"] as const;

/** Loads a Hugging Face folder. Throws `FileFormatError` that names the file and what is wrong with it. */
export function loadModel(files: readonly ModelFile[]): LoadedModel {
  const config = readModelConfig(readJson(files, "config.json"), "config.json");
  const generationConfig = findFile(files, "generation_config.json");
  const chatTemplate = findFile(files, "chat_template.jinja");
  const tokenizer = createTokenizer({
    tokenizerJson: readJson(files, "tokenizer.json"),
    // Without it the tokenizer adds what tokenizer.json says, and there is no chat template.
    tokenizerConfig:
      findFile(files, "tokenizer_config.json") === undefined ? {} : readJson(files, "tokenizer_config.json"),
    ...(generationConfig === undefined
      ? {}
      : { generationConfig: readJson(files, "generation_config.json") }),
    ...(chatTemplate === undefined ? {} : { chatTemplate: decodeText(chatTemplate) }),
  });
  if (tokenizer.vocabularySize > config.vocabularySize) {
    throw new FileFormatError(
      "FIL-1",
      "tokenizer.json",
      `it has ${tokenizer.vocabularySize} tokens, the model's vocabulary has ${config.vocabularySize}.`,
    );
  }
  const arrays = readSafetensors(requireFile(files, "model.safetensors").bytes, "model.safetensors");
  return { ...uploadModel(config, openCheckpoint(config, arrays, "model.safetensors")), tokenizer };
}

/** Puts checked weights on the device, matrices in `layout`. */
export function uploadModel(
  config: ModelConfig,
  arrays: Pick<ReadonlyMap<string, NamedArray>, "get">,
  layout: WeightLayout = "f32",
): Omit<LoadedModel, "tokenizer"> {
  // The tables, whose size no file has confirmed, come first, so that nothing is on the device when they fail.
  const { main, local } = ropeTables(config);
  const named = [...expectedShapes(config).keys()].flatMap((name) => {
    const array = arrays.get(name);
    return array === undefined ? [] : [[name, array] as const];
  });
  const weights = uploadWeights(config, new Map(named), { layout });
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

/** Cosines and sines of both rotations, where the model has them. */
function ropeTables(config: ModelConfig) {
  const { rotaryDims: headDim, maxPositions, ropeTheta, ropeScaling, localRopeTheta } = config;
  if (headDim === 0) return { main: null, local: null };
  const sizes = { headDim, maxPositions };
  const scaling = ropeScaling === null ? {} : { scaling: ropeScaling };
  return {
    main: ropeTable({ ...sizes, theta: ropeTheta, ...scaling }),
    local: localRopeTheta === null ? null : ropeTable({ ...sizes, theta: localRopeTheta }),
  };
}

function findFile(files: readonly ModelFile[], name: string): ModelFile | undefined {
  return files.find((file) => file.name.slice(file.name.lastIndexOf("/") + 1) === name);
}

function requireFile(files: readonly ModelFile[], name: string): ModelFile {
  const file = findFile(files, name);
  if (file !== undefined) return file;
  throw new FileFormatError(
    "FIL-1",
    name,
    `it is not in the folder. A model folder holds ${requiredModelFiles.join(", ")}.`,
  );
}

function readJson(files: readonly ModelFile[], name: string): unknown {
  const file = requireFile(files, name);
  try {
    return JSON.parse(decodeText(file)) as unknown;
  } catch (error) {
    throw new FileFormatError(
      "FIL-1",
      name,
      `it is not JSON: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function decodeText(file: ModelFile): string {
  return new TextDecoder().decode(file.bytes);
}
