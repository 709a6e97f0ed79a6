/** The config.json of a model from the metadata of its GGUF file. */
import { FileFormatError } from "../../files/fileFormatError.ts";
import type { GgufMetadata } from "../../files/gguf/metadata.ts";
import { fieldsOf, LARGEST, type Fields, type Json } from "../architectures/fields.ts";
import type { RopeScaling } from "../config.ts";
import {
  ggufFamilies,
  LAYERS_OF_LARGEST_GEMMA,
  LOCAL_THETA,
  USUAL_PATTERN,
  type GgufFamily,
} from "./families.ts";
import { findLlama3Scaling } from "./ropeFactors.ts";

/** What is known of a file's tensors before they are read. */
export interface TensorFacts {
  /** Rows of the token embeddings. */
  readonly vocabularySize: number;
  /** Whether a tensor of this name is there. */
  readonly has: (name: string) => boolean;
  /** Values of `rope_freqs.weight`. */
  readonly ropeFactors: Float32Array | null;
}

/** Every so many layers one sees everything, or for each layer whether it does not. */
const WINDOW_PATTERN = ".attention.sliding_window_pattern";

/** Digits that a float of 32 bits is sure to keep. */
const DIGITS = 7;

/** The decimal number that a 32-bit float was made from, where it is short. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(DIGITS));
  return Math.fround(short) === Math.fround(value) ? short : value;
}

/** Values as a JSON object; a list of equal numbers, as files hold that give sizes by layer, is that number. */
function toJson(metadata: GgufMetadata): Json {
  const entries = [...metadata].map(([key, value]): [string, unknown] => {
    if (typeof value === "number") return [key, shortest(value)];
    if (typeof value === "bigint") return [key, String(value)];
    if (typeof value !== "object") return [key, value];
    if (key.endsWith(WINDOW_PATTERN) && value.length <= LARGEST.layers)
      return [key, Array.from(value, Number)];
    const [first, ...others] = key.startsWith("tokenizer.") ? [] : value.slice(0, LARGEST.layers);
    return [key, first !== undefined && others.every((each) => each === first) ? Number(first) : "a list"];
  });
  return Object.fromEntries(entries);
}

/** The family of a file; throws `FileFormatError` for one that is not read. */
export function findFamily(metadata: GgufMetadata, file: string): GgufFamily {
  const name = metadata.get("general.architecture");
  const family = ggufFamilies.find((each) => each.name === name);
  if (family !== undefined) return family;
  const found = typeof name === "string" ? JSON.stringify(name.slice(0, 60)) : "missing";
  const supported = ggufFamilies.map((each) => each.name).join(", ");
  throw new FileFormatError(
    "FIL-1",
    file,
    `general.architecture is ${found}; GGUF files are read of: ${supported}.`,
  );
}

/** A config.json for `readModelConfig`. Throws `FileFormatError` for what would be computed wrongly. */
export function configFromMetadata(
  family: GgufFamily,
  metadata: GgufMetadata,
  facts: TensorFacts,
  file: string,
): Json {
  const fields = fieldsOf(toJson(metadata), file);
  const key = (name: string) => `${family.name}.${name}`;
  const size = (name: string, largest: number, otherwise?: number) =>
    fields.count(key(name), largest, otherwise);
  if ((fields.json[key("expert_count")] ?? 0) !== 0)
    fields.refuse(key("expert_count"), "none: mixtures of experts are not read");
  const hidden = size("embedding_length", LARGEST.width);
  const heads = size("attention.head_count", LARGEST.heads);
  const headDim = size("attention.key_length", LARGEST.width, Math.floor(hidden / heads));
  fields.only(key("attention.value_length"), headDim, "values are as wide as keys");
  fields.only(key("rope.dimension_count"), headDim, "rotary positions turn whole heads");
  const layers = size("block_count", LARGEST.layers);
  const theta = readTheta(fields, family);
  return {
    architectures: [family.className],
    model_type: family.modelType,
    hidden_size: hidden,
    intermediate_size: size("feed_forward_length", LARGEST.width),
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: size("attention.head_count_kv", LARGEST.heads, heads),
    head_dim: headDim,
    vocab_size: facts.vocabularySize,
    max_position_embeddings: size("context_length", LARGEST.positions),
    rms_norm_eps: fields.positive(key("attention.layer_norm_rms_epsilon")),
    rope_theta: theta,
    rope_scaling: readRopeScaling(fields, family, facts.ropeFactors, { theta, headDim }),
    tie_word_embeddings: !facts.has("output.weight"),
    ...specialTokens(fields, facts.vocabularySize),
    ...(family.isGemma
      ? gemmaConfig(fields, family, { hidden, heads, headDim, layers })
      : llamaConfig(fields, family, facts)),
  };
}

