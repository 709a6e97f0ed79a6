/** The models, pairs and first adapters whose step of LoRA-DPO is measured. */
import type { InitialValues } from "../src/engine/adapters/lora.ts";
import { embeddedDatasets, embeddedModels } from "../src/engine/data/embedded.ts";
import { createRandom } from "../src/engine/data/random.ts";
import { readDataSet } from "../src/engine/data/readDataSet.ts";
import { tokenizePairs } from "../src/engine/data/tokenizePairs.ts";
import type { TokenPair } from "../src/engine/data/tokenPair.ts";
import { readSafetensors, type NamedArray } from "../src/engine/files/safetensors.ts";
import type { WeightLayout } from "../src/engine/kernels/weightLayout/weightLayout.ts";
import { readModelConfig, type ModelConfig } from "../src/engine/models/config.ts";
import { expectedShapes } from "../src/engine/models/parameterNames.ts";
import { createTokenizer } from "../src/engine/tokenizer/tokenizer.ts";
import { defaultConfig, loraModules } from "../src/engine/training/config.ts";

/** Weights on the host by name. */
export type Arrays = ReadonlyMap<string, NamedArray>;

/** A step to measure. Prompts have one length and answers have one length, which the other sides need. */
export interface StepShape {
  readonly name: string;
  readonly config: ModelConfig;
  readonly arrays: () => Arrays;
  /** First adapter values; none of them is zero, so that every gradient counts. */
  readonly adapter: () => InitialValues;
  /** The pairs of every step. */
  readonly pairs: readonly TokenPair[];
  /** Pairs of other lengths for a run in which every batch differs; null where there are none. */
  readonly varyingPairs: readonly TokenPair[] | null;
  /** How our side stores the frozen matrices; the other sides have no choice. */
  readonly layout: WeightLayout;
}

/** Reads a file of `public/`. */
export type ReadAsset = (path: string) => Promise<Uint8Array>;

/** What a step costs in multiplications, and what of it in words. */
export interface StepSize {
  readonly tokens: number;
  readonly flops: number;
  /** Of them, what is left where both answers of a pair follow one copy of their prompt, as in ours. */
  readonly ownFlops: number;
  readonly text: string;
}

const ADAPTER_SPREAD = 0.05;
/** Token ids below this are special in the models used here. */
const FIRST_PLAIN_ID = 3;
/** Multiply and add, forward and the gradient of the input; the base is frozen. */
const FLOPS_PER_WEIGHT = 4;

interface Lengths {
  readonly count: number;
  readonly prompt: number;
  readonly answer: number;
}

