import type { ArchitectureName, ModelConfig } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import { LARGEST, type Fields } from "./fields.ts";
import { readRotary } from "./rotary.ts";

/** What a Llama does; other architectures name what differs. */
export function llamaOptions(headDim: number) {
  return {
    norm: "rms",
    rotaryDims: headDim,
    localRopeTheta: null,
    layerPattern: [{ window: null, rope: "main" }],
    hasQkvBias: false,
    hasOutputBias: false,
    hasMlpBias: false,
    hasQueryKeyNorm: false,
    hasPostNorms: false,
    isParallelResidual: false,
    activation: "silu",
    isGatedMlp: true,
    attentionScale: 1 / Math.sqrt(headDim),
    attentionSoftCap: null,
    logitSoftCap: null,
    embeddingScale: 1,
  } as const satisfies Partial<ModelConfig>;
}

/** Token ids of a field that holds one, a list or none. */
function readTokenIds(fields: Fields, field: string, vocabularySize: number): number[] {
  const value = fields.json[field] ?? [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.map((id) => {
    if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id < vocabularySize) return id;
    return fields.refuse(field, `token ids below ${vocabularySize}`);
  });
}

/** Vocabulary, head and special tokens, which every file spells alike. */
export function readVocabulary(fields: Fields, isTiedByDefault: boolean) {
  const vocabularySize = fields.count("vocab_size", LARGEST.vocabulary);
  return {
    vocabularySize,
    hasTiedEmbeddings: fields.flag("tie_word_embeddings", isTiedByDefault),
    bosTokenId: readTokenIds(fields, "bos_token_id", vocabularySize)[0] ?? null,
    eosTokenIds: readTokenIds(fields, "eos_token_id", vocabularySize),
  };
}

/** Width of a head where the file gives none. */
export function checkHeadsDivide(fields: Fields, hiddenSize: number, heads: number): number {
  if (hiddenSize % heads !== 0) fields.refuse("hidden_size", `a multiple of the ${heads} attention heads`);
  return hiddenSize / heads;
}

/** What differs between the architectures that spell their files as Llama does. */
export interface LlamaDefaults {
  readonly architecture: ArchitectureName;
  readonly isTied: boolean;
}

/** Sizes, norms, rotations and biases of a file in Llama's spelling. */
export function readLlamaLike(fields: Fields, { architecture, isTied }: LlamaDefaults): ModelConfig {
  const { count, refuse } = fields;
  fields.only("rope_interleaved", false, "rotary positions turn the two halves of a head");
  const hiddenSize = count("hidden_size", LARGEST.width);
  const heads = count("num_attention_heads", LARGEST.heads);
  const keyValueHeads = count("num_key_value_heads", LARGEST.heads, heads);
  if (heads % keyValueHeads !== 0) refuse("num_key_value_heads", `a divisor of the ${heads} attention heads`);
  const hasHeadDim = (fields.json["head_dim"] ?? null) !== null;
  const headDim = hasHeadDim ? count("head_dim", LARGEST.width) : checkHeadsDivide(fields, hiddenSize, heads);
  if (headDim % 2 !== 0) refuse("head_dim", `an even number, not ${headDim}`);
  const why = "rotary positions turn whole heads";
  fields.only("partial_rotary_factor", 1, why);
  fields.object("rope_parameters")?.only("partial_rotary_factor", 1, why);
  const rotary = readRotary(fields);
  const hasAttentionBias = fields.flag("attention_bias", false);
  return {
    ...llamaOptions(headDim),
    architecture,
    hiddenSize,
    intermediateSize: count("intermediate_size", LARGEST.width),
    layers: count("num_hidden_layers", LARGEST.layers),
    heads,
    keyValueHeads,
    headDim,
    maxPositions: count("max_position_embeddings", LARGEST.positions),
    rmsNormEpsilon: fields.positive("rms_norm_eps"),
    ropeTheta: rotary.theta,
    ropeScaling: rotary.scaling,
    hasQkvBias: hasAttentionBias,
    hasOutputBias: hasAttentionBias,
    hasMlpBias: fields.flag("mlp_bias", false),
    ...readVocabulary(fields, isTied),
  };
}

/** Llama 1 to 3, TinyLlama, SmolLM2. */
export const llama: Architecture = {
  modelType: "llama",
  className: "LlamaForCausalLM",
  readConfig: (fields) => {
    fields.only("hidden_act", "silu");
    fields.only("sliding_window", null, "every token attends to all before it");
    return readLlamaLike(fields, { architecture: "llama", isTied: false });
  },
};
