/** From the files of a model folder to a model on the device. Nothing is kept when anything is wrong. */
import { FileFormatError } from "../files/fileFormatError.ts";
import { readSafetensors, type NamedArray } from "../files/safetensors.ts";
import { ropeTable } from "../kernels/rope/ropeTable.ts";
import { dispose, tensor } from "../tensor/run.ts";
import type { Tensor } from "../tensor/tfjs.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { readModelConfig, type ModelConfig } from "./config.ts";
import { parameterNames, type Model } from "./decoder.ts";

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
  checkWeights(config, arrays);
  return { ...uploadModel(config, arrays), tokenizer };
}

/** Puts checked weights on the device. */
export function uploadModel(
  config: ModelConfig,
  arrays: ReadonlyMap<string, NamedArray>,
): Omit<LoadedModel, "tokenizer"> {
  // The one table whose size no file has confirmed comes first, so that nothing is on the device when it fails.
  const table = ropeTable({
    headDim: config.headDim,
    maxPositions: config.maxPositions,
    theta: config.ropeTheta,
    ...(config.ropeScaling === null ? {} : { scaling: config.ropeScaling }),
  });
  const base = new Map<string, Tensor>();
  for (const name of parameterNames(config)) {
    const array = arrays.get(name);
    if (array !== undefined) base.set(name, tensor(array.values, array.shape));
  }
  const model = {
    config,
    base,
    ropeTable: tensor(table, [config.maxPositions, config.headDim / 2, 2]),
  };
  return {
    model,
    dispose: () => {
      dispose([...base.values(), model.ropeTable]);
    },
  };
}

/** Refuses missing, extra and misshapen weights, by name and with both shapes. */
function checkWeights(config: ModelConfig, arrays: ReadonlyMap<string, NamedArray>): void {
  const expected = expectedShapes(config);
  for (const [name, shape] of expected) {
    const found = arrays.get(name);
    if (found === undefined) refuse(`the weight "${name}" is missing.`);
    else if (found.shape.join() !== shape.join()) {
      refuse(`"${name}" has shape [${found.shape.join(", ")}], config.json asks for [${shape.join(", ")}].`);
    }
  }
  for (const name of arrays.keys()) {
    const isTiedCopy = name === "lm_head.weight" && config.hasTiedEmbeddings;
    const isRotaryBuffer = name.endsWith("rotary_emb.inv_freq");
    if (!expected.has(name) && !isTiedCopy && !isRotaryBuffer) {
      refuse(`the weight "${name}" is not part of a ${config.architecture} model.`);
    }
  }
}

function refuse(reason: string): never {
  throw new FileFormatError("FIL-1", "model.safetensors", reason);
}

/** Shapes of every weight a model of this configuration needs, by name. */
export function expectedShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize, intermediateSize, vocabularySize, heads, keyValueHeads, headDim } = config;
  const bySuffix: Record<string, number[]> = {
    "embed_tokens.weight": [vocabularySize, hiddenSize],
    "lm_head.weight": [vocabularySize, hiddenSize],
    "q_proj.weight": [heads * headDim, hiddenSize],
    "k_proj.weight": [keyValueHeads * headDim, hiddenSize],
    "v_proj.weight": [keyValueHeads * headDim, hiddenSize],
    "o_proj.weight": [hiddenSize, heads * headDim],
    "gate_proj.weight": [intermediateSize, hiddenSize],
    "up_proj.weight": [intermediateSize, hiddenSize],
    "down_proj.weight": [hiddenSize, intermediateSize],
  };
  const norm = [hiddenSize];
  return new Map(
    parameterNames(config).map((name) => [name, bySuffix[name.split(".").slice(-2).join(".")] ?? norm]),
  );
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