/** Uniform values in ±spread. A million times quicker to judge than to draw: a plain linear congruence will do. */
function uniformValues(count: number, spread: number, seed: number): Float32Array {
  const values = new Float32Array(count);
  let state = seed >>> 0;
  for (let index = 0; index < count; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[index] = spread * (state / 2_147_483_648 - 1);
  }
  return values;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Random weights that keep the size of their input; norms are one. */
export function randomArrays(config: ModelConfig): Arrays {
  const arrays = new Map<string, NamedArray>();
  let seed = 1;
  for (const [name, shape] of expectedShapes(config)) {
    const [, inputs] = shape;
    const count = sizeOf(shape);
    const spread = Math.sqrt(3 / (inputs ?? 1)); // uniform in ±s has variance s²/3
    const values =
      inputs === undefined ? new Float32Array(count).fill(1) : uniformValues(count, spread, seed++);
    arrays.set(name, { shape, values });
  }
  return arrays;
}

/** Adapters of the default rank on every linear, by PEFT's names; both factors are drawn. */
function randomAdapter(config: ModelConfig): InitialValues {
  const values = new Map<string, { values: Float32Array }>();
  let seed = 1001;
  for (const [name, shape] of expectedShapes(config)) {
    const module = name.replace(/\.weight$/, "");
    if (!module.startsWith("model.layers.") || !loraModules.some((each) => module.endsWith(each))) continue;
    const [outputs = 0, inputs = 0] = shape;
    const { loraRank } = defaultConfig;
    const drawn = (count: number) => ({ values: uniformValues(count, ADAPTER_SPREAD, seed++) });
    values.set(`${module}.lora_A.weight`, drawn(loraRank * inputs));
    values.set(`${module}.lora_B.weight`, drawn(outputs * loraRank));
  }
  return values;
}

function randomPairs({ vocabularySize }: ModelConfig, { count, prompt, answer }: Lengths): TokenPair[] {
  const random = createRandom(1);
  const ids = (length: number) =>
    Int32Array.from({ length }, () => FIRST_PLAIN_ID + random.integer(vocabularySize - FIRST_PLAIN_ID));
  return Array.from({ length: count }, (_, row) => ({
    prompt: ids(prompt),
    chosen: ids(answer),
    rejected: ids(answer),
    row,
  }));
}

function llama(sizes: {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly positions: number;
}): ModelConfig {
  return readModelConfig(
    {
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      vocab_size: sizes.vocabulary,
      hidden_size: sizes.hidden,
      intermediate_size: sizes.intermediate,
      num_hidden_layers: sizes.layers,
      num_attention_heads: sizes.heads,
      num_key_value_heads: sizes.keyValueHeads,
      max_position_embeddings: sizes.positions,
      rms_norm_eps: 1e-5,
      rope_theta: 10_000,
      hidden_act: "silu",
      tie_word_embeddings: true,
      bos_token_id: 1,
      eos_token_id: 2,
    },
    "config.json",
  );
}

/** The same step with random weights of another configuration. */
export function randomShape(name: string, config: ModelConfig, lengths: Lengths): StepShape {
  return {
    name,
    config,
    arrays: () => randomArrays(config),
    adapter: () => randomAdapter(config),
    pairs: randomPairs(config, lengths),
    varyingPairs: null,
    layout: "f32",
  };
}

/** The shape at which other training engines in the browser were counted: vocabulary 64, time 32, hidden 32. */
export function toyShape(): StepShape {
  const config = llama({
    vocabulary: 64,
    hidden: 32,
    intermediate: 128,
    layers: 2,
    heads: 2,
    keyValueHeads: 2,
    positions: 32,
  });
  return randomShape("toy", config, { count: 4, prompt: 16, answer: 16 });
}

/** Twelve layers 768 wide, as in GPT-2 small. */
export function wideShape(lengths: Lengths): StepShape {
  const config = llama({
    vocabulary: 32_000,
    hidden: 768,
    intermediate: 2048,
    layers: 12,
    heads: 12,
    keyValueHeads: 12,
    positions: 1024,
  });
  return randomShape("12 layers x 768", config, lengths);
}

/** The configuration of SmolLM2-135M; speed does not need its weights. */
export function smolShape(lengths: Lengths): StepShape {
  const config = llama({
    vocabulary: 49_152,
    hidden: 576,
    intermediate: 1536,
    layers: 30,
    heads: 9,
    keyValueHeads: 3,
    positions: 2048,
  });
  return randomShape("SmolLM2-135M", config, lengths);
}

/** The studio's model, on random pairs as long as those of its first preference set are on average. */
export async function embeddedShape(readAsset: ReadAsset): Promise<StepShape> {
  const [known] = embeddedModels;
  const [dataset] = embeddedDatasets;
  if (known === undefined || dataset === undefined) throw new Error("Nothing is embedded.");
  const json = async (name: string): Promise<unknown> =>
    JSON.parse(new TextDecoder().decode(await readAsset(`${known.folder}/${name}`))) as unknown;
  const config = readModelConfig(await json("config.json"), "config.json");
  const weights = await readAsset(`${known.folder}/model.safetensors`);
  const tokenizer = createTokenizer({
    tokenizerJson: await json("tokenizer.json"),
    tokenizerConfig: await json("tokenizer_config.json"),
    generationConfig: await json("generation_config.json"),
  });
  const name = dataset.files.train;
  const { rows } = await readDataSet([{ name, bytes: await readAsset(name) }]);
  const { pairs } = tokenizePairs(rows, { tokenizer, maxTokens: defaultConfig.maxTokens });
  const mean = (count: (pair: TokenPair) => number) =>
    Math.round(pairs.reduce((sum, pair) => sum + count(pair), 0) / pairs.length);
  return {
    name: "embedded model",
    config,
    arrays: () => readSafetensors(weights, "model.safetensors"),
    adapter: () => randomAdapter(config),
    pairs: randomPairs(config, {
      count: defaultConfig.batchPairs,
      prompt: mean(({ prompt }) => prompt.length),
      answer: mean(({ chosen, rejected }) => (chosen.length + rejected.length) / 2),
    }),
    varyingPairs: pairs,
    layout: "f32",
  };
}

/**
 * What one step of a shape costs when the two sequences of a pair are computed apart. Adapters, attention and what is
 * computed again count as nothing.
 */
export function stepSize({ config, pairs }: StepShape): StepSize {
  const [first] = pairs;
  const [prompt, answer] = [first?.prompt.length ?? 0, first?.chosen.length ?? 0];
  const tokens = 2 * pairs.length * (prompt + answer);
  const scored = 2 * pairs.length * answer;
  const { hiddenSize, intermediateSize, heads, keyValueHeads, headDim, layers, vocabularySize } = config;
  const attention = hiddenSize * headDim * (2 * heads + 2 * keyValueHeads);
  const layerWeights = attention + 3 * hiddenSize * intermediateSize;
  const weights = layers * layerWeights;
  const flopsOf = (rows: number) =>
    FLOPS_PER_WEIGHT * (weights * rows + vocabularySize * hiddenSize * scored);
  return {
    tokens,
    flops: flopsOf(tokens),
    ownFlops: flopsOf(pairs.length * (prompt + 2 * answer)),
    text: `${pairs.length} pairs x (${prompt} + ${answer}) tokens`,
  };
}
