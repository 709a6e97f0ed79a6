import type { ModelConfig } from "../config.ts";
import type { Architecture } from "./architecture.ts";
import { LARGEST, type Fields } from "./fields.ts";
import { readGelu } from "./gpt2.ts";
import { checkHeadsDivide, llamaOptions, readVocabulary } from "./llama.ts";
import { readRotary } from "./rotary.ts";

const USUAL_THETA = 10_000;
const USUAL_SHARE = 0.25;

function readConfig(fields: Fields): ModelConfig {
  const hiddenSize = fields.count("hidden_size", LARGEST.width);
  const heads = fields.count("num_attention_heads", LARGEST.heads);
  const headDim = checkHeadsDivide(fields, hiddenSize, heads);
  const rotary = readRotary(fields, {
    theta: fields.positive("rotary_emb_base", USUAL_THETA),
    share: fields.positive("rotary_pct", USUAL_SHARE),
  });
  const rotaryDims = Math.floor(headDim * rotary.share);
  if (rotaryDims > headDim || rotaryDims < 2 || rotaryDims % 2 !== 0)
    fields.refuse("rotary_pct", `a share of the ${headDim} values of a head that is an even number of them`);
  const hasAttentionBias = fields.flag("attention_bias", true);
  return {
    ...llamaOptions(headDim),
    architecture: "gpt_neox",
    hiddenSize,
    intermediateSize: fields.count("intermediate_size", LARGEST.width),
    layers: fields.count("num_hidden_layers", LARGEST.layers),
    heads,
    keyValueHeads: heads,
    headDim,
    maxPositions: fields.count("max_position_embeddings", LARGEST.positions),
    norm: "layer",
    rmsNormEpsilon: fields.positive("layer_norm_eps"),
    rotaryDims,
    ropeTheta: rotary.theta,
    ropeScaling: rotary.scaling,
    hasQkvBias: hasAttentionBias,
    hasOutputBias: hasAttentionBias,
    hasMlpBias: true,
    isParallelResidual: fields.flag("use_parallel_residual", true),
    activation: readGelu(fields, "hidden_act", "gelu"),
    isGatedMlp: false,
    ...readVocabulary(fields, false),
  };
}

/** GPT-NeoX (Pythia): attention and MLP side by side, and each head's query, key and value one after another. */
export const gptNeox: Architecture = {
  modelType: "gpt_neox",
  className: "GPTNeoXForCausalLM",
  readConfig,
  checkpoint: {
    prefix: "gpt_neox.",
    layers: "gpt_neox.layers",
    names: {
      "model.embed_tokens": "gpt_neox.embed_in",
      "model.norm": "gpt_neox.final_layer_norm",
      lm_head: "embed_out",
      input_layernorm: "input_layernorm",
      post_attention_layernorm: "post_attention_layernorm",
      "self_attn.o_proj": "attention.dense",
      "mlp.up_proj": "mlp.dense_h_to_4h",
      "mlp.down_proj": "mlp.dense_4h_to_h",
    },
    fused: { module: "attention.query_key_value", order: "heads" },
    hasTransposedLinears: false,
  },
};
