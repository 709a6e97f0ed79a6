/** What each family's `config.json` says, as files on the hub spell it; the golden files show that it is computed. */
import { describe, expect, it } from "vitest";
import { FileFormatError } from "../../files/fileFormatError.ts";
import { distinctWindows, layerOptions, readModelConfig } from "../config.ts";

const sizes = {
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 500,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-6,
};

const files = {
  gpt2: {
    architectures: ["GPT2LMHeadModel"],
    n_embd: 64,
    n_layer: 2,
    n_head: 4,
    n_positions: 128,
    vocab_size: 500,
    layer_norm_epsilon: 1e-5,
  },
  gpt_neox: {
    ...sizes,
    architectures: ["GPTNeoXForCausalLM"],
    layer_norm_eps: 1e-5,
    rotary_pct: 0.25,
    rotary_emb_base: 10_000,
  },
  qwen2: { ...sizes, architectures: ["Qwen2ForCausalLM"] },
  qwen3: { ...sizes, architectures: ["Qwen3ForCausalLM"] },
  gemma2: { ...sizes, architectures: ["Gemma2ForCausalLM"], head_dim: 32, sliding_window: 16 },
  gemma3_text: { ...sizes, architectures: ["Gemma3ForCausalLM"], head_dim: 32, sliding_window: 16 },
  smollm3: { ...sizes, architectures: ["SmolLM3ForCausalLM"] },
};

type Family = keyof typeof files;

function read(family: Family, changes: Record<string, unknown> = {}) {
  return readModelConfig({ ...files[family], ...changes }, "config.json");
}

describe("config.json of", () => {
  it("GPT-2: learned positions, an MLP four times as wide, a tied head", () => {
    expect(read("gpt2")).toMatchObject({
      architecture: "gpt2",
      norm: "layer",
      rotaryDims: 0,
      intermediateSize: 256,
      activation: "geluTanh",
      isGatedMlp: false,
      hasQkvBias: true,
      hasTiedEmbeddings: true,
      attentionScale: 0.25,
    });
    expect(
      read("gpt2", { n_inner: 100, scale_attn_weights: false, activation_function: "gelu" }),
    ).toMatchObject({
      intermediateSize: 100,
      attentionScale: 1,
      activation: "gelu",
    });
  });

  it("GPT-NeoX: part of each head turned, in the old and the new spelling", () => {
    const old = read("gpt_neox");
    expect(old).toMatchObject({
      rotaryDims: 4,
      ropeTheta: 10_000,
      isParallelResidual: true,
      activation: "gelu",
    });
    const parameters = { rope_type: "default", rope_theta: 10_000, partial_rotary_factor: 0.25 };
    expect(read("gpt_neox", { rotary_pct: undefined, rope_parameters: parameters })).toEqual(old);
  });

  it("Qwen 2: windows only where they are turned on", () => {
    const off = read("qwen2", { use_sliding_window: false, sliding_window: 32, max_window_layers: 2 });
    expect(off).toMatchObject({ hasQkvBias: true, hasOutputBias: false, hasTiedEmbeddings: false });
    expect(distinctWindows(off)).toEqual([null]);
    const on = read("qwen2", { use_sliding_window: true, sliding_window: 32, max_window_layers: 2 });
    expect([0, 1, 2, 5].map((layer) => layerOptions(on, layer).window)).toEqual([null, null, 32, 32]);
  });

  it("Qwen 3: heads of their own width that are normed", () => {
    expect(read("qwen3", { head_dim: 128 })).toMatchObject({
      headDim: 128,
      hasQueryKeyNorm: true,
      hasQkvBias: false,
    });
  });

  it("Gemma 2: soft-caps and scale where the file leaves them out", () => {
    const config = read("gemma2");
    expect(config).toMatchObject({
      attentionScale: 1 / 16,
      attentionSoftCap: 50,
      logitSoftCap: 30,
      embeddingScale: 8,
      hasPostNorms: true,
      hasTiedEmbeddings: true,
    });
    expect([0, 1, 2].map((layer) => layerOptions(config, layer).window)).toEqual([16, null, 16]);
    expect(read("gemma2", { attn_logit_softcapping: null })).toMatchObject({ attentionSoftCap: null });
    expect(read("gemma2", { head_dim: undefined })).toMatchObject({ headDim: 256 });
  });

  it("Gemma 3: a rotation for each kind of layer, in the old and the new spelling", () => {
    const old = read("gemma3_text", { rope_theta: 5e5, rope_scaling: { rope_type: "linear", factor: 8 } });
    expect(old).toMatchObject({
      ropeTheta: 5e5,
      localRopeTheta: 1e4,
      ropeScaling: { type: "linear", factor: 8 },
      attentionSoftCap: null,
      logitSoftCap: null,
    });
    expect([4, 5].map((layer) => layerOptions(old, layer))).toEqual([
      { window: 16, rope: "local" },
      { window: null, rope: "main" },
    ]);
    const rope_parameters = {
      full_attention: { rope_type: "linear", rope_theta: 5e5, factor: 8 },
      sliding_attention: { rope_type: "default", rope_theta: 1e4 },
    };
    expect(read("gemma3_text", { rope_parameters })).toEqual(old);
  });

  it("SmolLM 3: every fourth layer is not turned", () => {
    const config = read("smollm3");
    expect([0, 1, 2, 3, 4].map((layer) => layerOptions(config, layer).rope)).toEqual([
      "main",
      "main",
      "main",
      null,
      "main",
    ]);
  });
});

it.each<[Family, Record<string, unknown>, string]>([
  [
    "gpt2",
    { scale_attn_by_inverse_layer_idx: true },
    "scale_attn_by_inverse_layer_idx is true, expected false",
  ],
  ["gpt2", { add_cross_attention: true }, "there is no encoder"],
  ["gpt2", { activation_function: "relu" }, 'activation_function is "relu"'],
  ["gpt2", { n_head: 5 }, "n_embd is 64, expected a multiple of the 5"],
  ["gpt_neox", { rotary_pct: 0.2 }, "rotary_pct is 0.2"],
  ["gpt_neox", { hidden_act: "silu" }, 'hidden_act is "silu"'],
  ["qwen2", { hidden_act: "gelu" }, 'hidden_act is "gelu", expected "silu"'],
  ["qwen2", { rope_scaling: { type: "yarn", factor: 4 } }, 'type is "yarn"'],
  ["qwen3", { layer_types: ["full_attention"] }, "expected a list of 6 layers"],
  ["qwen3", { layer_types: Array.from({ length: 6 }, () => "linear_attention") }, '"sliding_attention" or'],
  ["gemma2", { hidden_activation: "gelu" }, 'expected "gelu_pytorch_tanh"'],
  ["gemma2", { sliding_window: null }, "sliding_window is null, expected a whole number"],
  ["gemma3_text", { use_bidirectional_attention: true }, "a token attends to those before it"],
  [
    "gemma3_text",
    { rope_parameters: { sliding_attention: { rope_type: "linear", factor: 2 } } },
    "local layers are not stretched",
  ],
  ["smollm3", { no_rope_layers: [1, 0] }, "a list of 0 or 1 for each of 6 layers"],
])("%s is refused with %j", (family, changes, words) => {
  const attempt = () => read(family, changes);
  expect(attempt).toThrow(FileFormatError);
  expect(attempt).toThrow(words);
});
