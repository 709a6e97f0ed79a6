import { beforeEach, describe, expect, it } from "vitest";
import { referenceWeights } from "../models/weights.ts";
import { uploadSae } from "../sae/sparseAutoencoder.ts";
import { memory } from "../tensor/run.ts";
import { openTestDevice, randomValues } from "../tensor/testing.ts";
import { createTinyModel } from "../testing/tinyModel.ts";
import { generateUncached, shortfall, uncachedLogits } from "../testing/uncachedDecoding.ts";
import { generate } from "./generate.ts";

const shape = {
  hiddenSize: 64,
  intermediateSize: 172,
  heads: 8,
  keyValueHeads: 4,
  headDim: 8,
  vocabularySize: 503,
};
const options = { maxNewTokens: 6, temperature: 0, seed: 1, stopTokenIds: [] };
/** Logits of two kernels may differ by rounding, so of two tokens this close either may be taken. */
const TIE = 1e-4;

beforeEach(async () => {
  await openTestDevice("webgpu");
});

describe("generate on WebGPU", () => {
  it("takes the likeliest token of a whole forward pass at every step", async () => {
    const { model, dispose } = createTinyModel(shape);
    const weights = referenceWeights(model);
    const before = memory().numTensors;
    const prompts = [[5], [1, 7, 12, 300, 8, 9, 22, 4, 3, 17, 2], [1, 500, 2]].map((ids) =>
      Int32Array.from(ids),
    );
    const answers = await generate(model, weights, prompts, options);
    expect(memory().numTensors).toBe(before);
    for (const [index, prompt] of prompts.entries()) {
      const answer = answers[index] ?? [];
      expect(answer).toHaveLength(options.maxNewTokens);
      for (const [place, token] of answer.entries()) {
        const logits = await uncachedLogits(model, weights, [...prompt, ...answer.slice(0, place)]);
        expect(shortfall(logits, token), `prompt ${index}, token ${place}`).toBeLessThan(TIE);
      }
      const alone = await generate(model, weights, [prompt], options);
      expect(alone).toEqual([answer]);
    }
    dispose();
  });

  it("writes 128 tokens as whole passes do", async () => {
    const { model, dispose } = createTinyModel({ ...shape, maxPositions: 160 });
    const weights = referenceWeights(model);
    const prompts = [[5], [1, 7, 12]].map((ids) => Int32Array.from(ids));
    const maxNewTokens = 128;
    const answers = await generate(model, weights, prompts, { ...options, maxNewTokens });
    expect(answers).toEqual(await generateUncached(model, weights, prompts, maxNewTokens));
    dispose();
  });

  it("draws for prompts together what it draws for each alone", async () => {
    const { model, dispose } = createTinyModel(shape);
    const weights = referenceWeights(model);
    const drawn = {
      ...options,
      maxNewTokens: 12,
      temperature: 1.1,
      topK: 60,
      topP: 0.95,
      repetitionPenalty: 1.2,
    };
    const prompts = [[5], [1, 7, 12, 300, 8, 9], [1, 500, 2], [9, 9]].map((ids) => Int32Array.from(ids));
    const answers = await generate(model, weights, prompts, drawn);
    // The first prompt has the same place in every list, and with it the same stream.
    expect(await generate(model, weights, prompts.slice(0, 1), drawn)).toEqual(answers.slice(0, 1));
    expect(await generate(model, weights, prompts.slice(0, 2), drawn)).toEqual(answers.slice(0, 2));
    expect(await generate(model, weights, prompts, { ...drawn, readEvery: 5 })).toEqual(answers);
    expect(await generate(model, weights, prompts, { ...drawn, seed: 2 })).not.toEqual(answers);
    dispose();
  });

  it.each(["add", "clamp"] as const)("is steered as whole passes on the tape are: %s", async (mode) => {
    const { model, dispose } = createTinyModel(shape);
    const weights = referenceWeights(model);
    const [inputSize, width] = [shape.hiddenSize, 96];
    const arrays = {
      inputSize,
      width,
      layer: 0,
      hook: "blocks.0.hook_resid_post",
      modelName: null,
      encoder: randomValues(1, [width, inputSize], 0.2),
      bias: new Float32Array(width),
      threshold: new Float32Array(width),
      decoder: randomValues(2, [width, inputSize], 0.2),
      decoderBias: new Float32Array(inputSize),
    };
    const sae = uploadSae(arrays, { needsDecoder: true });
    const steering = { sae, feature: 70, mode, value: 4, startToken: 1 };
    const prompts = [[5], [1, 7, 12, 300, 8, 9]].map((ids) => Int32Array.from(ids));
    const answers = await generate(model, weights, prompts, { ...options, steering });
    for (const [index, prompt] of prompts.entries()) {
      for (const [place, token] of (answers[index] ?? []).entries()) {
        const text = [...prompt, ...(answers[index] ?? []).slice(0, place)];
        expect(shortfall(await uncachedLogits(model, weights, text, steering), token)).toBeLessThan(TIE);
      }
    }
    expect(answers).not.toEqual(await generate(model, weights, prompts, options));
    sae.dispose();
    dispose();
  });
});
