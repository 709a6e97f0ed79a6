/** A random model small enough for plain loops, and random pairs for it: what training is tested on. */
import { createRandom } from "../data/random.ts";
import type { TokenPair } from "../data/tokenPair.ts";
import type { NamedArray } from "../files/safetensors.ts";
import { llamaOptions } from "../models/architectures/llama.ts";
import type { ModelConfig } from "../models/config.ts";
import { uploadModel } from "../models/loadModel.ts";
import { expectedShapes } from "../models/parameterNames.ts";
import type { Model } from "../models/decoder.ts";

/** Shape of the tiny model: grouped queries, a width of its own for every axis, and a head of its own. */
export const tinyConfig: ModelConfig = {
  ...llamaOptions(4),
  architecture: "llama",
  hiddenSize: 16,
  intermediateSize: 24,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headDim: 4,
  vocabularySize: 41,
  maxPositions: 64,
  rmsNormEpsilon: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: null,
  hasTiedEmbeddings: false,
  bosTokenId: 1,
  eosTokenIds: [2],
};

/** What differs from the tiny model's shape. */
export type TinyModelOptions = Partial<ModelConfig> & { readonly seed?: number };

function configWith({ headDim = tinyConfig.headDim, ...changes }: Partial<ModelConfig>): ModelConfig {
  return { ...tinyConfig, ...llamaOptions(headDim), headDim, ...changes };
}

/** Spread of the head's logits, large enough that one token can take nearly all of the probability. */
const LOGIT_SPREAD = 3;

/** Random weights: norms near 1, matrices that keep the size of their input. */
export function tinyArrays({ seed = 1, ...changes }: TinyModelOptions = {}): Map<string, NamedArray> {
  const random = createRandom(seed);
  const arrays = new Map<string, NamedArray>();
  for (const [name, shape] of expectedShapes(configWith(changes))) {
    const [, inputs] = shape;
    const factor = name === "lm_head.weight" ? LOGIT_SPREAD : 1;
    const [mean, spread] = inputs === undefined ? [1, 0.1] : [0, factor / Math.sqrt(inputs)];
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, () => mean + spread * random.gaussian());
    arrays.set(name, { shape, values });
  }
  return arrays;
}

/** The tiny model on the active device. */
export function createTinyModel(options: TinyModelOptions = {}): { model: Model; dispose: () => void } {
  const { seed: _seed, ...changes } = options;
  return uploadModel(configWith(changes), tinyArrays(options));
}

/** Random pairs of prompts and answers of 2 to 7 tokens. */
export function tinyPairs(
  count: number,
  { seed = 1, vocabularySize = tinyConfig.vocabularySize }: { seed?: number; vocabularySize?: number } = {},
): TokenPair[] {
  const random = createRandom(seed, 1);
  const ids = () =>
    Int32Array.from({ length: 2 + random.integer(6) }, () => 3 + random.integer(vocabularySize - 3));
  return Array.from({ length: count }, (_, row) => ({ prompt: ids(), chosen: ids(), rejected: ids(), row }));
}
