/** The sizes of a model as metadata of a GGUF file, in the spelling of llama.cpp's converter. */
import type { GgufEntry } from "../../files/gguf/write.ts";
import type { ModelConfig } from "../config.ts";
import { GgufExportError } from "./exportError.ts";
import {
  ggufFamilies,
  LAYERS_OF_LARGEST_GEMMA,
  LOCAL_THETA,
  USUAL_PATTERN,
  type GgufFamily,
} from "./families.ts";

/** Entries by key. */
export type GgufEntries = Map<string, GgufEntry>;

function refuse(reason: string): never {
  throw new GgufExportError(`This model cannot be written as GGUF: ${reason}`);
}

/** The family of a model; throws `GgufExportError` for one that is not written. */
export function familyOf({ architecture }: ModelConfig): GgufFamily {
  const family = ggufFamilies.find((each) => each.modelType === architecture);
  const known = ggufFamilies.map(({ modelType }) => modelType).join(", ");
  return family ?? refuse(`the architecture is ${architecture}, GGUF is written for ${known}.`);
}

/** How far apart the layers that see everything are; 0 where all do, null for any other order. */
function patternOf({ layerPattern, layers }: ModelConfig): number | null {
  const slides = Array.from(
    { length: layers },
    (_, layer) => (layerPattern[layer % layerPattern.length]?.window ?? null) !== null,
  );
  const first = slides.indexOf(false);
  if (first < 0) return null;
  const pattern = first + 1;
  if (slides.some((each, layer) => each !== ((layer + 1) % pattern !== 0))) return null;
  return pattern === 1 ? 0 : pattern;
}

function windowOf({ layerPattern }: ModelConfig): number | null {
  return layerPattern.find(({ window }) => window !== null)?.window ?? null;
}

/** Refuses what llama.cpp would compute otherwise. */
function checkExpressible(family: GgufFamily, config: ModelConfig): void {
  const { name, isGemma } = family;
  if (name !== "llama" && config.ropeScaling?.type === "llama3")
    refuse(`llama.cpp knows Llama 3's rotary scaling for llama only, not for ${name}.`);
  if (config.rotaryDims !== config.headDim) refuse("rotary positions turn a part of each head only.");
  if (name === "qwen2" ? config.hasOutputBias : name !== "llama" && config.hasQkvBias)
    refuse(`llama.cpp has no such biases of attention for ${name}.`);
  if (config.hasMlpBias && name !== "llama") refuse(`llama.cpp has no biases of the MLP for ${name}.`);
  if (isGemma) checkGemma(family, config);
  else if (windowOf(config) !== null) refuse(`llama.cpp has no sliding window for ${name}.`);
}

function checkGemma({ name }: GgufFamily, config: ModelConfig): void {
  const isLargest = config.layers === LAYERS_OF_LARGEST_GEMMA[name === "gemma2" ? "gemma2" : "gemma3"];
  const scalar = isLargest ? config.hiddenSize / config.heads : config.headDim;
  if (Math.abs(config.attentionScale * Math.sqrt(scalar) - 1) > 1e-6)
    refuse(
      `it divides attention scores by ${1 / config.attentionScale}, llama.cpp by the root of ${scalar}, and GGUF has no field for it.`,
    );
  const pattern = patternOf(config);
  if (pattern === null || pattern === 0 || (name === "gemma2" && pattern !== 2))
    refuse(`GGUF has no field for the order of its layers with and without a sliding window.`);
  if (name === "gemma2" && !config.hasTiedEmbeddings)
    refuse("llama.cpp ties the head of gemma2 to its embeddings.");
  if (name === "gemma2" && (config.attentionSoftCap === null || config.logitSoftCap === null))
    refuse("llama.cpp bounds attention scores and logits of gemma2.");
  if (name === "gemma3" && (config.attentionSoftCap !== null || config.logitSoftCap !== null))
    refuse("llama.cpp does not bound attention scores and logits of gemma3.");
}

/** Sizes and settings. Throws `GgufExportError` where llama.cpp would compute something else. */
export function metadataFromConfig(family: GgufFamily, config: ModelConfig): GgufEntries {
  checkExpressible(family, config);
  const entries: GgufEntries = new Map();
  const whole = (name: string, value: number) =>
    entries.set(`${family.name}.${name}`, { type: "uint32", value });
  const real = (name: string, value: number) =>
    entries.set(`${family.name}.${name}`, { type: "float32", value });
  whole("context_length", config.maxPositions);
  whole("embedding_length", config.hiddenSize);
  whole("block_count", config.layers);
  whole("feed_forward_length", config.intermediateSize);
  whole("attention.head_count", config.heads);
  whole("attention.head_count_kv", config.keyValueHeads);
  whole("attention.key_length", config.headDim);
  whole("attention.value_length", config.headDim);
  whole("rope.dimension_count", config.headDim);
  whole("vocab_size", config.vocabularySize);
  real("rope.freq_base", config.ropeTheta);
  real("attention.layer_norm_rms_epsilon", config.rmsNormEpsilon);
  const { ropeScaling } = config;
  if (ropeScaling?.type === "linear") {
    entries.set(`${family.name}.rope.scaling.type`, { type: "string", value: "linear" });
    real("rope.scaling.factor", ropeScaling.factor);
  }
  if (ropeScaling?.type === "llama3")
    whole("rope.scaling.original_context_length", ropeScaling.originalMaxPositions);
  if (config.attentionSoftCap !== null) real("attn_logit_softcapping", config.attentionSoftCap);
  if (config.logitSoftCap !== null) real("final_logit_softcapping", config.logitSoftCap);
  const window = windowOf(config);
  if (window !== null) whole("attention.sliding_window", window);
  if (family.name === "gemma3") {
    const pattern = patternOf(config);
    if (pattern !== null && pattern !== USUAL_PATTERN) whole("attention.sliding_window_pattern", pattern);
    if (config.localRopeTheta !== null && config.localRopeTheta !== LOCAL_THETA)
      real("rope.freq_base_swa", config.localRopeTheta);
  }
  return entries;
}
