import type { ModelConfig } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import { fieldsOf, type Fields } from "./fields.ts";
import { readSlidingLayers, readWindows } from "./layerTypes.ts";
import { readLlamaLike } from "./llama.ts";

/** `attn_logit_softcapping` and `final_logit_softcapping` where a file leaves them out. */
export interface SoftCaps {
  readonly attention: number | null;
  readonly logits: number | null;
}

/** Width of a head, and the number whose root divides its scores, where a file leaves them out. */
const USUAL_HEAD_DIM = 256;

/** What Gemma 2 and 3 share: sandwich norms, a gate of GELU, scaled embeddings, a scale and soft-caps of their own. */
export function readGemma(
  fields: Fields,
  architecture: "gemma2" | "gemma3_text",
  softCaps: SoftCaps,
): ModelConfig {
  fields.only("hidden_activation", "gelu_pytorch_tanh");
  if (fields.json["hidden_activation"] === undefined) fields.only("hidden_act", "gelu_pytorch_tanh");
  fields.only("use_bidirectional_attention", false, "a token attends to those before it");
  const withHeadDim = fieldsOf(
    { ...fields.json, head_dim: fields.json["head_dim"] ?? USUAL_HEAD_DIM },
    fields.file,
  );
  const config = readLlamaLike(withHeadDim, { architecture, isTied: true });
  return {
    ...config,
    activation: "geluTanh",
    hasPostNorms: true,
    attentionScale: fields.positive("query_pre_attn_scalar", USUAL_HEAD_DIM) ** -0.5,
    attentionSoftCap: fields.positiveOrNull("attn_logit_softcapping", softCaps.attention),
    logitSoftCap: fields.positiveOrNull("final_logit_softcapping", softCaps.logits),
    embeddingScale: Math.sqrt(config.hiddenSize),
  };
}

/** Gemma 2: every other layer, from the first on, sees a window. */
export const gemma2: Architecture = {
  modelType: "gemma2",
  className: "Gemma2ForCausalLM",
  readConfig: (fields) => {
    const config = readGemma(fields, "gemma2", { attention: 50, logits: 30 });
    const windows = readWindows(
      fields,
      readSlidingLayers(fields, config.layers, (layer) => layer % 2 === 0),
    );
    return { ...config, layerPattern: windows.map((window) => ({ window, rope: "main" })) };
  },
  hasGainsAboutZero: true,
};
