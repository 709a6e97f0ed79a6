import { describe, expect, it } from "vitest";
import { FileFormatError } from "../../files/fileFormatError.ts";
import type { GgufValue } from "../../files/gguf/metadata.ts";
import { readModelConfig } from "../config.ts";
import { configFromMetadata, findFamily } from "./configFromMetadata.ts";
import { findLlama3Scaling, llama3Factors } from "./ropeFactors.ts";

/** Metadata as llama.cpp's converter writes it for a model of the family, by keys without the family's name. */
function read(family: string, own: Record<string, GgufValue>, ropeFactors: Float32Array | null = null) {
  const sizes: Record<string, GgufValue> = {
    embedding_length: 64,
    block_count: 4,
    feed_forward_length: 128,
    context_length: 2048,
    "attention.head_count": 4,
    "attention.layer_norm_rms_epsilon": Math.fround(1e-6),
    ...own,
  };
  const metadata = new Map<string, GgufValue>([["general.architecture", family]]);
  for (const [key, value] of Object.entries(sizes)) metadata.set(`${family}.${key}`, value);
  const facts = { vocabularySize: 100, has: (name: string) => name === "output.weight", ropeFactors };
  const json = configFromMetadata(findFamily(metadata, "m.gguf"), metadata, facts, "m.gguf");
  return readModelConfig(json, "m.gguf");
}

describe("configFromMetadata", () => {
  it("reads a Llama, whose epsilon was a short number in 32 bits", () => {
    const config = read("llama", {
      "rope.freq_base": 500_000,
      "attention.head_count_kv": Int32Array.of(2, 2, 2, 2),
    });
    expect(config).toMatchObject({
      architecture: "llama",
      headDim: 16,
      keyValueHeads: 2,
      rmsNormEpsilon: 1e-6,
      ropeTheta: 500_000,
      hasTiedEmbeddings: false,
      hasQkvBias: false,
      vocabularySize: 100,
    });
  });

  it("reads Gemma's windows, soft-caps and scale", () => {
    const gemma2 = read("gemma2", {
      "attention.key_length": 32,
      "attention.sliding_window": 512,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    });
    expect(gemma2).toMatchObject({ headDim: 32, attentionSoftCap: 50, logitSoftCap: 30 });
    expect(gemma2.attentionScale).toBeCloseTo(32 ** -0.5, 12);
    expect(gemma2.layerPattern.map(({ window }) => window)).toEqual([512, null, 512, null]);
    // 46 layers are Gemma 2 27B, whose scores are divided by the root of hidden size / heads.
    const largest = read("gemma2", {
      block_count: 46,
      "attention.key_length": 32,
      "attention.sliding_window": 512,
    });
    expect(largest.attentionScale).toBeCloseTo(16 ** -0.5, 12);
    const windows = { "attention.key_length": 32, "attention.sliding_window": 512, block_count: 7 };
    const gemma3 = read("gemma3", windows);
    expect(gemma3.layerPattern.map(({ rope }) => rope === "main")).toEqual(
      [0, 0, 0, 0, 0, 1, 0].map(Boolean),
    );
    expect(gemma3).toMatchObject({ ropeTheta: 1_000_000, localRopeTheta: 10_000, attentionSoftCap: null });
    const listed = read("gemma3", {
      ...windows,
      "attention.sliding_window_pattern": Uint8Array.of(1, 0, 1, 1, 1, 1, 0),
    });
    expect(listed.layerPattern.map(({ window }) => window)).toEqual([512, null, 512, 512, 512, 512, null]);
  });

  it("refuses what would be computed wrongly, by key", () => {
    const cases: [string, Record<string, GgufValue>, string][] = [
      ["llama", { block_count: 0 }, "llama.block_count is 0, expected a whole number from 1 to 1024"],
      ["llama", { block_count: 2n ** 63n }, 'llama.block_count is "9223372036854775808"'],
      ["llama", { expert_count: 8 }, "llama.expert_count is 8, expected none"],
      ["llama", { "rope.dimension_count": 8 }, "llama.rope.dimension_count is 8, expected 16"],
      ["llama", { "attention.value_length": 8 }, "llama.attention.value_length is 8, expected 16"],
      ["llama", { "attention.head_count_kv": Int32Array.of(2, 4, 2, 2) }, 'head_count_kv is "a list"'],
      ["llama", { "attention.sliding_window": 4096 }, "sliding_window is 4096, expected null"],
      ["qwen2", { "rope.scaling.type": "yarn" }, 'qwen2.rope.scaling.type is "yarn"'],
      ["gemma2", {}, "gemma2.attention.sliding_window is missing"],
    ];
    for (const [family, own, message] of cases) {
      expect(() => read(family, own), message).toThrow(FileFormatError);
      expect(() => read(family, own)).toThrow(message);
    }
  });
});

describe("Llama 3's rotary factors", () => {
  const scaling = {
    type: "llama3",
    factor: 32,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalMaxPositions: 8192,
  } as const;

  it("are those of Llama 3.2 1B", () => {
    // Head of 64, theta 500,000: wave i has length 2π·500000^(i/32). Up to 8192/4 = 2048 it stays (i ≤ 14: 1957.7),
    // from 8192 on it is divided by 32 (i ≥ 18: 10099.9).
    const factors = llama3Factors(scaling, 500_000, 64);
    expect(factors.subarray(0, 15)).toEqual(new Float32Array(15).fill(1));
    expect(factors.subarray(18)).toEqual(new Float32Array(14).fill(32));
    // i = 16: λ = 2π·√500000 = 4442.9, s = (8192/4442.9 − 1)/3 = 0.28129, factor 1/((1 − s)/32 + s) = 3.2925.
    expect(factors[16]).toBeCloseTo(3.2925, 3);
  });

  it("are refused where they are not one for each frequency of a head", () => {
    // Cut to half, the factors are those of a head of 32 under the same settings, and would give another scaling.
    const half = llama3Factors(scaling, 500_000, 32);
    const own = { "rope.freq_base": 500_000, "attention.key_length": 64 };
    expect(() => read("llama", own, half)).toThrow("rope_freqs.weight has 16 factors, expected 32");
  });

  it("give the scaling back, or none", () => {
    const factors = llama3Factors(scaling, 500_000, 64);
    expect(findLlama3Scaling(factors, 500_000)).toEqual(scaling);
    expect(
      read("llama", { "rope.freq_base": 500_000, "attention.key_length": 64 }, factors).ropeScaling,
    ).toEqual(scaling);
    // Only ratios matter: half the length with half the low and high factors is the same scaling.
    const other = { ...scaling, lowFrequencyFactor: 2, highFrequencyFactor: 16, originalMaxPositions: 4096 };
    const found = findLlama3Scaling(llama3Factors(other, 500_000, 128), 500_000);
    expect(found).toMatchObject({ factor: 32, lowFrequencyFactor: 1, originalMaxPositions: 2048 });
    expect(found?.highFrequencyFactor).toBeCloseTo(8, 2);
    const odd = Float32Array.from(factors, (factor, index) => factor + (index === 3 ? 0.5 : 0));
    expect(findLlama3Scaling(odd, 500_000)).toBeNull();
    expect(() => read("llama", { "attention.key_length": 64 }, odd)).toThrow(
      "rope_freqs.weight holds factors",
    );
  });
});
