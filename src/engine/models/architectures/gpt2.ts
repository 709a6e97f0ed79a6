import type { ModelConfig } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import { LARGEST, type Fields } from "./fields.ts";
import { llamaOptions, readVocabulary } from "./llama.ts";

/** The MLP is four times as wide as the stream where a file says nothing. */
const USUAL_WIDENING = 4;

/** Names of activations in files, by what the decoder calls them. */
export function readGelu(fields: Fields, field: string, otherwise: string): ModelConfig["activation"] {
  switch (fields.json[field] ?? otherwise) {
    case "gelu":
      return "gelu";
    case "gelu_new":
    case "gelu_fast":
    case "gelu_pytorch_tanh":
      return "geluTanh";
    default:
      return fields.refuse(field, '"gelu", "gelu_new", "gelu_fast" or "gelu_pytorch_tanh"');
  }
}

function readConfig(fields: Fields): ModelConfig {
  fields.only("add_cross_attention", false, "there is no encoder to attend to");
  fields.only("scale_attn_by_inverse_layer_idx", false, "all layers scale their scores alike");
  const hiddenSize = fields.count("n_embd", LARGEST.width);
  const heads = fields.count("n_head", LARGEST.heads);
  if (hiddenSize % heads !== 0) fields.refuse("n_embd", `a multiple of the ${heads} attention heads`);
  const headDim = hiddenSize / heads;
  return {
    ...llamaOptions(headDim),
    architecture: "gpt2",
    hiddenSize,
    intermediateSize: fields.count("n_inner", LARGEST.width, USUAL_WIDENING * hiddenSize),
    layers: fields.count("n_layer", LARGEST.layers),
    heads,
    keyValueHeads: heads,
    headDim,
    maxPositions: fields.count("n_positions", LARGEST.positions),
    norm: "layer",
    rmsNormEpsilon: fields.positive("layer_norm_epsilon"),
    rotaryDims: 0,
    ropeTheta: 1,
    ropeScaling: null,
    layerPattern: [{ window: null, rope: null }],
    hasQkvBias: true,
    hasOutputBias: true,
    hasMlpBias: true,
    activation: readGelu(fields, "activation_function", "gelu_new"),
    isGatedMlp: false,
    attentionScale: fields.flag("scale_attn_weights", true) ? 1 / Math.sqrt(headDim) : 1,
    ...readVocabulary(fields, true),
  };
}

/** GPT-2: learned positions, layer norms, a plain MLP, and matrices stored [in, out]. */
export const gpt2: Architecture = {
  modelType: "gpt2",
  className: "GPT2LMHeadModel",
  readConfig,
  checkpoint: {
    prefix: "transformer.",
    layers: "transformer.h",
    names: {
      "model.embed_tokens": "transformer.wte",
      "model.embed_positions": "transformer.wpe",
      "model.norm": "transformer.ln_f",
      lm_head: "lm_head",
      input_layernorm: "ln_1",
      post_attention_layernorm: "ln_2",
      "self_attn.o_proj": "attn.c_proj",
      "mlp.up_proj": "mlp.c_fc",
      "mlp.down_proj": "mlp.c_proj",
    },
    fused: { module: "attn.c_attn", order: "parts" },
    hasTransposedLinears: true,
  },
};
