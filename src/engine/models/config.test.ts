import { describe, expect, it } from "vitest";
import { FileFormatError } from "../files/fileFormatError.ts";
import { llamaOptions } from "./architectures/llama.ts";
import { readModelConfig } from "./config.ts";

const llama = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  rope_scaling: null,
  hidden_act: "silu",
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};

function read(changes: Record<string, unknown>) {
  return readModelConfig({ ...llama, ...changes }, "config.json");
}

describe("readModelConfig", () => {
  it("reads a Llama config", () => {
    expect(read({})).toEqual({
      ...llamaOptions(8),
      architecture: "llama",
      hiddenSize: 64,
      intermediateSize: 172,
      layers: 5,
      heads: 8,
      keyValueHeads: 4,
      headDim: 8,
      vocabularySize: 512,
      maxPositions: 512,
      rmsNormEpsilon: 1e-5,
      ropeTheta: 10000,
      ropeScaling: null,
      hasTiedEmbeddings: true,
      bosTokenId: 1,
      eosTokenIds: [2],
    });
  });

  it("fills in what older files leave out", () => {
    const config = read({
      architectures: undefined,
      num_key_value_heads: undefined,
      head_dim: 16,
      rope_theta: undefined,
      tie_word_embeddings: undefined,
      bos_token_id: null,
      eos_token_id: [2, 3],
    });
    expect(config).toMatchObject({
      keyValueHeads: 8,
      headDim: 16,
      ropeTheta: 10000,
      hasTiedEmbeddings: false,
    });
    expect(config).toMatchObject({ bosTokenId: null, eosTokenIds: [2, 3] });
  });

  it("reads rotary scaling in its old and new spelling", () => {
    expect(read({ rope_scaling: { type: "linear", factor: 2 } }).ropeScaling).toEqual({
      type: "linear",
      factor: 2,
    });
    const llama3 = {
      rope_type: "llama3",
      factor: 32,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    expect(read({ rope_scaling: llama3 }).ropeScaling).toEqual({
      type: "llama3",
      factor: 32,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalMaxPositions: 8192,
    });
    const newer = read({ rope_theta: undefined, rope_parameters: { rope_type: "default", rope_theta: 5e5 } });
    expect(newer).toMatchObject({ ropeTheta: 5e5, ropeScaling: null });
  });

  it.each([
    [
      "architectures",
      ["MambaForCausalLM"],
      'architecture is "MambaForCausalLM"; supported: LlamaForCausalLM',
    ],
    ["quantization_config", { bits: 4 }, "use the full weights"],
    ["auto_map", { AutoModel: "x.Y" }, "code that comes with a model"],
    ["attention_bias", "yes", 'attention_bias is "yes", expected true or false'],
    ["mlp_bias", 1, "mlp_bias is 1, expected true or false"],
    ["hidden_act", "gelu", 'hidden_act is "gelu", expected "silu"'],
    ["sliding_window", 4096, "sliding_window is 4096, expected null"],
    ["rope_interleaved", true, "rope_interleaved is true, expected false"],
    ["partial_rotary_factor", 0.5, "partial_rotary_factor is 0.5, expected 1"],
    [
      "rope_parameters",
      { rope_type: "default", partial_rotary_factor: 0.5 },
      "rope_parameters: partial_rotary_factor is 0.5",
    ],
    ["rope_scaling", { rope_type: "yarn", factor: 2 }, 'rope_type is "yarn"'],
    ["num_key_value_heads", 3, "expected a divisor of the 8 attention heads"],
    ["num_attention_heads", 7, "expected a divisor of the 7"],
    ["hidden_size", 60, "expected a multiple of the 8 attention heads"],
    ["head_dim", 7, "an even number"],
    ["num_hidden_layers", 1.5, "num_hidden_layers is 1.5, expected a whole number from 1"],
    ["vocab_size", 1e9, "vocab_size is 1000000000"],
    ["rms_norm_eps", undefined, "rms_norm_eps is missing"],
    ["eos_token_id", 512, "expected token ids below 512"],
    ["tie_word_embeddings", "yes", "expected true or false"],
  ])("refuses %s = %j", (field, value, words) => {
    const attempt = () => read({ [field]: value });
    expect(attempt).toThrow(FileFormatError);
    expect(attempt).toThrow(words);
    expect(attempt).toThrow("config.json");
  });

  it("refuses what is no object", () => {
    expect(() => readModelConfig([], "config.json")).toThrow("not a JSON object");
  });
});