function specialTokens({ json }: Fields, vocabularySize: number) {
  const idOf = (name: string) => {
    const id = json[`tokenizer.ggml.${name}_token_id`];
    return typeof id === "number" && id < vocabularySize ? id : null;
  };
  return { bos_token_id: idOf("bos"), eos_token_id: idOf("eos") };
}

function readTheta(fields: Fields, family: GgufFamily): number {
  const otherwise = family.name === "gemma3" ? 1_000_000 : 10_000;
  return fields.positive(`${family.name}.rope.freq_base`, otherwise);
}

function llamaConfig(fields: Fields, family: GgufFamily, facts: TensorFacts) {
  return {
    hidden_act: "silu",
    sliding_window: fields.json[`${family.name}.attention.sliding_window`] ?? null,
    ...(family.name === "llama"
      ? { attention_bias: facts.has("blk.0.attn_q.bias"), mlp_bias: facts.has("blk.0.ffn_up.bias") }
      : {}),
  };
}

interface GemmaSizes {
  readonly hidden: number;
  readonly heads: number;
  readonly headDim: number;
  readonly layers: number;
}

/** The scale of attention is not in the file: llama.cpp knows it from the number of layers. */
function gemmaConfig(fields: Fields, { name }: GgufFamily, { hidden, heads, headDim, layers }: GemmaSizes) {
  const { json } = fields;
  const isLargest = layers === LAYERS_OF_LARGEST_GEMMA[name === "gemma2" ? "gemma2" : "gemma3"];
  const shared = {
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: isLargest ? hidden / heads : headDim,
    sliding_window: fields.count(`${name}.attention.sliding_window`, LARGEST.positions),
    attn_logit_softcapping: json[`${name}.attn_logit_softcapping`] ?? null,
    final_logit_softcapping: json[`${name}.final_logit_softcapping`] ?? null,
  };
  if (name === "gemma2") return shared;
  return {
    ...shared,
    rope_local_base_freq: fields.positive(`${name}.rope.freq_base_swa`, LOCAL_THETA),
    ...windowPattern(fields, name + WINDOW_PATTERN),
  };
}

function windowPattern(fields: Fields, key: string) {
  const pattern: unknown = fields.json[key];
  if (!Array.isArray(pattern))
    return { sliding_window_pattern: fields.count(key, LARGEST.layers, USUAL_PATTERN) };
  return {
    layer_types: pattern.map((slides) => (slides === 1 ? "sliding_attention" : "full_attention")),
  };
}

/** A config.json's `rope_scaling`. */
export function ropeScalingJson(scaling: RopeScaling | null): Json | null {
  if (scaling === null) return null;
  if (scaling.type === "linear") return { rope_type: "linear", factor: scaling.factor };
  return {
    rope_type: "llama3",
    factor: scaling.factor,
    low_freq_factor: scaling.lowFrequencyFactor,
    high_freq_factor: scaling.highFrequencyFactor,
    original_max_position_embeddings: scaling.originalMaxPositions,
  };
}

function readRopeScaling(
  fields: Fields,
  { name }: GgufFamily,
  factors: Float32Array | null,
  { theta, headDim }: { readonly theta: number; readonly headDim: number },
): Json | null {
  const scaling = `${name}.rope.scaling`;
  const type = fields.json[`${scaling}.type`] ?? "none";
  if (type === "linear")
    return ropeScalingJson({ type: "linear", factor: fields.positive(`${scaling}.factor`) });
  fields.only(`${scaling}.type`, "none", "of the other ways to stretch rotary positions only linear is read");
  if (factors === null) return null;
  if (2 * factors.length !== headDim)
    throw new FileFormatError(
      "FIL-1",
      fields.file,
      `rope_freqs.weight has ${factors.length} factors, expected ${headDim / 2}, half the width of a head.`,
    );
  const original = fields.count(`${scaling}.original_context_length`, LARGEST.positions, 8192);
  const found = findLlama3Scaling(factors, theta, original);
  if (found !== null) return ropeScalingJson(found);
  throw new FileFormatError(
    "FIL-1",
    fields.file,
    "rope_freqs.weight holds factors that Llama 3's way to stretch rotary positions does not give; no other is read.",
  );
}
