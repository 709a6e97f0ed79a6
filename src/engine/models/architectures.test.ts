import { beforeEach, describe, expect, it } from "vitest";
import { openTestDevice } from "../tensor/testing.ts";
import {
  checkGoldenDecoding,
  checkGoldenModel,
  checkGoldenPass,
  goldenNames,
  logitError,
} from "../testing/goldenModels.ts";

/** Four times the tolerance of a logit: the two GELUs do not lie further apart. */
const NOTICED = 4e-4;

describe("the decoder on the cpu computes what transformers does", () => {
  beforeEach(async () => {
    await openTestDevice("cpu");
  });

  it.each(goldenNames)("for %s: logits, mean log-prob and gradient", (name) => checkGoldenModel(name));

  it.each(goldenNames)("for %s: log-probs as training takes them", (name) => checkGoldenPass(name));

  it.each(goldenNames)("for %s: text", (name) => checkGoldenDecoding(name));

  // Above the tolerance, so that a decoder that ignored the option would be noticed.
  it.each([
    ["llama-llama3", { ropeScaling: null }],
    ["llama-llama3", { ropeTheta: 120 }],
    ["llama-linear", { ropeScaling: null }],
    ["llama-linear", { hasQkvBias: false }],
    ["llama-linear", { hasOutputBias: false }],
    ["llama-linear", { hasMlpBias: false }],
    ["gpt2", { activation: "gelu" }],
    ["gpt2", { attentionScale: 1 }],
    ["gpt_neox", { activation: "geluTanh" }],
    ["gpt_neox", { isParallelResidual: false }],
    ["gpt_neox", { rotaryDims: 8 }],
    ["gpt_neox-sequential", { isParallelResidual: true }],
    ["qwen2", { layerPattern: [{ window: null, rope: "main" }] }],
    ["qwen2", { layerPattern: [{ window: 5, rope: "main" }] }],
    ["qwen3", { hasQueryKeyNorm: false }],
    ["gemma2", { attentionSoftCap: null }],
    ["gemma2", { logitSoftCap: null }],
    ["gemma2", { embeddingScale: 1 }],
    ["gemma2", { attentionScale: 8 ** -0.5 }],
    ["gemma2", { activation: "silu" }],
    ["gemma3_text", { localRopeTheta: 1000 }],
    ["gemma3_text", { ropeScaling: null }],
    ["smollm3", { layerPattern: [{ window: null, rope: "main" }] }],
  ] as const)("and %s would notice %j", async (name, change) => {
    expect(await logitError(name, change)).toBeGreaterThan(NOTICED);
  });
});
